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


def _counted(things: str) -> _Words:
    return _Words(
        f"more than {{low}} {things}", f"at most {{high}} {things}", f"{{low}} to {{high}} {things}"
    )


def _measured(of: str) -> _Words:
    return _Words(f"over {{low}} {of}", f"at most {{high}} {of}", f"{{low}} to {{high}} {of}")


def _named(what: str) -> _Words:
    return _Words(f"{what} over {{low}}", f"{what} at most {{high}}", f"{what} {{low}} to {{high}}")


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
    "event_count": _counted("events"),
    "order_count": _counted("orders"),
    "session_count": _counted("visits"),
    "active_days": _counted("days here"),
    "active_day_share": _measured("of the days here"),
    "interpurchase_days": _counted("days between visits"),
    "value_sum": _named("spends"),
    "order_value_mean": _measured("an order"),
    "item_value_mean": _measured("an item"),
    "lifetime_value": _measured("spent in all"),
    "return_share": _measured("given back"),
    "quantity_sum": _counted("items"),
    "order_quantity_mean": _counted("items an order"),
    "category_breadth": _counted("categories"),
    "channel_breadth": _counted("channels"),
    "discount_share": _measured("of the price off"),
    "duration_sum_s": _counted("seconds"),
    "session_duration_mean_s": _counted("seconds a visit"),
    "page_views": _counted("page views"),
    "pages_per_session": _counted("pages a visit"),
    "content_velocity": _counted("pages a day"),
    "conversion_count": _counted("conversions"),
    "conversion_rate": _measured("of the visits convert"),
    "touchpoints_mean": _counted("steps to a conversion"),
    "weekend_share": _measured("at weekends"),
    "evening_share": _measured("in the evening"),
    "night_share": _measured("at night"),
    "value_trend": _named("spending trend"),
    "activity_trend": _named("activity trend"),
    "order_value_trend": _named("trend of order values"),
    "lifetime_progression": _named("spending against their own past"),
    "hour_sin": _named("closeness to the morning"),
    "hour_cos": _named("closeness to midnight"),
    "season_sin": _named("closeness to spring"),
    "season_cos": _named("closeness to New Year"),
    "category_share:": _measured("{thing}"),
    "channel_share:": _measured("by {thing}"),
    "device_share:": _measured("on {thing}"),
    "type_share:": _measured("{thing}"),
    "weekday_share:": _measured("on {thing}s"),
    "quarter_share:": _measured("from {thing}"),
    "context_mean:": _named("{thing}"),
    "context_lift:": _named("{thing} above the usual"),
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
        words = _named(named.replace("{", "").replace("}", ""))
    low, high = (number_words(spec, end) if end is not None else "" for end in (above, at_most))
    template = (
        words.between if above is not None and at_most is not None else words.over if low else words.at_most
    )
    told = template.format(low=low, high=high, thing=member.replace("_", " ").replace("-", " "))
    return f"{told}{suffix}"


def number_words(spec: FeatureSpec, value: float) -> str:
    """A raw value as people write it: shares in percent, else three digits or so."""
    if _SHARE in spec.name or spec.name.startswith("conversion_rate"):
        return f"{value * 100:.3g}%"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
