"""Where on the way from stranger to advocate a segment's customers are, as far as the data tells.

What can be told depends on the events. Types such as page views and carts tell the first steps, reviews
and referrals the last. Orders alone tell who buys, who keeps buying and who stays away, and no more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.measuring import Labels
from cohortd.core.modelling import FeatureSpec


class Stage(StrEnum):
    """A step of the customer's journey, in its order."""

    AWARENESS = "awareness"
    CONSIDERATION = "consideration"
    PURCHASE = "purchase"
    RETENTION = "retention"
    ADVOCACY = "advocacy"


#: Words of an event type and the step they show; the furthest step that any word shows counts.
STEPS: Final[dict[Stage, frozenset[str]]] = {
    stage: frozenset(words.split())
    for stage, words in {
        Stage.AWARENESS: "view views pageview visit visits session impression open opened click"
        " clicks landing",
        Stage.CONSIDERATION: "cart basket wishlist search searches favourite favorite product compare"
        " checkout quote trial signup subscribe",
        Stage.PURCHASE: "purchase purchased order ordered buy bought sale transaction payment",
        Stage.RETENTION: "renewal renew renewed repeat reorder replenish upgrade login",
        Stage.ADVOCACY: "review reviewed rating rated referral referred refer invite shared share",
    }.items()
}
#: A segment is where half of its customers have come; few ever recommend, so there a quarter is enough.
_REACHED: Final = 0.5
_ADVOCATES: Final = 0.25
#: Who buys so often is kept.
_REPEATED: Final = 2
#: Who stays away for so many of their own pauses has to be won over again.
_PAUSES: Final = 3
_TYPES: Final = "type_share:"
#: Features that count events of a step.
_COUNTS: Final = {"page_views": Stage.AWARENESS, "conversion_count": Stage.PURCHASE}
_LADDER: Final = tuple(Stage)


@dataclass(frozen=True, slots=True)
class Journey:
    """The stage of each segment's row, empty where nothing tells, and from what it was read."""

    stages: tuple[str, ...]
    read_from: str


def journey(sample: pd.DataFrame, labels: Labels, segments: int, specs: Sequence[FeatureSpec]) -> Journey:
    """Read each segment's stage off its customers' raw features.

    Args:
        sample: Raw features, one row a customer.
        labels: The segment's row of each.
        segments: How many rows there are.
        specs: The features that may be read.
    """
    names = [spec.name for spec in specs if spec.name in sample.columns]
    values = {name: np.nan_to_num(sample[name].to_numpy(dtype=float)) for name in names}
    steps = {name: step for name in names if (step := step_of(name)) is not None}
    if len(set(steps.values())) > 1:
        return _by_types(values, steps, labels, segments)
    orders, away = values.get("order_count"), values.get("recency_days")
    if orders is None or away is None:
        return Journey(("",) * segments, "nothing: neither event types nor orders are among the features")
    return _by_orders(orders, away, values.get("interpurchase_days"), labels, segments)


def step_of(feature: str) -> Stage | None:
    """The step that a feature shows by not being 0; None for features and types that show none."""
    plain = feature.partition("@")[0]
    if plain in _COUNTS:
        return _COUNTS[plain]
    if not plain.startswith(_TYPES):
        return None
    words = set(re.split(r"[^a-z]+", plain.removeprefix(_TYPES).lower()))
    return next((step for step in reversed(_LADDER) if words & STEPS[step]), None)


def _by_types(
    values: dict[str, NDArray[np.float64]], steps: dict[str, Stage], labels: Labels, segments: int
) -> Journey:
    reached = np.zeros(len(labels))
    for name, step in steps.items():
        reached = np.maximum(reached, np.where(values[name] > 0, _LADDER.index(step) + 1, 0))
    bought = np.maximum(_purchases(values, steps), values.get("conversion_count", np.zeros(len(labels))))
    is_kept = (reached == _LADDER.index(Stage.PURCHASE) + 1) & (bought >= _REPEATED)
    reached = np.where(is_kept, _LADDER.index(Stage.RETENTION) + 1, reached)
    stages = tuple(_furthest(reached[labels == row]) for row in range(segments))
    return Journey(stages, "event types")


def _purchases(values: dict[str, NDArray[np.float64]], steps: dict[str, Stage]) -> NDArray[np.float64]:
    """How often each bought: shares of purchases among the events, where these are counted."""
    events = values.get("event_count")
    shares = [values[n] for n, s in steps.items() if s is Stage.PURCHASE and n.startswith(_TYPES)]
    if events is None or not shares:
        return np.zeros(1)
    return np.asarray(np.rint(np.sum(shares, axis=0) * events), dtype=np.float64)


def _furthest(reached: NDArray[np.float64]) -> str:
    for number in range(len(_LADDER), 0, -1):
        needed = _ADVOCATES if _LADDER[number - 1] is Stage.ADVOCACY else _REACHED
        if len(reached) and float((reached >= number).mean()) >= needed:
            return _LADDER[number - 1].value
    return ""


def _by_orders(
    orders: NDArray[np.float64],
    away: NDArray[np.float64],
    pauses: NDArray[np.float64] | None,
    labels: Labels,
    segments: int,
) -> Journey:
    """Middle customers decide: bought once, keep buying, or stay away for three of their own pauses."""
    everybodys = float(np.median(pauses[pauses > 0])) if pauses is not None and (pauses > 0).any() else 0.0
    stages = []
    for row in range(segments):
        inside = labels == row
        if not inside.any():
            stages.append("")
            continue
        own = float(np.median(pauses[inside])) if pauses is not None else 0.0
        pause = max(own, everybodys) or float(np.median(away))
        if float(np.median(orders[inside])) < _REPEATED:
            stages.append(Stage.PURCHASE.value)
        elif float(np.median(away[inside])) > _PAUSES * max(pause, 1.0):
            stages.append(Stage.CONSIDERATION.value)
        else:
            stages.append(Stage.RETENTION.value)
    return Journey(tuple(stages), "orders and recency: only purchase, retention and who is to be won again")
