"""One sentence of what to say to a segment and what not, by rules from what sets it apart."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from clustering.wording import sensitive_words


@dataclass(frozen=True, slots=True)
class Advice:
    """What to say, and what not; either may be empty. ``{}`` is the member of a family."""

    say: str = ""
    not_say: str = ""


_THINGS: Final = "{}"
_COMES_OFTEN = Advice("Show what is new since last time", "no introduction to the shop")
_COMES_RARELY = Advice("Give one clear reason to come back soon", "no daily reminders")
_LARGE_SUMS = Advice("Show the best of the range and let them see it first", "no cheapest-price message")
_SMALL_SUMS = Advice("Start with small, useful things at a clear price", "no large bundles")
_MORE = Advice("Show what goes with what they lately buy", "no win-back offers")
_LESS = Advice("Remind them of what they used to buy", "no message as if nothing had changed")

#: Feature (``prefix:`` for a family) -> advice where a segment is high in it, and where it is low.
ADVICE: Final[dict[str, tuple[Advice, Advice]]] = {
    "order_count": (_COMES_OFTEN, _COMES_RARELY),
    "active_days": (_COMES_OFTEN, _COMES_RARELY),
    "session_count": (_COMES_OFTEN, _COMES_RARELY),
    "event_count": (_COMES_OFTEN, _COMES_RARELY),
    "interpurchase_days": (_COMES_RARELY, _COMES_OFTEN),
    "recency_days": (
        Advice("Tell them that they are missed and what has changed since", "no thanks for a recent visit"),
        Advice("Follow up on the last visit while it is fresh", "no win-back offers"),
    ),
    "active_day_share": (_COMES_OFTEN, _COMES_RARELY),
    "page_views": (_COMES_OFTEN, _COMES_RARELY),
    "tenure_days": (
        Advice("Thank them for having stayed", "no welcome offers"),
        Advice("Welcome them and make the next purchase easy", "no talk of loyalty yet"),
    ),
    "value_sum": (_LARGE_SUMS, _SMALL_SUMS),
    "quantity_sum": (_LARGE_SUMS, _SMALL_SUMS),
    "lifetime_value": (_LARGE_SUMS, _SMALL_SUMS),
    "item_value_mean": (_LARGE_SUMS, _SMALL_SUMS),
    "conversion_rate": (
        Advice("Make the next purchase one step", "no long introduction"),
        Advice("Answer what keeps people from deciding", "no thanks for a purchase"),
    ),
    "touchpoints_mean": (
        Advice("Give them what they compare by: facts and reviews", "no offer that ends today"),
        Advice("Make the next purchase one step", "no long introduction"),
    ),
    "duration_sum_s": (
        Advice("Give them something to read or to try", "no bare price lists"),
        Advice("Come to the point in one line", "no long stories"),
    ),
    "order_value_mean": (
        Advice("Offer what makes a large purchase easier, such as delivery", "no single small items"),
        Advice("Suggest one thing that fits the basket", "no bulk offers"),
    ),
    "order_quantity_mean": (
        Advice("Offer packs and delivery for a full basket", "no single small items"),
        Advice("Suggest one thing that fits the basket", "no bulk offers"),
    ),
    "value_trend": (_MORE, _LESS),
    "activity_trend": (_MORE, _LESS),
    "order_value_trend": (_MORE, _LESS),
    "lifetime_progression": (_MORE, _LESS),
    "category_breadth": (
        Advice("Show how much there is to discover", "no ad about one category alone"),
        Advice("Stay with what they know and add one neighbour to it", "no tour of the whole range"),
    ),
    "discount_share": (
        Advice("Lead with the offer and until when it holds", "no full-price showcase"),
        Advice("Lead with quality and what is in stock", "no discounts: they buy without"),
    ),
    "weekend_share": (
        Advice("Advertise towards the weekend", "no offers that end on Friday"),
        Advice("Advertise from Monday to Thursday", "no weekend-only offers"),
    ),
    "evening_share": (Advice("Advertise in the evening"), Advice("Advertise during the day")),
    "night_share": (Advice("Let ads run late"), Advice()),
    "category_share:": (
        Advice(f"Put {_THINGS} first and show what goes with it"),
        Advice("", f"no {_THINGS} in the first line"),
    ),
    "channel_share:": (
        Advice(f"Lead to where they shop: {_THINGS}"),
        Advice("", f"no detour by {_THINGS}"),
    ),
    "device_share:": (Advice(f"Make it for {_THINGS}"), Advice()),
}
#: What must not follow on words like these.
_CLASHES: Final = {
    "no win-back offers": ("missed", "come back"),
    "no message as if nothing had changed": ("is new",),
}
_ORDINARY: Final = "Speak to them as to everybody; leave special claims out."


def hint(traits: Iterable[tuple[str, bool]]) -> str:
    """Compose one sentence, none of its words sensitive.

    What to say comes from the first trait that has something; what not, from the next one that neither
    repeats nor contradicts it.

    Args:
        traits: Feature names, the most telling first, each with whether the segment is high in it.
    """
    found = [advice for name, high in traits if (advice := _advice(name, high=high)) is not None]
    say = next((advice for advice in found if advice.say), None)
    if say is None:
        return _ORDINARY
    clashing = {words for words, told in _CLASHES.items() if any(part in say.say for part in told)}
    others = [a.not_say for a in found if a is not say and a.not_say and a.not_say not in clashing]
    left_out = next(iter(others), say.not_say)
    return f"{say.say}; {left_out}." if left_out else f"{say.say}."


def _advice(name: str, *, high: bool) -> Advice | None:
    plain, _, window = name.partition("@")
    family, _, member = plain.partition(":")
    pair = None if "/" in window else ADVICE.get(f"{family}:" if member else plain)
    if pair is None:
        return None
    found = pair[0 if high else 1]
    thing = member.replace("_", " ").replace("-", " ")
    made = Advice(found.say.replace(_THINGS, thing), found.not_say.replace(_THINGS, thing))
    return None if sensitive_words(f"{made.say} {made.not_say}") else made
