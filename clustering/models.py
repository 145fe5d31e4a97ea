"""The protocol of clustering algorithms, and those that come down to a centroid a segment."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from sklearn.cluster import AgglomerativeClustering, BisectingKMeans, KMeans
from sklearn.exceptions import ConvergenceWarning

from clustering.measuring import Labels, Points, inertia, subset
from clustering.places import Places

#: Cold starts tried; the best is kept.
COLD_STARTS = 10
#: Steps of a warm start: enough to follow customers, too few to wander off.
_WARM_STEPS = 3
#: Ward's time grows with the square: 3 s at 10,000, 18 s at 20,000.
_WARD_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Fit:
    """Segments without an empty one, and the nearest to each point."""

    places: Places
    labels: Labels
    #: Mean squared distance of a customer to its centroid.
    inertia: float
    #: The row each centroid had in what it was started from.
    origins: Labels
    #: Share of the points that were in no group; they went to the nearest one all the same.
    noise: float = 0.0
    #: How far from its nearest place a customer of a group may be; 0 where groups have no end.
    reach: float = 0.0

    @property
    def centroids(self) -> Points:
        """The middle of each segment."""
        return self.places.centroids

    @property
    def sizes(self) -> Labels:
        """Points a centroid."""
        return np.bincount(self.labels, minlength=len(self.centroids))


class Algorithm(Protocol):
    """One way to find groups. The same points and seed give the same fit."""

    #: Whether it finds out by itself how many groups there are; *k* then is the most there may be.
    counts: bool

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """Fit at most *k* groups from nothing."""
        ...

    def warm(self, points: Points, start: Places, *, seed: int) -> Fit | None:
        """Fit from known places; None where the algorithm cannot start from any."""
        ...


class Lloyd:
    """K-Means."""

    counts = False

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """Keep the best of several k-means++ starts."""
        with quiet():
            found = KMeans(k, n_init=starts, random_state=seed).fit(points)
        return fit_of(points, Places(found.cluster_centers_))

    def warm(self, points: Points, start: Places, *, seed: int) -> Fit | None:
        """Move the known centroids to where their customers went, a few steps and no further.

        To the very end they may slide into another optimum, with a sixth of the customers, for
        next to no gain.
        """
        with quiet():
            found = KMeans(
                len(start), init=start.centroids, n_init=1, max_iter=_WARM_STEPS, random_state=seed
            ).fit(points)
        return fit_of(points, Places(found.cluster_centers_))


class Bisecting:
    """Bisecting K-Means: halves the worst cluster; warm, its segments follow their customers."""

    counts = False

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """Try every bisection *starts* times."""
        with quiet():
            found = BisectingKMeans(k, n_init=starts, random_state=seed).fit(points)
        return fit_of(points, Places(found.cluster_centers_))

    def warm(self, points: Points, start: Places, *, seed: int) -> Fit | None:
        """Move every centroid to the middle of those nearest to it, and no further."""
        del seed
        return fit_of(points, start, centered=True)


class Ward:
    """Agglomerative clustering by Ward's cost, over a subset; its segments then follow their customers."""

    counts = False

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """There is but one answer: *starts* changes nothing."""
        del starts
        some = points[subset(points, _WARD_POINTS, seed=seed)]
        with quiet():
            labels = AgglomerativeClustering(min(k, len(some)), linkage="ward").fit_predict(some)
        middles = np.stack([some[labels == label].mean(axis=0) for label in np.unique(labels)])
        return fit_of(points, Places(middles))

    def warm(self, points: Points, start: Places, *, seed: int) -> Fit | None:
        """Move every centroid to the middle of those nearest to it: to grow anew moved 27% a week."""
        del seed
        return fit_of(points, start, centered=True)


def fit_of(
    points: Points,
    places: Places,
    *,
    origins: Labels | None = None,
    centered: bool = False,
    noise: float = 0.0,
) -> Fit:
    """Label every point by its nearest segment and forget segments nobody is nearest to.

    Args:
        points: Prepared customers.
        places: Where the segments are.
        origins: The row each of them came from; its own where left out.
        centered: Whether the centroids are to be moved to the middle of their points.
        noise: Share of the points that were in no group.
    """
    used = np.unique(places.nearest(points))
    kept = places.rows(used.tolist())
    labels = kept.nearest(points)
    if centered:
        middles = np.stack([points[labels == row].mean(axis=0) for row in range(len(kept))])
        kept = replace(kept, centroids=middles)
    rows = used if origins is None else origins[used]
    return Fit(kept, labels, inertia(points, kept.centroids, labels), rows, noise)


@contextmanager
def quiet() -> Iterator[None]:
    """Fewer distinct points than clusters, or a mixture still moving, is no news here: Fit shows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
