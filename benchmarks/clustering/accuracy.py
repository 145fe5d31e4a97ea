"""How well the groups that are known are found, beside plain scikit-learn."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np
import pandas as pd
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, BisectingKMeans, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.clustering.shapes import Shape, shapes
from clustering import ALGORITHMS, ClusteringPolicy, fit
from clustering.measuring import Labels, Points
from clustering.places import places_of
from clustering.preparing import prepare
from cohortd.core.modelling import FeatureSpec, Impute

AUTO: Final = "auto"
MEAN: Final = "mean"

#: What a person writes first, told the true number where the algorithm can be told.
PLAIN: Final[dict[str, Callable[[int, int], object]]] = {
    "kmeans": lambda k, seed: KMeans(k, n_init=10, random_state=seed),
    "bisecting_kmeans": lambda k, seed: BisectingKMeans(k, n_init=10, random_state=seed),
    "gaussian_mixture": lambda k, seed: GaussianMixture(k, n_init=4, random_state=seed),
    "ward": lambda k, _: AgglomerativeClustering(k),
    "hdbscan": lambda *_: HDBSCAN(copy=True),
    "dbscan": lambda *_: DBSCAN(),
}


@dataclass(frozen=True, slots=True)
class Score:
    """One way on one shape."""

    shape: str
    way: str
    #: Adjusted Rand index: 1 is the truth, 0 is chance.
    ari: float


def measure(*, seeds: int, say: Callable[[str], None]) -> list[Score]:
    """Every algorithm told the true k, plain and ours, and `auto` told nothing; means over seeds."""
    found: dict[tuple[str, str], list[float]] = {}
    with threadpool_limits(1):
        for seed in range(seeds):
            say(f"accuracy: seed {seed + 1} of {seeds}")
            for shape in shapes(170 + seed):
                for way, labels in _ways(shape, seed):
                    ari = float(adjusted_rand_score(shape.truth, labels))
                    found.setdefault((shape.name, way), []).append(ari)
    scores = [Score(shape, way, fmean(values)) for (shape, way), values in found.items()]
    return [*scores, *_means(scores)]


def kept(scores: Sequence[Score]) -> bool:
    """Whether `auto`, told nothing, is in the mean at least equal to the best that was told k."""
    means = {score.way: score.ari for score in scores if score.shape == MEAN}
    return means[AUTO] >= max(ari for way, ari in means.items() if way != AUTO)


def rows(scores: Sequence[Score]) -> list[dict[str, object]]:
    """A line a shape, a column a way."""
    lines: dict[str, dict[str, object]] = {}
    for score in scores:
        lines.setdefault(score.shape, {"shape": score.shape})[score.way] = score.ari
    return list(lines.values())


def _ways(shape: Shape, seed: int) -> Iterator[tuple[str, Labels]]:
    k = len(np.unique(shape.truth))
    points = StandardScaler().fit_transform(shape.points)
    for name, make in PLAIN.items():
        yield f"plain {name}", _plain(make(k, seed), points)
        yield name, ours(shape.points, name, k=k, seed=seed)
    yield AUTO, ours(shape.points, AUTO, k=None, seed=seed)


def _plain(model: object, points: Points) -> Labels:
    return np.asarray(model.fit_predict(points), dtype=np.intp)  # type: ignore[attr-defined]


def ours(points: Points, algorithm: str, *, k: int | None, seed: int) -> Labels:
    """Fit as `recluster` does and say everybody's segment; densities find k by themselves."""
    names = [f"f{number}" for number in range(points.shape[1])]
    specs = [FeatureSpec(name, name, (), False, Impute.ZERO) for name in names]  # noqa: FBT003 - as declared
    sample = pd.DataFrame(points, columns=names)
    sample.index = pd.Index([f"c{number:06}" for number in range(len(sample))], name="customer_id")
    counts = algorithm in ALGORITHMS and ALGORITHMS[algorithm].counts
    policy = ClusteringPolicy(
        algorithm=algorithm,
        k=None if counts else k,
        k_min=2,
        minimum_size=max(5, len(sample) // 50),
        seed=seed,
    )
    fitted = fit(
        sample,
        specs,
        policy,
        total=len(sample),
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )
    model = fitted.centroid_model
    return places_of(model).nearest(prepare(sample, model.features))


def _means(scores: Sequence[Score]) -> list[Score]:
    ways = dict.fromkeys(score.way for score in scores)
    return [Score(MEAN, way, fmean(s.ari for s in scores if s.way == way)) for way in ways]
