"""How a marketer says that a segment is high or low in a feature."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cohortd.core.modelling import FeatureSpec

#: From this many deviations on, the words in brackets are said too.
_STRONG = 1.0


class Kind(StrEnum):
    """Where a phrase may stand in a sentence."""

    VERB = "verb"
    #: After a verb: how, when, where.
    MANNER = "manner"
    #: By itself.
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words for both ends of a feature; what stands in brackets is for the far ends."""

    #: Features of one theme say the same thing: only the strongest is told.
    theme: str
    high: str
    low: str
    kind: Kind = Kind.VERB


_RHYTHM, _SPEND, _BASKET, _TREND = "rhythm", "spend", "basket", "trend"
#: Of any feature over one window as a share of that over a longer one.
_PICKED_UP, _FADED = "has [clearly ]picked up", "has [clearly ]slowed down"
#: Families whose features are called by names of days and months.
_CALENDAR: Final = frozenset({"weekday_share", "quarter_share"})

#: By feature name; ``prefix:`` serves all features such as ``category_share:fruit``, {} being the rest.
PHRASES: Final[dict[str, Phrase]] = {
    "order_count": Phrase(_RHYTHM, "buys [very ]often", "buys [very ]rarely"),
    "active_days": Phrase(_RHYTHM, "comes by on [very ]many days", "comes by on [very ]few days"),
    "session_count": Phrase(_RHYTHM, "visits [very ]often", "visits [very ]rarely"),
    "event_count": Phrase(_RHYTHM, "is [very ]active", "is [very ]quiet"),
    "interpurchase_days": Phrase(
        _RHYTHM, "leaves [very ]long pauses between visits", "comes back [very ]soon"
    ),
    "recency_days": Phrase("recency", "has not been seen for [quite ]a while", "was here [only ]recently"),
    "tenure_days": Phrase("tenure", "has been a customer for [very ]long", "is [quite ]new"),
    "value_sum": Phrase(_SPEND, "spends [well ]above average", "spends [well ]below average"),
    "quantity_sum": Phrase(_SPEND, "takes [very ]many items home", "takes [very ]few items home"),
    "duration_sum_s": Phrase(_SPEND, "stays [very ]long", "stays only [very ]briefly"),
    "order_value_mean": Phrase(_BASKET, "fills [very ]large baskets", "keeps baskets [very ]small"),
    "order_quantity_mean": Phrase(
        _BASKET, "fills [very ]full baskets", "buys [only ]a few things at a time"
    ),
    "value_trend": Phrase(_TREND, "spends [much ]more than before", "spends [much ]less than before"),
    "activity_trend": Phrase(
        _TREND, "is [much ]more active than before", "is [much ]less active than before"
    ),
    "category_breadth": Phrase(
        "breadth", "shops across [very ]many categories", "keeps to [very ]few categories"
    ),
    "discount_share": Phrase("discount", "likes a discount", "seldom waits for a discount"),
    "weekend_share": Phrase("week", "[far ]more at weekends than most", "mostly on weekdays", Kind.MANNER),
    "evening_share": Phrase(
        "hour", "[far ]more in the evening than most", "seldom in the evening", Kind.MANNER
    ),
    "night_share": Phrase("hour", "[far ]more at night than most", "seldom at night", Kind.MANNER),
    "active_day_share": Phrase(_RHYTHM, "comes by [nearly ]every day", "comes by [only ]now and then"),
    "order_value_trend": Phrase(
        "basket trend",
        "fills [much ]larger baskets than before",
        "fills [much ]smaller baskets than before",
    ),
    "item_value_mean": Phrase("price", "chooses [very ]dear items", "chooses [very ]cheap items"),
    "return_share": Phrase("returns", "gives [very ]much back", "gives [very ]little back"),
    "channel_breadth": Phrase("channel", "uses [very ]many channels", "keeps to one channel"),
    "lifetime_value": Phrase(
        _SPEND, "has spent [very ]much over the years", "has spent [very ]little over the years"
    ),
    "lifetime_progression": Phrase(
        _TREND, "spends [much ]more than its own average", "spends [much ]less than its own average"
    ),
    "hour_sin": Phrase(
        "hour", "nearer to the morning than most", "nearer to the evening than most", Kind.MANNER
    ),
    "hour_cos": Phrase("hour", "nearer to midnight than most", "nearer to midday than most", Kind.MANNER),
    "season_sin": Phrase("season", "nearer to spring than most", "nearer to autumn than most", Kind.MANNER),
    "season_cos": Phrase(
        "season", "nearer to New Year than most", "nearer to the middle of the year than most", Kind.MANNER
    ),
    "session_duration_mean_s": Phrase(
        "stay", "stays [very ]long at a time", "stays [very ]briefly at a time"
    ),
    "page_views": Phrase(_RHYTHM, "looks at [very ]many pages", "looks at [very ]few pages"),
    "pages_per_session": Phrase(
        "pages", "looks at [very ]many pages a visit", "leaves after [very ]few pages"
    ),
    "content_velocity": Phrase("pages", "takes in [very ]much a day", "takes in [very ]little a day"),
    "conversion_count": Phrase("conversion", "converts [very ]often", "converts [very ]rarely"),
    "conversion_rate": Phrase("conversion", "visits to buy", "visits [mostly ]without buying"),
    "touchpoints_mean": Phrase(
        "decision", "takes [very ]many steps to a decision", "takes [very ]few steps to a decision"
    ),
    "weekday_share:": Phrase("week", "[far ]more on {}s than most", "seldom on {}s", Kind.MANNER),
    "quarter_share:": Phrase("season", "[far ]more from {} than most", "seldom from {}", Kind.MANNER),
    "context_mean:": Phrase("{}", "on days with [very ]high {}", "on days with [very ]low {}", Kind.MANNER),
    "context_lift:": Phrase("{}", "[much ]rather with more {}", "[much ]rather with less {}", Kind.MANNER),
    "category_share:": Phrase("{}", "buys [far ]more {} than most", "buys [very ]little {}"),
    "channel_share:": Phrase("channel", "prefers {}", "seldom uses {}"),
    "device_share:": Phrase("device", "prefers {}", "seldom uses {}"),
    "type_share:": Phrase("{}", "[far ]more {} than most", "[far ]less {} than most", Kind.PLAIN),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing to say, and where it may stand."""

    theme: str
    words: str
    kind: Kind


def clause_for(spec: FeatureSpec, z: float) -> Clause:
    """Say that a segment lies *z* deviations off in a feature; its title serves where no phrase does."""
    name, _, window = spec.name.partition("@")
    prefix, _, rest = name.partition(":")
    phrase = PHRASES.get(f"{prefix}:" if rest else name)
    if phrase is not None and "/" in window:
        return Clause(_TREND, _by_strength(_PICKED_UP if z > 0 else _FADED, z) + since(window), Kind.VERB)
    if phrase is None:
        return Clause(spec.name, _plainly(spec, z), Kind.PLAIN)
    thing = _called(prefix, re.sub(r"[-_]+", " ", rest))
    words = _by_strength(phrase.high if z > 0 else phrase.low, z).replace("{}", thing)
    return Clause(phrase.theme.replace("{}", name), words + since(window), phrase.kind)


def since(window: str) -> str:
    """Say a feature's own window: ``30d``, ``4w``, ``30d/365d``, ``all`` or none."""
    window = window.partition("/")[0]
    if not window or window == "all":
        return ""
    count, unit = window[:-1], "days" if window.endswith("d") else "weeks"
    return f" in the last {count} {unit}"


def _called(prefix: str, thing: str) -> str:
    """Write days and months as names, other things as they are."""
    if prefix not in _CALENDAR:
        return thing
    return " ".join(word if word == "to" else word.capitalize() for word in thing.split())


def _by_strength(words: str, z: float) -> str:
    return re.sub(r"\[(.*?)\]", r"\1" if abs(z) >= _STRONG else "", words)


def _plainly(spec: FeatureSpec, z: float) -> str:
    """Say it with the feature's title, which is a noun or begins with "Whether"."""
    title = spec.title.strip().rstrip(".") or re.sub(r"[-_:]+", " ", spec.name)
    if title.startswith("Whether "):
        return f"{title.removeprefix('Whether ')} {'more' if z > 0 else 'less'} often than for most"
    noun = title if title[:2].isupper() else title[:1].lower() + title[1:]
    return _by_strength(f"[far ]{'above' if z > 0 else 'below'} average in {noun}", z)
