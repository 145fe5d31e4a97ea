"""How many segments: elbow and silhouette together, vetoed by resampling, sticky between runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from clustering.measuring import Points
from clustering.policy import ClusteringPolicy
from clustering.scoring import KScore, distinct, score, score_mixtures

#: Another k must gain this much silhouette; re-choosing freely flipped k in 25 of 39 weeks.
STICKY_GAIN = 0.02
#: Another k of a mixture must save this much of the criterion for every customer.
STICKY_BIC = 0.05


@dataclass(frozen=True, slots=True)
class Remembered:
    """How many clusters the previous fit chose, and what the settings asked then (None: auto)."""

    k: int
    asked: int | None


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
    scored = score_mixtures if policy.algorithm == "gaussian_mixture" else score
    scores = scored(points, range(lowest, highest + 1), seed=policy.seed)
    return _stick(scores, limit, remembered)


def best(scores: Sequence[KScore]) -> KScore:
    """Best rank in elbow and silhouette together, or BIC, among the stable; the most stable if none is."""
    stable = [each for each in scores if each.stable]
    if not stable:
        return max(scores, key=lambda each: (each.stability or 0.0, -each.k))
    if all(each.bic is not None for each in scores):
        return min(stable, key=lambda each: (each.bic or 0.0, each.k))
    by_elbow = sorted(scores, key=lambda each: -each.elbow)
    by_silhouette = sorted(scores, key=lambda each: -each.silhouette)
    return min(
        stable,
        key=lambda each: (
            by_elbow.index(each) + by_silhouette.index(each),
            -(each.stability or 0.0),
            each.k,
        ),
    )


def _by_hand(asked: int, limit: int, remembered: Remembered | None) -> Choice:
    k = min(asked, limit)
    changed = remembered is None or remembered.asked != asked
    reason = "set by hand" if k == asked else f"{asked} set by hand, {k} possible"
    return Choice(k, limit, changed=changed, reason=reason)


def _stick(scores: tuple[KScore, ...], limit: int, remembered: Remembered | None) -> Choice:
    found = best(scores)
    by = "elbow and silhouette together" if found.bic is None else "the Bayesian information criterion"
    why = by if found.stable else "the most stable; none survives resampling"
    known = {each.k: each for each in scores}
    if remembered is None or remembered.k not in known:
        return Choice(found.k, limit, changed=True, reason=why, scores=scores)
    gain = _gain(found, known[remembered.k])
    if found.k != remembered.k and found.stable and gain:
        reason = f"{why}; {found.k} gains {gain} over {remembered.k}"
        return Choice(found.k, limit, changed=True, reason=reason, scores=scores)
    return Choice(
        remembered.k, limit, changed=False, reason="kept; no other is clearly better", scores=scores
    )


def _gain(found: KScore, kept: KScore) -> str:
    """What is clearly gained, in words; empty where nothing is."""
    if found.bic is not None and kept.bic is not None:
        saved = kept.bic - found.bic
        return f"{saved:.3f} BIC a customer" if saved > STICKY_BIC else ""
    wider = found.silhouette - kept.silhouette
    return f"{wider:.3f} silhouette" if wider > STICKY_GAIN else ""
