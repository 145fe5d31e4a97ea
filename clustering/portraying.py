"""What a new model version looks like: map, effects, silhouettes and dendrogram, for the report to draw."""

from collections.abc import Sequence
from typing import Final, TypedDict

import numpy as np
from scipy.cluster.hierarchy import dendrogram, linkage
from sklearn.metrics import silhouette_samples

from clustering.measuring import Labels, Points, subset
from cohortd.core.modelling import FeatureSpec
from cohortd.core.portrait import Dendrogram, Dot, Junction, Portrait

#: More dots hide one another.
MOST_DOTS: Final = 2_000
#: Leaves of Ward's own tree: enough to see the segments, few enough to read.
_WARD_LEAVES: Final = 40


class _Picture(TypedDict):
    """What scipy says of a dendrogram."""

    icoord: list[list[float]]
    dcoord: list[list[float]]
    leaves: list[int]


def portray(
    points: Points,
    labels: Labels,
    centroids: Points,
    *,
    segment_ids: Sequence[str],
    specs: Sequence[FeatureSpec],
    effects: Points,
    grown: bool,
) -> Portrait:
    """Gather what the plots of a fit need; the same fit looks the same.

    Args:
        points: Prepared customers.
        labels: The row of each one's segment.
        centroids: A row a segment.
        segment_ids: Of the rows.
        specs: The features, the columns of all these.
        effects: As ``effect_matrix`` gives them.
        grown: Whether the segments grew together (Ward), so that the tree of customers is theirs.
    """
    rows = subset(points, MOST_DOTS, seed=0)
    some, own = points[rows], labels[rows]
    axes, shown = _directions(points)
    middle = points.mean(axis=0)
    flat, middles = (some - middle) @ axes, (centroids - middle) @ axes
    return Portrait(
        segment_ids=tuple(segment_ids),
        features=tuple(spec.title for spec in specs),
        effects=tuple(tuple(float(d) for d in row) for row in effects),
        dots=tuple(Dot(float(x), float(y), int(row)) for (x, y), row in zip(flat, own, strict=True)),
        middles=tuple((float(x), float(y)) for x, y in middles),
        shown=shown,
        silhouettes=_silhouettes(some, own, len(centroids)),
        dendrogram=_dendrogram(some, own, centroids, grown=grown),
    )


def _directions(points: Points) -> tuple[Points, tuple[float, float]]:
    """The two directions of most variance, a column each, and which part of it they show.

    Each points to where its largest weight is positive: a solver is free to turn it around.
    """
    apart = points - points.mean(axis=0)
    spread, directions = np.linalg.eigh(apart.T @ apart / len(points))
    axes = directions[:, ::-1][:, :2]
    if axes.shape[1] == 1:
        axes = np.hstack([axes, np.zeros_like(axes)])
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(2)])
    kept = [*spread[::-1][:2], 0.0]
    whole = float(spread.sum()) or 1.0
    return axes * np.where(signs == 0, 1.0, signs), (float(kept[0]) / whole, float(kept[1]) / whole)


def _silhouettes(points: Points, labels: Labels, segments: int) -> tuple[float, ...]:
    present = np.unique(labels)
    if not 1 < len(present) < len(points):
        return (0.0,) * segments
    widths = silhouette_samples(points, labels)
    return tuple(float(widths[labels == row].mean()) if row in present else 0.0 for row in range(segments))


def _dendrogram(points: Points, labels: Labels, centroids: Points, *, grown: bool) -> Dendrogram | None:
    if len(centroids) < 2:  # noqa: PLR2004 - nothing joins
        return None
    if not grown or len(points) <= _WARD_LEAVES:
        drawn = dendrogram(linkage(centroids, "ward"), no_plot=True)
        return _dendrogram_of(drawn, drawn["leaves"], of_customers=False)
    merges = linkage(points, "ward")
    drawn = dendrogram(merges, no_plot=True, truncate_mode="lastp", p=_WARD_LEAVES)
    return _dendrogram_of(
        drawn, [_mostly(leaf, merges, labels) for leaf in drawn["leaves"]], of_customers=True
    )


def _dendrogram_of(drawn: _Picture, rows: Sequence[int], *, of_customers: bool) -> Dendrogram:
    """Scipy's picture of a tree: leaves stand at 5, 15, 25 and so on."""
    junctions = tuple(
        Junction(_four(across), _four(height))
        for across, height in zip(drawn["icoord"], drawn["dcoord"], strict=True)
    )
    leaves = tuple((5.0 + 10.0 * place, row) for place, row in enumerate(rows))
    return Dendrogram(junctions, leaves, of_customers)


def _four(corners: Sequence[float]) -> tuple[float, float, float, float]:
    first, second, third, fourth = corners
    return float(first), float(second), float(third), float(fourth)


def _mostly(node: int, merges: Points, labels: Labels) -> int:
    """The segment of most customers under a node of the tree."""
    below, found = [node], []
    while below:
        each = below.pop()
        if each < len(labels):
            found.append(int(labels[each]))
        else:
            below += [int(child) for child in merges[each - len(labels), :2]]
    return int(np.bincount(found).argmax())
