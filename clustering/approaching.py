"""From a fit towards a better one by as few segments put elsewhere as will do, so that few people move."""

from collections.abc import Callable
from typing import Final

import numpy as np

from clustering.measuring import Labels, Points, squared_distances
from clustering.models import Fit
from clustering.places import Places

#: A centroid that was put there anew has this for an origin.
NEW: Final = -1

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
        centroids, kept = _changed(points, fit.centroids, better.centroids, k=k)
        rested = rest(Places(centroids))
        if rested is None:
            return None
        before = np.append(fit.origins[kept], [NEW] * (len(centroids) - len(kept)))
        fit = _with_origins(rested, before.astype(np.intp))
    return None


def _with_origins(fit: Fit, before: Labels) -> Fit:
    return Fit(fit.places, fit.labels, fit.inertia, before[fit.origins], fit.noise, fit.reach)


def _changed(points: Points, own: Points, others: Points, *, k: int) -> tuple[Points, Labels]:
    """The centroids after the one change that leaves the least inertia, and which rows were kept."""
    distances = squared_distances(points, own)
    rows = np.arange(len(own))
    going = rows if len(own) >= k and len(own) > 1 else np.array([NEW])
    left = np.stack([distances[:, rows != gone].min(axis=1) for gone in going], axis=1)
    if len(own) > k:
        gone = int(going[left.mean(axis=0).argmin()])
        return own[rows != gone], rows[rows != gone]
    coming = squared_distances(points, others)
    costs = [np.minimum(left[:, [number]], coming).mean(axis=0) for number in range(len(going))]
    place, comes = np.unravel_index(int(np.argmin(costs)), (len(going), len(others)))
    stay = rows[rows != going[place]]
    return np.vstack([own[stay], others[comes]]), stay
