"""Clustering algorithms behind one small protocol; each comes down to centroids."""

import difflib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from sklearn.cluster import AgglomerativeClustering, BisectingKMeans, KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from clustering.measuring import Labels, Points, inertia, nearest, subset
from cohortd.core.errors import SettingsError

#: Cold starts tried; the best is kept.
COLD_STARTS = 10
#: Ward's time grows with the square: 3 s at 10,000, 18 s at 20,000.
_WARD_POINTS = 10_000
_LEAST_VARIANCE = 1e-6  # as scikit-learn's own floor for a mixture's variances


@dataclass(frozen=True, slots=True)
class Fit:
    """Centroids without an empty one, and the nearest to each point."""

    centroids: Points
    labels: Labels
    #: Mean squared distance of a customer to its centroid.
    inertia: float
    #: The row each centroid had in what it was started from.
    origins: Labels

    @property
    def sizes(self) -> Labels:
        """Points a centroid."""
        return np.bincount(self.labels, minlength=len(self.centroids))


class Algorithm(Protocol):
    """One way to find groups. The same points and seed give the same fit."""

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """Fit at most *k* groups from nothing."""
        ...

    def warm(self, points: Points, start: Points, *, seed: int) -> Fit | None:
        """Fit from known centroids; None where the algorithm cannot start from any."""
        ...


class Lloyd:
    """K-Means."""

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """Keep the best of several k-means++ starts."""
        with _quiet():
            found = KMeans(k, n_init=starts, random_state=seed).fit(points)
        return fit_of(points, found.cluster_centers_)

    def warm(self, points: Points, start: Points, *, seed: int) -> Fit | None:
        """Move the known centroids to where their customers went."""
        with _quiet():
            found = KMeans(len(start), init=start, n_init=1, random_state=seed).fit(points)
        return fit_of(points, found.cluster_centers_)


class Bisecting(Lloyd):
    """Bisecting K-Means: halves the worst cluster until there are enough; warm it is K-Means."""

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """Try every bisection *starts* times."""
        with _quiet():
            found = BisectingKMeans(k, n_init=starts, random_state=seed).fit(points)
        return fit_of(points, found.cluster_centers_)


class DiagonalMixture:
    """Gaussian mixture with diagonal covariance, come down to its means."""

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """Start from k-means, *starts* / 3 times: a mixture is dear."""
        model = GaussianMixture(k, covariance_type="diag", n_init=-(-starts // 3), random_state=seed)
        with _quiet():
            found = model.fit(points)
        return fit_of(points, found.means_)

    def warm(self, points: Points, start: Points, *, seed: int) -> Fit | None:
        """Take weights and variances from the nearest customers of each known centroid."""
        known = fit_of(points, start)
        variances = [points[known.labels == row].var(axis=0) for row in range(len(known.centroids))]
        model = GaussianMixture(
            len(known.centroids),
            covariance_type="diag",
            weights_init=known.sizes / len(points),
            means_init=known.centroids,
            precisions_init=1 / np.maximum(variances, _LEAST_VARIANCE),
            random_state=seed,
        )
        with _quiet():
            found = model.fit(points)
        return fit_of(points, found.means_, origins=known.origins)


class Ward:
    """Agglomerative clustering by Ward's cost, over a subset; has no warm start."""

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """There is but one answer: *starts* changes nothing."""
        del starts
        some = points[subset(points, _WARD_POINTS, seed=seed)]
        with _quiet():
            labels = AgglomerativeClustering(min(k, len(some)), linkage="ward").fit_predict(some)
        return fit_of(points, np.stack([some[labels == label].mean(axis=0) for label in np.unique(labels)]))

    def warm(self, points: Points, start: Points, *, seed: int) -> Fit | None:
        """Cannot: identities are carried over by overlap alone, and refits should be rare."""
        del points, start, seed
        return None


ALGORITHMS: Final[MappingProxyType[str, Algorithm]] = MappingProxyType(
    {
        "kmeans": Lloyd(),
        "bisecting_kmeans": Bisecting(),
        "gaussian_mixture": DiagonalMixture(),
        "ward": Ward(),
    }
)


def algorithm_named(name: str) -> Algorithm:
    """Find an algorithm by its name in the settings.

    Raises:
        SettingsError: There is none of that name.
    """
    if name in ALGORITHMS:
        return ALGORITHMS[name]
    close = difflib.get_close_matches(name, ALGORITHMS, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise SettingsError(
        f"segmentation.algorithm {name!r} is not known{hint} Known are: {', '.join(ALGORITHMS)}"
    )


def fit_of(points: Points, centroids: Points, *, origins: Labels | None = None) -> Fit:
    """Label every point by its nearest centroid and forget centroids nobody is nearest to."""
    centroids = np.asarray(centroids, dtype=np.float64)
    used = np.unique(nearest(points, centroids))
    kept = centroids[used]
    rows = used if origins is None else origins[used]
    return Fit(kept, nearest(points, kept), inertia(points, kept), rows)


@contextmanager
def _quiet() -> Iterator[None]:
    """Fewer distinct points than clusters, or a mixture still moving, is no news here: Fit shows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
