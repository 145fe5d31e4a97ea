"""Which algorithm: several are measured by one yardstick; the one in use stays unless clearly beaten."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
from sklearn.metrics import adjusted_rand_score

from clustering.algorithms import algorithm_named
from clustering.choosing import choose
from clustering.measuring import Points, silhouettes, subset
from clustering.merging import Floor
from clustering.models import Algorithm, Fit
from clustering.policy import ClusteringPolicy
from clustering.separation import SEPARATION_POINTS, separation

#: Bisecting K-Means and DBSCAN never were the best of all on the labelled data of the benchmark.
CANDIDATES: Final = ("kmeans", "gaussian_mixture", "ward", "hdbscan")
#: Another algorithm must score this many times as high: changing it moves many people.
CLEARLY: Final = 1.25
_TRIAL_POINTS: Final = 4_000
_STARTS: Final = 3
_HALVES: Final = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """How one algorithm does on at most 4,000 customers."""

    algorithm: str
    segments: int
    #: Mean adjusted Rand index between what it makes of random halves, for everybody.
    stability: float
    silhouette: float
    #: Whether gaps between segments are wider than within them, -1 to 1.
    separation: float
    #: Share of the customers in no group.
    noise: float
    #: Share of the customers in segments that reach the minimum size.
    above_floor: float

    @property
    def score(self) -> float:
        """What lasts, counts; of that what is told apart, by distance or by density."""
        if self.segments == 1:
            return 0.0
        apart = max(self.silhouette, 0.0) + max(self.separation, 0.0)
        return max(self.stability, 0.0) * apart * (1 - self.noise) * self.above_floor

    def to_json(self) -> dict[str, object]:
        """Four decimals are more than anybody reads."""
        values = asdict(self) | {"score": self.score}
        return {
            key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()
        }


@dataclass(frozen=True, slots=True)
class Pick:
    """The algorithm to use, why, and how all did."""

    algorithm: str
    reason: str
    trials: tuple[Trial, ...]


def pick(points: Points, policy: ClusteringPolicy, floor: Floor, *, current: str) -> Pick:
    """Try the candidates on the same customers.

    Args:
        points: Prepared customers.
        policy: How many segments are wanted, and the seed.
        floor: What is too small.
        current: The algorithm the previous model picked, empty at the first.
    """
    some = points[subset(points, _TRIAL_POINTS, seed=policy.seed)]
    by_means = choose(some, replace(policy, algorithm="kmeans"), most=floor.most_segments, remembered=None)
    trials = tuple(
        _tried(name, some, _k_of(name, some, policy, floor, by_means.k), policy=policy, floor=floor)
        for name in CANDIDATES
    )
    return decided(trials, current)


def decided(trials: Sequence[Trial], current: str) -> Pick:
    """Keep *current* unless another is clearly better; the first of two alike."""
    best = max(trials, key=lambda trial: trial.score)
    known = {trial.algorithm: trial for trial in trials}
    if current in known and best.score <= CLEARLY * known[current].score:
        return Pick(current, f"kept; no other is clearly better ({_scores(trials)})", tuple(trials))
    return Pick(best.algorithm, f"{_why(best)} ({_scores(trials)})", tuple(trials))


def _k_of(name: str, points: Points, policy: ClusteringPolicy, floor: Floor, by_means: int) -> int:
    if algorithm_named(name).counts:
        return max(1, min(policy.k or policy.k_max, floor.most_segments))
    if name != "gaussian_mixture":
        return by_means
    return choose(points, replace(policy, algorithm=name), most=floor.most_segments, remembered=None).k


def _tried(name: str, points: Points, k: int, *, policy: ClusteringPolicy, floor: Floor) -> Trial:
    algorithm = algorithm_named(name)
    fit = algorithm.cold(points, k, seed=policy.seed, starts=_STARTS)
    few = subset(points, SEPARATION_POINTS, seed=policy.seed)
    least = floor.share * len(points)
    return Trial(
        algorithm=name,
        segments=len(fit.places),
        stability=_stability(points, algorithm, k, seed=policy.seed),
        silhouette=silhouettes(points[few], [fit.labels[few]])[0],
        separation=separation(points[few], fit.labels[few]),
        noise=fit.noise,
        above_floor=float(fit.sizes[fit.sizes >= least].sum() / len(points)),
    )


def _stability(points: Points, algorithm: Algorithm, k: int, *, seed: int) -> float:
    labelings = []
    for number in range(1, _HALVES + 1):
        half = points[subset(points, max(k, len(points) // 2), seed=seed + number)]
        fit: Fit = algorithm.cold(half, k, seed=seed, starts=_STARTS)
        labelings.append(fit.places.nearest(points))
    return float(np.mean([adjusted_rand_score(one, other) for one, other in combinations(labelings, 2)]))


def _why(trial: Trial) -> str:
    apart = "set apart by gaps" if trial.separation > 0 else "set apart by distance"
    return (
        f"its {trial.segments} segments come back from half the customers ({trial.stability:.2f}), {apart}"
    )


def _scores(trials: Sequence[Trial]) -> str:
    ordered = sorted(trials, key=lambda trial: -trial.score)
    return ", ".join(f"{trial.algorithm} {trial.score:.2f}" for trial in ordered)
