"""What makes a feature: how it reads and the expression that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cohortd.core.modelling import FeatureSpec
from cohortd.engine.names import Window
from cohortd.engine.scope import Scope

if TYPE_CHECKING:
    import ibis.expr.types as ir

Expression: TypeAlias = "Callable[[Scope], ir.Scalar]"
Rows: TypeAlias = "Callable[[Scope], ir.Table]"

#: Over everything known of the customer.
EVER = Window("all", None)


@dataclass(frozen=True, slots=True)
class Definition:
    """One feature over a customer's events."""

    spec: FeatureSpec
    expression: Expression
    #: Instead of the window that the settings give to all.
    window: Window | None = None
    #: Makes the rows that are aggregated, where they are not the events themselves.
    rows: Rows | None = None
    #: What it is for somebody without any row: 0 for what is counted and summed, else absent.
    empty: float | None = None
    #: Whether it makes sense over a window of its own.
    has_windows: bool = True
    #: Columns it reads where they are there, beside those it needs.
    reads: tuple[str, ...] = ()
    #: Computed as the first over the second, instead of by ``expression``.
    ratio: tuple[Definition, Definition] | None = None
