"""How many segments: elbow and silhouette together, vetoed by resampling, sticky between runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from clustering.measuring import SILHOUETTE_POINTS, Labels, Points, nearest, silhouettes, subset
from clustering.models import Fit, Lloyd
from clustering.policy import ClusteringPolicy

#: A k whose clusters do not come back from half the customers is not real.
LEAST_STABILITY = 0.7
#: Another k must gain this much silhouette; re-choosing freely flipped k in 25 of 39 weeks.
STICKY_GAIN = 0.02
_STARTS = 5
_HALVES = 4


@dataclass(frozen=True, slots=True)
class Remembered:
    """How many clusters the previous fit chose, and what the settings asked then (None: auto)."""

    k: int
    asked: int | None


@dataclass(frozen=True, slots=True)
class KScore:
    """How one k does on at most 10,000 customers."""

    k: int
    inertia: float
    silhouette: float
    #: Mean adjusted Rand index between fits of random halves.
    stability: float
    #: How far the inertia lies under the straight line between the ends of the curve, in 0..1.
    elbow: float

    def to_json(self) -> dict[str, object]:
        """Four decimals are more than anybody reads."""
        return {key: round(value, 4) for key, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Choice:
    """The k to fit, whether that ends a warm start, and why."""

    k: int
    #: No more clusters than these can be had from so many customers; ``k`` may lie above while kept.
    possible: int
    changed: bool
    reason: str
    scores: tuple[KScore, ...] = ()


def choose(points: Points, policy: ClusteringPolicy, *, most: int, remembered: Remembered | None) -> Choice:
    """Choose k within what the floor and the data allow.

    Args:
        points: Prepared customers.
        policy: Asks for a k, or for a range.
        most: More clusters than this cannot all reach the minimum size.
        remembered: The previous fit's choice, None at the first.
    """
    limit = max(1, min(most, distinct(points)))
    if policy.k is not None:
        return _by_hand(policy.k, limit, remembered)
    lowest, highest = min(policy.k_min, limit), min(policy.k_max, limit)
    if remembered is not None and highest < remembered.k <= policy.k_max:
        reason = f"kept; at most {limit} possible now, small segments merge"
        return Choice(remembered.k, limit, changed=False, reason=reason)
    if lowest == highest:
        changed = remembered is None or remembered.k != lowest
        return Choice(
            lowest, limit, changed=changed, reason=f"the only k in range; at most {limit} possible"
        )
    scores = score(points, range(lowest, highest + 1), seed=policy.seed)
    return _stick(scores, limit, remembered)


def score(points: Points, candidates: Sequence[int], *, seed: int) -> tuple[KScore, ...]:
    """Score every candidate on the same customers, so that they compare."""
    some = points[subset(points, SILHOUETTE_POINTS, seed=seed)]
    fits = {
        k: Lloyd().cold(some, k, seed=seed, starts=_STARTS) for k in _with_ends(candidates, distinct(some))
    }
    elbows = _elbows({k: fit.inertia for k, fit in fits.items()})
    chosen = [k for k in candidates if k in fits]
    widths = silhouettes(some, [fits[k].labels for k in chosen])
    return tuple(
        KScore(k, fits[k].inertia, width, _stability(some, k, seed=seed), elbows[k])
        for k, width in zip(chosen, widths, strict=True)
    )


def best(scores: Sequence[KScore]) -> KScore:
    """Best rank in elbow and silhouette together among the stable; the most stable if none is."""
    stable = [each for each in scores if each.stability >= LEAST_STABILITY]
    if not stable:
        return max(scores, key=lambda each: (each.stability, -each.k))
    by_elbow = sorted(scores, key=lambda each: -each.elbow)
    by_silhouette = sorted(scores, key=lambda each: -each.silhouette)
    return min(
        stable,
        key=lambda each: (by_elbow.index(each) + by_silhouette.index(each), -each.stability, each.k),
    )


def distinct(points: Points) -> int:
    """How many different points there are."""
    return int((~pd.DataFrame(points).duplicated()).sum())


def _by_hand(asked: int, limit: int, remembered: Remembered | None) -> Choice:
    k = min(asked, limit)
    changed = remembered is None or remembered.asked != asked
    reason = "set by hand" if k == asked else f"{asked} set by hand, {k} possible"
    return Choice(k, limit, changed=changed, reason=reason)


def _stick(scores: tuple[KScore, ...], limit: int, remembered: Remembered | None) -> Choice:
    found = best(scores)
    stable = found.stability >= LEAST_STABILITY
    why = "elbow and silhouette together" if stable else "the most stable; none survives resampling"
    known = {each.k: each for each in scores}
    if remembered is None or remembered.k not in known:
        return Choice(found.k, limit, changed=True, reason=why, scores=scores)
    gain = found.silhouette - known[remembered.k].silhouette
    if found.k != remembered.k and stable and gain > STICKY_GAIN:
        reason = f"{why}; {found.k} gains {gain:.3f} silhouette over {remembered.k}"
        return Choice(found.k, limit, changed=True, reason=reason, scores=scores)
    return Choice(
        remembered.k, limit, changed=False, reason="kept; no other is clearly better", scores=scores
    )


def _with_ends(candidates: Sequence[int], limit: int) -> list[int]:
    """Add a neighbour at either end: at the ends of its own line an elbow is always nought."""
    wanted = {max(1, candidates[0] - 1), *candidates, candidates[-1] + 1}
    return sorted(k for k in wanted if k <= limit)


def _elbows(inertias: dict[int, float]) -> dict[int, float]:
    first, last = min(inertias), max(inertias)
    fall = inertias[first] - inertias[last]
    if fall <= 0:
        return dict.fromkeys(inertias, 0.0)
    return {
        k: 1 - (k - first) / (last - first) - (value - inertias[last]) / fall
        for k, value in inertias.items()
    }


def _stability(points: Points, k: int, *, seed: int) -> float:
    labelings = [_labels_from_half(points, k, seed=seed + number) for number in range(1, _HALVES + 1)]
    return float(np.mean([adjusted_rand_score(one, other) for one, other in combinations(labelings, 2)]))


def _labels_from_half(points: Points, k: int, *, seed: int) -> Labels:
    half = points[subset(points, max(k, len(points) // 2), seed=seed)]
    found: Fit = Lloyd().cold(half, min(k, distinct(half)), seed=seed, starts=_STARTS)
    return nearest(points, found.centroids)
