"""How far the trees that explain segments can be trusted, by algorithm."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Final

from benchmarks.clustering.weeks import Year
from clustering import ClusteringPolicy, fit

#: Those that make a fit of their own; ``auto`` takes one of them, DBSCAN finds nothing on this data.
EXPLAINED: Final = ("kmeans", "bisecting_kmeans", "gaussian_mixture", "ward")


@dataclass(frozen=True, slots=True)
class Fidelity:
    """One algorithm's tree over the last week, means over the seeds."""

    algorithm: str
    segments: float
    #: Share of held-out customers whom the tree puts where the model does.
    fidelity: float
    #: The same of whoever always says the largest segment.
    guess: float
    #: Of the segment that the tree tells worst.
    least_precision: float
    least_recall: float
    leaves: float


def measure(
    year: Year, *, seeds: int, policy: ClusteringPolicy, say: Callable[[str], None]
) -> list[Fidelity]:
    """Fit the last week by every algorithm and seed; the tree is in the fit's own record."""
    found = []
    for algorithm in EXPLAINED:
        say(f"explanations: {algorithm}")
        fits = [_quality(year, replace(policy, algorithm=algorithm, seed=seed)) for seed in range(seeds)]
        found.append(_mean(algorithm, fits))
    return found


def _quality(year: Year, policy: ClusteringPolicy) -> dict[str, Any]:
    week = year.weeks[-1]
    fitted = fit(
        week.sample,
        year.specs,
        policy,
        total=len(week.sample),
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )
    return dict(fitted.quality)


def _mean(algorithm: str, fits: Sequence[dict[str, Any]]) -> Fidelity:
    trees = [quality["explanation"] for quality in fits]
    sizes = [quality["sizes"] for quality in fits]
    told = [list(tree["segments"].values()) for tree in trees]
    return Fidelity(
        algorithm=algorithm,
        segments=fmean(map(len, sizes)),
        fidelity=fmean(tree["fidelity"] for tree in trees),
        guess=fmean(max(each.values()) / sum(each.values()) for each in sizes),
        least_precision=fmean(min(each["precision"] for each in segments) for segments in told),
        least_recall=fmean(min(each["recall"] for each in segments) for segments in told),
        leaves=fmean(tree["leaves"] for tree in trees),
    )
