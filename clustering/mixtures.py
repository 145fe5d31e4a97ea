"""Gaussian mixture: soft segments, each a density of its own width, or width and direction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from sklearn.mixture import GaussianMixture

from clustering.measuring import Labels, Points, subset
from clustering.models import COLD_STARTS, Fit, fit_of, quiet
from clustering.places import Places, coordinates
from cohortd.core.modelling import Part

Covariance = Literal["diag", "full"]

#: Added to every variance, in squared deviations: a value many share must not become a segment.
_LEAST_VARIANCE: Final = 1e-2
#: The form of the covariances is chosen on so many: a full one is dear.
TRIAL_POINTS: Final = 5_000
#: Full covariances of 100,000 take half a minute a start.
_MOST_POINTS: Final = 25_000


@dataclass(frozen=True, slots=True)
class Trial:
    """A mixture that was tried on some of the points."""

    covariance: Covariance
    #: Bayesian information criterion per customer; less is better.
    bic: float
    places: Places
    labels: Labels


class Mixture:
    """Gaussian mixture; diagonal or full covariances, whichever the BIC likes better."""

    counts = False

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """Start from k-means *starts* / 3 times only: a mixture is dear."""
        few = points[subset(points, TRIAL_POINTS, seed=seed)]
        covariance = tried(few, k, seed=seed).covariance
        some = points[subset(points, _MOST_POINTS, seed=seed)]
        model = _cold(some, k, covariance, seed=seed, starts=-(-starts // 3))
        return fit_of(points, density_places(model))

    def warm(self, points: Points, start: Places, *, seed: int) -> Fit | None:
        """Take weights and covariances from the customers of each known segment."""
        some = points[subset(points, _MOST_POINTS, seed=seed)]
        known = fit_of(some, start)
        models = [_warmed(some, known, form, seed=seed) for form in _forms(start)]
        best = models[0] if len(models) == 1 else min(models, key=lambda model: float(model.bic(some)))
        return fit_of(points, density_places(best), origins=known.origins)


def tried(points: Points, k: int, *, seed: int, covariance: Covariance | None = None) -> Trial:
    """Fit *k* densities, of either form or the one given; the better by BIC."""
    forms: Sequence[Covariance] = ("diag", "full") if covariance is None else (covariance,)
    trials = []
    for form in forms:
        model = _cold(points, k, form, seed=seed, starts=1)
        bic = float(model.bic(points)) / len(points)
        trials.append(
            Trial(form, bic, density_places(model), np.asarray(model.predict(points), dtype=np.intp))
        )
    return min(trials, key=lambda trial: trial.bic)


def density_places(model: GaussianMixture) -> Places:
    """Squared distances that are -2 log densities, less the same constant for all."""
    factors = model.precisions_cholesky_
    axes = [np.diag(each) if each.ndim == 1 else each.T for each in factors]
    heights = np.array([np.log(np.abs(np.diag(each))).sum() for each in axes]) + np.log(model.weights_)
    offsets = 2 * (heights.max() - heights)
    parts = tuple(
        Part(row, coordinates(mean), tuple(coordinates(axis) for axis in axes[row]), float(offsets[row]))
        for row, mean in enumerate(model.means_)
    )
    return Places(np.asarray(model.means_, dtype=np.float64), parts, soft=True)


def _cold(points: Points, k: int, form: Covariance, *, seed: int, starts: int) -> GaussianMixture:
    """Start from k-means and, once, from random customers: long groups side by side need that."""
    models = [
        GaussianMixture(
            k,
            covariance_type=form,
            init_params=begin,
            n_init=times,
            reg_covar=_LEAST_VARIANCE,
            random_state=seed,
        )
        for begin, times in (("kmeans", starts), ("random_from_data", 1))
    ]
    with quiet():
        return max((model.fit(points) for model in models), key=lambda model: float(model.lower_bound_))


def _forms(start: Places) -> Sequence[Covariance]:
    """The form of known densities; both where there are none yet."""
    if not start.soft:
        return ("diag", "full")
    leaning = any(np.count_nonzero(part.axes) > len(part.axes) for part in start.parts)
    return ("full",) if leaning else ("diag",)


def _warmed(points: Points, known: Fit, form: Covariance, *, seed: int) -> GaussianMixture:
    groups = [points[known.labels == row] for row in range(len(known.places))]
    if form == "diag":
        precisions = np.stack([1 / (group.var(axis=0) + _LEAST_VARIANCE) for group in groups])
    else:
        least = _LEAST_VARIANCE * np.eye(points.shape[1])
        spreads = [np.atleast_2d(np.cov(group.T, bias=True)) + least for group in groups]
        precisions = np.stack([np.linalg.inv(spread) for spread in spreads])
    model = GaussianMixture(
        len(groups),
        covariance_type=form,
        weights_init=known.sizes / len(points),
        means_init=known.centroids,
        precisions_init=precisions,
        reg_covar=_LEAST_VARIANCE,
        random_state=seed,
    )
    with quiet():
        return model.fit(points)
