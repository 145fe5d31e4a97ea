"""Warm against cold: the known centroids move along, unless a fresh fit is clearly better, twice.

Even then as few segments as will do are put elsewhere, the others stay where they are.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from clustering.algorithms import algorithm_named
from clustering.approaching import approach
from clustering.choosing import Choice
from clustering.measuring import Labels, Points, subset
from clustering.merging import Floor, merge_small
from clustering.models import Fit, fit_of
from clustering.places import Places
from clustering.policy import ClusteringPolicy
from clustering.separation import SEPARATION_POINTS, separation

#: What a challenger's segments must be above the floor: just above it they would merge again next time.
_ROOM_TO_SPARE: Final = 1.5
#: Refits in a row a challenger must win: one win may be luck, and replacing moves people.
_WINS_NEEDED: Final = 2
#: Of what a challenger gains this much will do where fewer people move for it.
_MOST_OF_IT: Final = 0.75
#: How much farther apart, of 1, a challenger's groups of any shape must lie.
_WIDER_GAPS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fit to go on with."""

    fit: Fit
    #: renewed: some of the known segments were put elsewhere, the others moved on.
    way: Literal["cold", "warm", "renewed", "challenger"]
    #: Its inertia over the cold fit's; above 1.0 is what continuity costs.
    ratio: float
    #: Refits in a row the challenger has won so far; 0 once it has replaced the warm fit.
    wins: int
    #: Rows of the points of each cold cluster below the floor, before it merged.
    small: tuple[Labels, ...] = ()
    #: What to go on with instead where this would move too many.
    calm: "Outcome | None" = None

    @property
    def moved_on(self) -> bool:
        """Whether the centroids come from the previous model's, but for those put elsewhere."""
        return self.way in {"warm", "renewed"}

    @property
    def origins(self) -> Labels | None:
        """Rows of the previous model the centroids moved on from; None after a cold fit."""
        return self.fit.origins if self.moved_on else None


def contend(
    points: Points,
    choice: Choice,
    *,
    policy: ClusteringPolicy,
    floor: Floor,
    start: Places | None,
    wins: int,
    cold: Fit | None = None,
) -> Outcome:
    """Fit cold and, where there is something to start from, warm; both settled above the floor.

    *cold* is a cold fit that was made already.
    """
    cold = _cold(points, choice, policy) if cold is None else cold
    below = [row for row, size in enumerate(cold.sizes) if floor.is_below(int(size))]
    small = tuple(np.flatnonzero(cold.labels == row) for row in below)
    warm = None if start is None else _warm(points, start, policy)
    if warm is None or choice.changed:
        cold = _settled(points, cold, policy=policy, floor=floor)
        goal = cold.inertia * (1 + policy.challenger_gain)
        near = _approached(points, warm, cold, policy=policy, floor=floor, goal=goal)
        return _replacing(near, Outcome(cold, "cold", 1.0, 0, small))
    cold = _settled(points, cold, policy=policy, floor=floor.times(_ROOM_TO_SPARE))
    warm = replace(warm, noise=cold.noise, reach=cold.reach)
    warm = _settled(points, warm, policy=policy, floor=floor)
    wins = wins + 1 if _is_clearly_better(points, cold, warm, policy) else 0
    calm = Outcome(warm, "warm", _over(warm, cold), wins, small)
    if wins < _WINS_NEEDED:
        return calm
    goal = warm.inertia - _MOST_OF_IT * (warm.inertia - cold.inertia)
    roomy = floor.times(_ROOM_TO_SPARE)
    near = _approached(points, warm, cold, policy=policy, floor=roomy, goal=goal)
    return _replacing(near, Outcome(cold, "challenger", 1.0, 0, small, calm))


def _replacing(near: Fit | None, fresh: Outcome) -> Outcome:
    """The fresh fit, unless one that moves fewer is about as good."""
    if near is None:
        return fresh
    return replace(fresh, fit=near, way="renewed", ratio=_over(near, fresh.fit))


def _approached(
    points: Points, warm: Fit | None, cold: Fit, *, policy: ClusteringPolicy, floor: Floor, goal: float
) -> Fit | None:
    """Known segments, as few as possible put elsewhere; None where they are more than centroids."""
    if warm is None or warm.places.parts or cold.places.parts:
        return None

    def rest(places: Places) -> Fit | None:
        rested = _warm(points, places, policy)
        return None if rested is None else _settled(points, rested, policy=policy, floor=floor)

    return approach(points, warm, cold, k=len(cold.places), good_enough=goal, rest=rest)


def _over(fit: Fit, cold: Fit) -> float:
    return fit.inertia / cold.inertia if cold.inertia > 0 else 1.0


def _is_clearly_better(points: Points, cold: Fit, warm: Fit, policy: ClusteringPolicy) -> bool:
    """By inertia; shapes, of which it says nothing, by the gaps between them."""
    if not algorithm_named(policy.algorithm).counts:
        return cold.inertia < warm.inertia * (1 - policy.challenger_gain)
    some = subset(points, SEPARATION_POINTS, seed=policy.seed)
    apart = [separation(points[some], fit.labels[some]) for fit in (cold, warm)]
    return apart[0] > apart[1] + _WIDER_GAPS


def _cold(points: Points, choice: Choice, policy: ClusteringPolicy) -> Fit:
    k = min(choice.k, choice.possible)
    if k == 1:
        return fit_of(points, Places(points.mean(axis=0, keepdims=True)))
    return algorithm_named(policy.algorithm).cold(points, k, seed=policy.seed)


def _warm(points: Points, start: Places, policy: ClusteringPolicy) -> Fit | None:
    if len(start) > len(points):
        return None
    if len(start) == 1:
        return fit_of(points, Places(points.mean(axis=0, keepdims=True)))
    return algorithm_named(policy.algorithm).warm(points, start, seed=policy.seed)


def _settled(points: Points, fit: Fit, *, policy: ClusteringPolicy, floor: Floor) -> Fit:
    if policy.below_minimum != "merge":
        return fit
    return merge_small(points, fit, floor, polish=lambda some, start: _warm(some, start, policy))
