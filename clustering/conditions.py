"""A range of one feature, said as people say it: "spends over 812", "seen within 20 days"."""

from dataclasses import dataclass
from typing import Final

from clustering.phrases import since
from cohortd.core.modelling import FeatureSpec

_SHARE: Final = "share"


@dataclass(frozen=True, slots=True)
class _Words:
    """How a range reads: open above, open below, both ends; ``{}`` or ``{low}`` and ``{high}``."""

    over: str
    at_most: str
    between: str


#: By feature name; ``prefix:`` serves all members of a family, ``{thing}`` being the member.
_WORDS: Final[dict[str, _Words]] = {
    "recency_days": _Words(
        "not seen for more than {low} days",
        "seen within {high} days",
        "last seen {low} to {high} days ago",
    ),
    "tenure_days": _Words(
        "a customer for more than {low} days",
        "a customer for at most {high} days",
        "a customer for {low} to {high} days",
    ),
    "event_count": _Words("more than {low} events", "at most {high} events", "{low} to {high} events"),
    "order_count": _Words("more than {low} orders", "at most {high} orders", "{low} to {high} orders"),
    "session_count": _Words("more than {low} visits", "at most {high} visits", "{low} to {high} visits"),
    "value_sum": _Words("spends over {low}", "spends at most {high}", "spends {low} to {high}"),
    "order_value_mean": _Words(
        "over {low} an order", "at most {high} an order", "{low} to {high} an order"
    ),
    "quantity_sum": _Words("more than {low} items", "at most {high} items", "{low} to {high} items"),
    "order_quantity_mean": _Words(
        "more than {low} items an order", "at most {high} items an order", "{low} to {high} items an order"
    ),
    "active_days": _Words(
        "here on more than {low} days", "here on at most {high} days", "here on {low} to {high} days"
    ),
    "interpurchase_days": _Words(
        "more than {low} days between visits",
        "at most {high} days between visits",
        "{low} to {high} days between visits",
    ),
    "category_breadth": _Words(
        "more than {low} categories", "at most {high} categories", "{low} to {high} categories"
    ),
    "discount_share": _Words(
        "over {low} of the price off", "at most {high} of the price off", "{low} to {high} of the price off"
    ),
    "weekend_share": _Words(
        "over {low} at weekends", "at most {high} at weekends", "{low} to {high} at weekends"
    ),
    "evening_share": _Words(
        "over {low} in the evening", "at most {high} in the evening", "{low} to {high} in the evening"
    ),
    "night_share": _Words("over {low} at night", "at most {high} at night", "{low} to {high} at night"),
    "value_trend": _Words(
        "spending trend over {low}", "spending trend at most {high}", "spending trend {low} to {high}"
    ),
    "activity_trend": _Words(
        "activity trend over {low}", "activity trend at most {high}", "activity trend {low} to {high}"
    ),
    "category_share:": _Words("over {low} {thing}", "at most {high} {thing}", "{low} to {high} {thing}"),
    "channel_share:": _Words(
        "over {low} by {thing}", "at most {high} by {thing}", "{low} to {high} by {thing}"
    ),
    "device_share:": _Words(
        "over {low} on {thing}", "at most {high} on {thing}", "{low} to {high} on {thing}"
    ),
    "type_share:": _Words("over {low} {thing}", "at most {high} {thing}", "{low} to {high} {thing}"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """``above < value <= at_most`` of one feature; an end that is None is open."""

    feature: str
    above: float | None
    at_most: float | None
    words: str


def condition(
    spec: FeatureSpec, *, above: float | None, at_most: float | None, whole: bool = False
) -> Condition:
    """Word a range of a feature; its title serves where there are no words for it.

    Args:
        spec: The feature.
        above: The value must be above this.
        at_most: And no more than this.
        whole: Whether values are whole numbers, so that above 7 and at most 12 are 8 to 12.
    """
    first = above + 1 if whole and above is not None and at_most is not None else above
    return Condition(spec.name, above, at_most, _worded(spec, first, at_most))


def _worded(spec: FeatureSpec, above: float | None, at_most: float | None) -> str:
    name, _, window = spec.name.partition("@")
    family, _, member = name.partition(":")
    words = None if "/" in window else _WORDS.get(f"{family}:" if member else name)
    suffix = since(window) if words is not None else ""  # a title says the window itself
    if words is None and spec.title.startswith("Whether "):
        told = spec.title.removeprefix("Whether ")
        return told if above is not None else told.replace(" is ", " is not ", 1)
    if words is None:
        title = spec.title.rstrip(".") or spec.name
        named = title if title[:2].isupper() else title[:1].lower() + title[1:]
        words = _Words(f"{named} over {{low}}", f"{named} at most {{high}}", f"{named} {{low}} to {{high}}")
    low, high = (number_words(spec, end) if end is not None else "" for end in (above, at_most))
    template = (
        words.between if above is not None and at_most is not None else words.over if low else words.at_most
    )
    told = template.format(low=low, high=high, thing=member.replace("_", " ").replace("-", " "))
    return f"{told}{suffix}"


def number_words(spec: FeatureSpec, value: float) -> str:
    """A raw value as people write it: shares in percent, else three digits or so."""
    if _SHARE in spec.name:
        return f"{value * 100:.3g}%"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
