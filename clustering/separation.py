"""How far apart groups of any shape lie: a density-based validity."""

from typing import Final

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree

from clustering.measuring import Labels, Points, squared_distances

#: Points it is taken over.
SEPARATION_POINTS: Final = 1_500
_NEIGHBOUR: Final = 10
#: The emptiest step within a group and the densest between two, but for the last few points.
_WITHIN, _BETWEEN = 0.95, 0.05
_FEWEST: Final = 3


def separation(points: Points, labels: Labels) -> float:
    """Between -1 and 1: above 0 where the gaps between groups are wider than those within them.

    As DBCV (Moulavi and others, 2014), by quantiles instead of extremes so that single customers
    do not decide. Takes memory and time by the square of the points.
    """
    reach = _reachability(points)
    total = 0.0
    for label in np.unique(labels):
        inside = labels == label
        if inside.all() or inside.sum() < _FEWEST:
            total -= float(inside.mean())
            continue
        tree = minimum_spanning_tree(reach[np.ix_(inside, inside)])
        within = float(np.quantile(tree.data, _WITHIN)) if tree.nnz else 0.0
        between = float(np.quantile(reach[np.ix_(inside, ~inside)].min(axis=1), _BETWEEN))
        widest = max(within, between)
        total += float(inside.mean()) * ((between - within) / widest if widest > 0 else 0.0)
    return total


def _reachability(points: Points) -> Points:
    """Distances, none shorter than that of either end to its tenth neighbour."""
    distances = np.sqrt(squared_distances(points, points))
    core = np.sort(distances, axis=1)[:, min(_NEIGHBOUR, len(points) - 1)]
    reach: Points = np.maximum(distances, np.maximum(core[:, None], core[None, :]))
    return reach
