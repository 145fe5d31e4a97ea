"""Turns what the settings ask for into features."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from functools import partial

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec, Impute
from cohortd.engine.catalog import catalog, definition_of, family_spec, is_family
from cohortd.engine.names import FeatureName
from cohortd.engine.template_lists import TEMPLATES
from cohortd.engine.vocabulary import STANDARD, Vocabulary


def resolve(
    template: str | Sequence[str], attributes: Collection[str], vocabulary: Vocabulary = STANDARD
) -> list[FeatureSpec]:
    """List the features of a template, or those named one by one.

    Args:
        template: A template's name, or names of features, attributes and templates.
        attributes: The customer attributes that are mapped. ``plan`` asks for the attribute
            ``plan``, ``plan:gold`` for whether it is ``gold``.
        vocabulary: What else the settings say of features.

    Raises:
        SettingsError: A name is unknown; says the nearest known one.
    """
    if isinstance(template, str):
        if template not in TEMPLATES:
            raise SettingsError(_unknown("template", template, TEMPLATES))
        return [_spec(name, attributes, vocabulary) for name in TEMPLATES[template]]
    names = [name for item in template for name in TEMPLATES.get(item, (item,))]
    if not names:
        raise SettingsError("segmentation needs at least one feature, or a template such as ecommerce")
    return [_spec(name, attributes, vocabulary) for name in dict.fromkeys(names)]


def with_own(specs: Iterable[FeatureSpec], vocabulary: Vocabulary) -> list[FeatureSpec]:
    """Add the own expressions that no feature asks for in any window: who writes one wants it."""
    asked = list(specs)
    bases = {FeatureName.read(spec.name).base for spec in asked}
    more = [own.name for own in vocabulary.own_features if own.name not in bases]
    return [*asked, *(resolve(more, (), vocabulary) if more else ())]


def available(
    specs: Iterable[FeatureSpec],
    events_columns: Collection[str],
    customer_columns: Collection[str],
    context_columns: Collection[str] = (),
) -> tuple[list[FeatureSpec], list[tuple[FeatureSpec, str]]]:
    """Part the features that can be computed from these columns from those that cannot.

    Returns:
        The usable ones, and the others each with what is missing, in words.
    """
    columns = {"events": events_columns, "customers": customer_columns, "context": context_columns}
    usable: list[FeatureSpec] = []
    unusable: list[tuple[FeatureSpec, str]] = []
    for spec in specs:
        missing: dict[str, list[str]] = {}
        for table, column in map(partial(_need, spec), spec.needs):
            if column not in columns[table]:
                missing.setdefault(table, []).append(column)
        if missing:
            reasons = (_lacking(table, lost, columns[table]) for table, lost in missing.items())
            unusable.append((spec, "; ".join(reasons)))
        else:
            usable.append(spec)
    return usable, unusable


def _lacking(table: str, lost: Sequence[str], known: Collection[str]) -> str:
    if not known:
        return f"there is no table sources.{table}"
    return f"{table} has no column {' and no '.join(lost)}"


def _need(spec: FeatureSpec, written: str) -> tuple[str, str]:
    """Part the table from the column of a need: an attribute's name may have a dot in it."""
    if spec.table != "context":
        return spec.table, written
    table, dot, column = written.partition(".")
    return (table, column) if dot else ("events", written)


def attribute_spec(attribute: str, slug: str = "") -> FeatureSpec:
    """Describe an attribute as a feature: its number, or whether it is one value."""
    shown, value = attribute.replace("_", " "), slug.replace("_", " ")
    if slug:
        return FeatureSpec(
            f"{attribute}:{slug}",
            f"Whether {shown} is {value}",
            (attribute,),
            heavy_tail=False,
            impute=Impute.ZERO,
            high_word=f"{shown} {value}",
            table="customers",
        )
    return FeatureSpec(
        attribute,
        shown.capitalize(),
        (attribute,),
        heavy_tail=None,
        impute=Impute.MEDIAN,
        high_word=f"high {shown}",
        low_word=f"low {shown}",
        table="customers",
    )


def _spec(name: str, attributes: Collection[str], vocabulary: Vocabulary) -> FeatureSpec:
    if name in attributes:
        return attribute_spec(name)
    if is_family(FeatureName.read(name)):
        return family_spec(FeatureName.read(name))
    definition = definition_of(name, vocabulary)
    if definition is not None:
        return definition.spec
    attribute, _, slug = name.partition(":")
    if attribute in attributes:
        return attribute_spec(attribute, slug)
    own = [each.name for each in vocabulary.own_features]
    raise SettingsError(_unknown("feature", name, [*catalog(), *own, *attributes]))


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    options = list(known)
    nearest = difflib.get_close_matches(name, options, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(options))}"
    return f"segmentation: there is no {kind} {name!r}; {hint}"
