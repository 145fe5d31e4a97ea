"""Labelled data: four sets that scikit-learn ships, and shapes that its generators make."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn import datasets

from clustering.measuring import Labels, Points

_COUNT: Final = 1500


@dataclass(frozen=True, slots=True)
class Shape:
    """Points whose true groups are known."""

    name: str
    points: Points
    truth: Labels


def shapes(seed: int) -> Iterator[Shape]:
    """The four real sets, and five generated shapes that differ by *seed*."""
    for name in ("iris", "wine", "digits", "breast_cancer"):
        shipped = getattr(datasets, f"load_{name}")()
        yield Shape(name, shipped.data, shipped.target)
    blobs, moved = datasets.make_blobs, {"random_state": seed}
    yield Shape("unequal sizes", *blobs([900, 350, 150, 100], cluster_std=1.0, **moved))
    yield Shape("unequal spread", *blobs(_COUNT, cluster_std=[1.0, 2.5, 0.5], **moved))
    yield Shape("moons", *datasets.make_moons(_COUNT, noise=0.06, **moved))
    yield Shape("circles", *datasets.make_circles(_COUNT, factor=0.5, noise=0.05, **moved))
    points, truth = blobs(_COUNT, **moved)
    yield Shape("elongated", points @ np.array([[0.6, -0.6], [-0.4, 0.8]]), truth)
