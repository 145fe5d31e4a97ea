"""From a fit towards a better one by as few segments put elsewhere as will do, so that few people move."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from clustering.measuring import Labels, Points, squared_distances
from clustering.models import Fit
from clustering.places import Places

#: A centroid that was put there anew has this for an origin.
NEW: Final = -1

#: Of the changes that promise most so many are tried; of those that will do, the one that moves the fewest.
_TRIED: Final = 8

#: Lets centroids come to rest above the floor; None where there is nothing to start from.
Rest = Callable[[Places], Fit | None]


def approach(
    points: Points, near: Fit, better: Fit, *, k: int, good_enough: float, rest: Rest
) -> Fit | None:
    """Change *near* by one segment after the other until its inertia is *good_enough*.

    Too many segments: the one that is missed least goes. Too few: one comes where *better* has one.
    Else one goes and another comes. All that stays moves on from where it was, so its people stay too.

    Args:
        points: Prepared customers.
        near: Plain centroids to begin with; their origins are carried on.
        better: Where segments might lie.
        k: How many are wanted.
        good_enough: The inertia that ends it.
        rest: Applied to every change.

    Returns:
        With `NEW` for the origin of what was put elsewhere; None where it takes as many changes as
        there are segments, which is no approach any more.
    """
    fit = near
    for _ in range(max(k, abs(k - len(near.places)) + 1)):
        if fit.inertia <= good_enough and len(fit.places) == k:
            return fit
        tried = [_after(each, fit, rest) for each in _changes(points, fit.centroids, better.centroids, k=k)]
        fits = [each for each in tried if each is not None]
        if not fits:
            return None
        enough = [each for each in fits if each.inertia <= good_enough and len(each.places) == k]
        if enough:
            return min(enough, key=lambda each: _moved(near, each))
        fit = min(fits, key=lambda each: each.inertia)
    return None


def _moved(near: Fit, fit: Fit) -> float:
    """The share of the points that are nearest to another segment than before."""
    return float((near.origins[near.labels] != fit.origins[fit.labels]).mean())


def _after(change: "_Change", fit: Fit, rest: Rest) -> Fit | None:
    rested = rest(Places(change.centroids))
    if rested is None:
        return None
    before = np.append(fit.origins[change.kept], [NEW] * (len(change.centroids) - len(change.kept)))
    return replace(rested, origins=before.astype(np.intp)[rested.origins])


@dataclass(frozen=True, slots=True)
class _Change:
    """Centroids of which one is elsewhere, and the rows of those that stay."""

    centroids: Points
    kept: Labels


def _changes(points: Points, own: Points, others: Points, *, k: int) -> list[_Change]:
    """The few changes of one centroid that leave the least inertia, before any has come to rest."""
    distances = squared_distances(points, own)
    rows = np.arange(len(own))
    going = rows if len(own) >= k and len(own) > 1 else np.array([NEW])
    left = np.stack([distances[:, rows != gone].min(axis=1) for gone in going], axis=1)
    if len(own) > k:
        order = np.argsort(left.mean(axis=0), kind="stable")[:_TRIED]
        return [_Change(own[rows != going[gone]], rows[rows != going[gone]]) for gone in order]
    coming = squared_distances(points, others)
    costs = np.stack([np.minimum(left[:, [number]], coming).mean(axis=0) for number in range(len(going))])
    order = np.argsort(costs, axis=None, kind="stable")[:_TRIED]
    pairs = zip(*np.unravel_index(order, costs.shape), strict=True)
    return [
        _Change(np.vstack([own[rows != going[gone]], others[[comes]]]), rows[rows != going[gone]])
        for gone, comes in pairs
    ]
