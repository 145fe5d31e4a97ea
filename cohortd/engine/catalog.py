"""Every feature cohortd knows, by name: those of its own, families, own expressions, windows of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec, Impute
from cohortd.engine import rhythm, spending, visiting  # noqa: F401 - they enter their features
from cohortd.engine.context import CONTEXT_FAMILIES
from cohortd.engine.definition import Definition
from cohortd.engine.families import FAMILIES, FIXED_FAMILIES
from cohortd.engine.names import FeatureName, Window
from cohortd.engine.registry import DEFINITIONS
from cohortd.engine.scope import Scope
from cohortd.engine.vocabulary import STANDARD, Vocabulary

if TYPE_CHECKING:
    import ibis.expr.types as ir


def catalog() -> dict[str, FeatureSpec]:
    """Every feature by its name; a family (``category_share``) stands for several features."""
    features = {name: definition.spec for name, definition in DEFINITIONS.items()}
    families = FAMILIES | FIXED_FAMILIES | CONTEXT_FAMILIES
    return features | {name: family.spec for name, family in families.items()}


def is_family(name: FeatureName) -> bool:
    """Whether a name stands for several features until it is expanded."""
    families = FAMILIES.keys() | FIXED_FAMILIES.keys() | CONTEXT_FAMILIES.keys()
    return not name.member and name.base in families


def family_spec(name: FeatureName) -> FeatureSpec:
    """Describe a family that is yet to be expanded."""
    spec = catalog()[name.base]
    return replace(spec, name=str(name), title=_over(spec.title, name))


def definition_of(name: str, vocabulary: Vocabulary = STANDARD) -> Definition | None:
    """Find a feature over events; None for what is none of ours, nor a member of a family.

    Raises:
        SettingsError: It has no windows, or one that makes no sense.
    """
    asked = FeatureName.read(name)
    plain = _plain(asked, vocabulary)
    if plain is None or asked.window is None:
        return plain
    if not plain.has_windows:
        raise SettingsError(f"segmentation: {asked.base} is not computed over windows: ask for it plainly")
    short = _windowed(plain, asked, asked.window)
    if asked.whole is None:
        return short
    long = _windowed(plain, asked, asked.whole)
    spec = replace(
        plain.spec,
        name=str(asked),
        title=_over(plain.spec.title, asked),
        heavy_tail=False,
        impute=Impute.MEDIAN,
        high_word="picking up",
        low_word="fading",
    )
    return Definition(spec, _never, ratio=(short, long))


def meaning_of(name: str, vocabulary: Vocabulary) -> str:
    """Say what the settings make of a feature; empty where they do not change what it is."""
    base = FeatureName.read(name).base
    own = vocabulary.own(base)
    if own is not None:
        return own.sql
    if base in visiting.OF_CONVERSIONS:
        return ", ".join(vocabulary.conversion_types)
    if base in visiting.OF_PAGE_VIEWS:
        return ", ".join(vocabulary.page_view_types)
    if base in CONTEXT_FAMILIES:
        return f"by {vocabulary.place}" if vocabulary.place else "everywhere"
    return ""


def _plain(name: FeatureName, vocabulary: Vocabulary) -> Definition | None:
    if not name.member:
        own = vocabulary.own(name.base)
        if own is None:
            return DEFINITIONS.get(name.base)
        from cohortd.engine.expressions import own_definition  # noqa: PLC0415 - reads SQL, which few settings have

        return own_definition(own)
    if name.base in FAMILIES:
        return FAMILIES[name.base].member(name.member)
    if name.base in FIXED_FAMILIES and name.member in FIXED_FAMILIES[name.base].members:
        return FIXED_FAMILIES[name.base].member(name.member)
    if name.base in CONTEXT_FAMILIES:
        return CONTEXT_FAMILIES[name.base].member(name.member, vocabulary.place)
    return None


def _windowed(plain: Definition, asked: FeatureName, window: Window) -> Definition:
    """Give a feature a window of its own.

    Not to be there at all in so short a time says nothing of a mean or a gap; a count is 0 then,
    and so are shares, which begin at nothing.
    """
    name = asked.within(window)
    counts = plain.empty is not None or not plain.spec.heavy_tail
    days = "all time" if window.days is None else f"{window.days} days"
    high, low = (
        f"{word} in {days}" if word else "" for word in (plain.spec.high_word, plain.spec.low_word)
    )
    spec = replace(
        plain.spec,
        name=str(name),
        title=_over(plain.spec.title, name),
        impute=plain.spec.impute if counts else Impute.MEDIAN,
        high_word=high,
        low_word=low,
    )
    return replace(plain, spec=spec, window=window)


def _over(title: str, name: FeatureName) -> str:
    if name.window is None:
        return title
    if name.whole is None:
        return f"{title}, over {name.window.shown}"
    return f"{title}: {name.window.shown} as a share of {name.whole.shown}"


def _never(scope: Scope) -> ir.Scalar:
    raise AssertionError(f"a share of two windows is made of both, not of {scope}")
