"""The floor: how small a segment may be, and what happens below it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from clustering.measuring import Points
from clustering.models import Fit, fit_of
from clustering.places import Places
from clustering.policy import ClusteringPolicy

#: Lets centroids come to rest; None where the algorithm cannot start from any.
Polish = Callable[[Points, Places], Fit | None]


@dataclass(frozen=True, slots=True)
class Floor:
    """The fewest customers of a segment, over all of them and as the sample shows it."""

    customers: int
    minimum: int
    #: Sampled customers that stand for ``minimum``.
    sampled: float

    @property
    def share(self) -> float:
        """``minimum`` as a share of all customers."""
        return self.minimum / self.customers

    @property
    def most_segments(self) -> int:
        """More than these could not all reach the minimum."""
        return max(1, self.customers // self.minimum)

    def estimate(self, sampled: int) -> int:
        """How many customers *sampled* ones stand for."""
        return round(sampled * self.minimum / self.sampled)

    def times(self, factor: float) -> "Floor":
        """A floor so many times as high."""
        return replace(self, minimum=math.ceil(self.minimum * factor), sampled=self.sampled * factor)

    def is_below(self, sampled: int) -> bool:
        """Whether a segment with so many sampled customers is too small."""
        return sampled < self.sampled


def floor_of(policy: ClusteringPolicy, *, sampled: int, total: int) -> Floor:
    """The larger of minimum size and minimum share, scaled down to the sample."""
    customers = max(total, sampled)
    minimum = max(policy.minimum_size, math.ceil(policy.minimum_share * customers))
    return Floor(customers, minimum, minimum * sampled / customers)


def merge_small(points: Points, fit: Fit, floor: Floor, *, polish: Polish) -> Fit:
    """Merge segments below the floor into their nearest, smallest first.

    Goes on until none is below or one is left. Nearest by Ward's cost, so a small segment joins
    where it distorts least; the merged centroid is the weighted mean, from where *polish* lets all
    come to rest: otherwise the next warm start would, and find other segments short. Segments of
    another kind, which have floors of their own, neither merge nor are merged into.
    """
    while _is_one_too_small(fit, floor):
        while _is_one_too_small(fit, floor):
            fit = _merge_smallest(points, fit)
        rested = polish(points, fit.places)
        if rested is not None:
            came_from = fit.origins[rested.origins]
            fit = replace(rested, origins=came_from, noise=fit.noise, reach=fit.reach)
    return fit


def _is_one_too_small(fit: Fit, floor: Floor) -> bool:
    sizes = fit.sizes[fit.places.plain]
    return len(sizes) > 1 and floor.is_below(int(sizes.min()))


def _merge_smallest(points: Points, fit: Fit) -> Fit:
    centroids, sizes = fit.centroids, fit.sizes.astype(np.float64)
    small = int(np.where(fit.places.plain, sizes, np.inf).argmin())
    costs = (
        sizes[small] * sizes / (sizes[small] + sizes) * ((centroids - centroids[small]) ** 2).sum(axis=1)
    )
    costs[small] = np.inf
    costs[~fit.places.plain] = np.inf
    into = int(costs.argmin())
    middle = np.average(centroids[[small, into]], axis=0, weights=sizes[[small, into]])
    joined = fit.places.joined(small, into, middle)
    merged = fit_of(points, joined, origins=np.delete(fit.origins, small), noise=fit.noise)
    return replace(merged, reach=fit.reach)
