"""Where segments are, and how far a customer is from each: what the engine computes, in numpy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clustering.measuring import Labels, Points, squared_distances
from cohortd.core.modelling import CentroidModel, Part


@dataclass(frozen=True, slots=True)
class Places:
    """A centroid a segment and, where centroids alone do not tell them apart, parts."""

    centroids: Points
    parts: tuple[Part, ...] = ()
    soft: bool = False
    #: What each segment is, as `Segment.kind` says it; empty where all are plain segments.
    kinds: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.centroids)

    @property
    def plain(self) -> NDArray[np.bool_]:
        """Which rows are plain segments."""
        if not self.kinds:
            return np.ones(len(self), dtype=np.bool_)
        return np.array([not kind for kind in self.kinds], dtype=np.bool_)

    def squared(self, points: Points) -> Points:
        """Squared distances, one column a segment; see `CentroidModel`."""
        if not self.parts:
            return squared_distances(points, self.centroids)
        columns = np.full((len(points), len(self.centroids)), np.inf)
        for part in self.parts:
            columns[:, part.segment] = np.minimum(columns[:, part.segment], _squared(points, part))
        return columns

    def nearest(self, points: Points) -> Labels:
        """The row of the nearest segment; ties go to the earlier row."""
        return np.asarray(self.squared(points).argmin(axis=1), dtype=np.intp)

    def settled(self, points: Points, own: Labels, *, margin: float) -> Labels:
        """The row each customer is assigned to, as the engine will: nearer by *margin*, or it stays.

        Args:
            points: Prepared customers.
            own: Row of each customer's present segment, -1 where it has none.
            margin: Share of the distance.
        """
        distances = np.sqrt(self.squared(points))
        rows = np.arange(len(points))
        stays = (own >= 0) & (distances.min(axis=1) >= (1 - margin) * distances[rows, own])
        return np.where(stays, own, distances.argmin(axis=1)).astype(np.intp)

    def rows(self, rows: Sequence[int]) -> "Places":
        """Only these segments, in this order."""
        place = {row: number for number, row in enumerate(rows)}
        parts = (replace(p, segment=place[p.segment]) for p in self.parts if p.segment in place)
        ordered = tuple(sorted(parts, key=lambda part: part.segment))
        kinds = tuple(self.kinds[row] for row in rows) if self.kinds else ()
        return replace(self, centroids=self.centroids[list(rows)], parts=ordered, kinds=kinds)

    def joined(self, small: int, into: int, centroid: Points) -> "Places":
        """One segment less: *into* takes over the places of *small*, and lies at *centroid*."""
        grown = self.centroids.copy()
        grown[into] = centroid
        parts = tuple(replace(part, segment=into) if part.segment == small else part for part in self.parts)
        rest = [row for row in range(len(grown)) if row != small]
        return replace(self, centroids=grown, parts=parts).rows(rest)

    def with_parts(self) -> "Places":
        """The same, each segment's centroid written as a part where there is none."""
        if self.parts:
            return self
        return replace(self, parts=tuple(plain_parts(self.centroids)))


def places_of(model: CentroidModel) -> Places:
    """Where a model's segments are, in its own prepared units."""
    return Places(np.array(model.centroids), model.parts, model.soft)


def plain_parts(centroids: Points) -> Iterable[Part]:
    """Each centroid as a part of its own segment."""
    return (Part(row, coordinates(centroid)) for row, centroid in enumerate(centroids))


def coordinates(values: Points) -> tuple[float, ...]:
    """Numbers as a model holds them."""
    return tuple(map(float, values))


def _squared(points: Points, part: Part) -> Points:
    if not part.center:
        return np.full(len(points), part.offset)
    along = points - np.array(part.center)
    if part.axes:
        along = along @ np.array(part.axes).T
    return np.asarray((along**2).sum(axis=1) + part.offset, dtype=np.float64)
