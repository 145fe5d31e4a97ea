"""Turns what the settings ask for into features."""

import difflib
from collections.abc import Collection, Iterable, Sequence

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec, Impute
from cohortd.engine.catalog import catalog, definition_of
from cohortd.engine.families import FAMILIES

TEMPLATES: dict[str, tuple[str, ...]] = {
    "ecommerce": (
        "recency_days",
        "order_count",
        "value_sum",
        "order_value_mean",
        "order_quantity_mean",
        "tenure_days",
        "value_trend",
        "active_days",
        "interpurchase_days",
        "evening_share",
        "night_share",
        "weekend_share",
        "category_breadth",
        "category_share",
        "discount_share",
        "channel_share",
    ),
    "engagement": (
        "recency_days",
        "session_count",
        "event_count",
        "active_days",
        "tenure_days",
        "activity_trend",
        "duration_sum_s",
        "evening_share",
        "night_share",
        "weekend_share",
        "category_breadth",
        "type_share",
        "device_share",
    ),
}


def resolve(template: str | Sequence[str], attributes: Collection[str]) -> list[FeatureSpec]:
    """List the features of a template, or those named one by one.

    Args:
        template: A template's name, or names of features, attributes and templates.
        attributes: The customer attributes that are mapped. ``plan`` asks for the attribute
            ``plan``, ``plan:gold`` for whether it is ``gold``.

    Raises:
        SettingsError: A name is unknown; says the nearest known one.
    """
    if isinstance(template, str):
        if template not in TEMPLATES:
            raise SettingsError(_unknown("template", template, TEMPLATES))
        return [_spec(name, attributes) for name in TEMPLATES[template]]
    names = [name for item in template for name in TEMPLATES.get(item, (item,))]
    if not names:
        raise SettingsError("segmentation needs at least one feature, or a template such as ecommerce")
    return [_spec(name, attributes) for name in dict.fromkeys(names)]


def available(
    specs: Iterable[FeatureSpec], events_columns: Collection[str], customer_columns: Collection[str]
) -> tuple[list[FeatureSpec], list[tuple[FeatureSpec, str]]]:
    """Part the features that can be computed from these columns from those that cannot.

    Returns:
        The usable ones, and the others each with what is missing, in words.
    """
    usable: list[FeatureSpec] = []
    unusable: list[tuple[FeatureSpec, str]] = []
    for spec in specs:
        table, columns = (
            ("customers", customer_columns) if is_attribute(spec) else ("events", events_columns)
        )
        missing = [column for column in spec.needs if column not in columns]
        if missing:
            unusable.append((spec, f"{table} has no column {' and no '.join(missing)}"))
        else:
            usable.append(spec)
    return usable, unusable


def is_attribute(spec: FeatureSpec) -> bool:
    """Whether a feature is a column of the customers rather than computed from events."""
    return spec.name not in FAMILIES and definition_of(spec.name) is None


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
        )
    return FeatureSpec(
        attribute,
        shown.capitalize(),
        (attribute,),
        heavy_tail=None,
        impute=Impute.MEDIAN,
        high_word=f"high {shown}",
        low_word=f"low {shown}",
    )


def _spec(name: str, attributes: Collection[str]) -> FeatureSpec:
    if name in FAMILIES:
        return FAMILIES[name].spec
    definition = definition_of(name)
    if definition is not None:
        return definition.spec
    attribute, _, slug = name.partition(":")
    if attribute in attributes:
        return attribute_spec(attribute, slug)
    raise SettingsError(_unknown("feature", name, [*catalog(), *attributes]))


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    options = list(known)
    nearest = difflib.get_close_matches(name, options, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(options))}"
    return f"segmentation: there is no {kind} {name!r}; {hint}"
