"""Where the features with a name of their own are entered; ``catalog.py`` reads them."""

from __future__ import annotations

from collections.abc import Callable

from cohortd.core.modelling import FeatureSpec, Impute
from cohortd.engine.definition import EVER, Definition, Expression, Rows

DEFINITIONS: dict[str, Definition] = {}


def feature(
    name: str,
    title: str,
    *,
    needs: tuple[str, ...] = (),
    words: tuple[str, str],
    heavy_tail: bool = True,
    absent: Impute = Impute.ZERO,
    history: bool = False,
    rows: Rows | None = None,
    counted: bool = False,
    has_windows: bool = True,
    reads: tuple[str, ...] = (),
) -> Callable[[Expression], Expression]:
    """Enter a function into the catalog.

    Args:
        words: For high and for low values.
        history: Over everything known of the customer instead of the window.
        rows: See ``Definition``.
        counted: Whether somebody without any row has 0 rather than nothing.
        has_windows: See ``Definition``; never with *history*.
        reads: See ``Definition``; of no matter where texts are not compared.
    """
    spec = FeatureSpec(
        name,
        title,
        ("occurred_at", *needs),
        heavy_tail=heavy_tail,
        impute=absent,
        high_word=words[0],
        low_word=words[1],
    )

    def enter(expression: Expression) -> Expression:
        DEFINITIONS[name] = Definition(
            spec,
            expression,
            window=EVER if history else None,
            rows=rows,
            empty=0.0 if counted else None,
            has_windows=has_windows and not history,
            reads=reads,
        )
        return expression

    return enter
