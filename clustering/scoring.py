"""How each number of segments does on the same customers, so that they compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from clustering.measuring import SILHOUETTE_POINTS, Labels, Points, inertia, silhouettes, subset
from clustering.mixtures import TRIAL_POINTS, Trial, tried
from clustering.models import Lloyd
from clustering.places import Places

#: A k whose clusters do not come back from half the customers is not real.
LEAST_STABILITY: Final = 0.7
_STARTS: Final = 5
_HALVES: Final = 4

#: Finds so many segments in points.
Find = Callable[[Points, int], Places]


@dataclass(frozen=True, slots=True)
class KScore:
    """How one k does on at most 10,000 customers."""

    k: int
    inertia: float
    silhouette: float
    #: Mean adjusted Rand index between fits of random halves; None where nobody had to know.
    stability: float | None
    #: How far the inertia lies under the straight line between the ends of the curve, in 0..1.
    elbow: float
    #: Bayesian information criterion per customer of a mixture, less is better; None for others.
    bic: float | None = None

    @property
    def stable(self) -> bool:
        """Whether its clusters come back from half the customers."""
        return self.stability is not None and self.stability >= LEAST_STABILITY

    def to_json(self) -> dict[str, object]:
        """Four decimals are more than anybody reads."""
        return {key: None if value is None else round(value, 4) for key, value in asdict(self).items()}


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
        KScore(k, fits[k].inertia, width, stability(some, k, _by_means(seed), seed=seed), elbows[k])
        for k, width in zip(chosen, widths, strict=True)
    )


def score_mixtures(points: Points, candidates: Sequence[int], *, seed: int) -> tuple[KScore, ...]:
    """Score mixtures by BIC; the best one by one for stability, until one survives."""
    some = points[subset(points, TRIAL_POINTS, seed=seed)]
    trials = {k: tried(some, k, seed=seed) for k in candidates if k <= distinct(some)}
    widths = silhouettes(some, [trial.labels for trial in trials.values()])
    scores = {
        k: KScore(k, inertia(some, trial.places.centroids, trial.labels), width, None, 0.0, trial.bic)
        for (k, trial), width in zip(trials.items(), widths, strict=True)
    }
    for k in sorted(trials, key=lambda each: (trials[each].bic, each)):
        lasting = stability(some, k, _by_densities(trials[k], seed), seed=seed)
        scores[k] = replace(scores[k], stability=lasting)
        if scores[k].stable:
            break
    return tuple(scores.values())


def distinct(points: Points) -> int:
    """How many different points there are."""
    return int((~pd.DataFrame(points).duplicated()).sum())


def stability(points: Points, k: int, find: Find, *, seed: int) -> float:
    """Mean adjusted Rand index between what *find* makes of random halves, for everybody."""
    labelings = [_labels_from_half(points, k, find, seed=seed + number) for number in range(1, _HALVES + 1)]
    return float(np.mean([adjusted_rand_score(one, other) for one, other in combinations(labelings, 2)]))


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


def _by_means(seed: int) -> Find:
    return lambda points, k: Lloyd().cold(points, k, seed=seed, starts=_STARTS).places


def _by_densities(trial: Trial, seed: int) -> Find:
    return lambda points, k: tried(points, k, seed=seed, covariance=trial.covariance).places


def _labels_from_half(points: Points, k: int, find: Find, *, seed: int) -> Labels:
    half = points[subset(points, max(k, len(points) // 2), seed=seed)]
    return find(half, min(k, distinct(half))).nearest(points)
