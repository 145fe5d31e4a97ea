"""Micro-audiences: small tight groups far from all segments, kept apart instead of lost in a large one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from sklearn.ensemble import IsolationForest

from clustering.density import grouped
from clustering.measuring import Labels, Points, squared_distances, subset
from clustering.models import Fit, fit_of
from clustering.places import Places, coordinates
from cohortd.core.modelling import Part

MICRO: Final = "micro"
#: Share of the customers, the easiest to tell from all others, among whom groups are looked for.
_OUTLYING: Final = 0.08
_MOST_POINTS: Final = 20_000
#: A group is far off when its members are so many times as near to its middle as to any segment.
FAR: Final = 2.0
#: Of its members these few may be nearer to a segment.
_STRAY: Final = 0.1
_FEWEST: Final = 5
#: How much wider than its members a place is.
_ROOM: Final = 1.5
#: Squared deviations below which customers are all alike.
_POINT: Final = 1e-4
_NOBODY: Final = -1
_MICRO_AT_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class Group:
    """Customers that may become a micro-audience."""

    rows: Labels
    #: Row of the micro-audience of the previous model whose place this is, -1 for a new one.
    origin: int = _NOBODY


def known_groups(points: Points, known: Places, origins: Sequence[int]) -> Iterator[Group]:
    """Customers who still are where the micro-audiences of the previous model were.

    Args:
        points: Prepared customers.
        known: All places of the previous model, in units of today.
        origins: Those of its rows that are micro-audiences.
    """
    labels = known.nearest(points)
    return (Group(np.flatnonzero(labels == row), row) for row in origins)


def outlying_groups(points: Points, least: int, *, seed: int) -> Iterator[Group]:
    """Tight groups among the customers who are easiest to tell from all others."""
    count = round(_OUTLYING * len(points))
    if count <= least:
        return iter(())
    forest = IsolationForest(random_state=seed).fit(points[subset(points, _MOST_POINTS, seed=seed)])
    candidates = np.sort(np.argsort(forest.score_samples(points), kind="stable")[:count])
    candidates = candidates[subset(candidates, _MOST_POINTS, seed=seed)]
    labels = grouped(points[candidates], max(least, _FEWEST))
    return (Group(candidates[labels == label]) for label in range(int(labels.max()) + 1))


def with_micro_audiences(points: Points, fit: Fit, groups: Sequence[Group], least: float) -> Fit:
    """Add a place for every group that is far off and large enough; earlier groups go first.

    The place is a ball a little wider than the group: distances from its middle are stretched, so
    that it holds its members and nobody between them and the segments.

    Args:
        points: Prepared customers.
        fit: The segments.
        groups: Who might be apart.
        least: Fewest sampled customers of a micro-audience.
    """
    count = len(fit.places)
    places = replace(fit.places.with_parts(), kinds=fit.places.kinds or ("",) * count)
    origins = fit.origins
    for group in groups:
        if len(places) - count == _MICRO_AT_MOST or len(group.rows) < max(least, 1):
            continue
        grown = _grown(points, places, group)
        if grown is None or np.bincount(grown.nearest(points), minlength=len(grown))[-1] < least:
            continue
        places, origins = grown, np.append(origins, group.origin)
    if len(places) == count:
        return fit
    found = fit_of(points, places, origins=origins, noise=fit.noise, centered=True)
    return replace(found, reach=fit.reach)


def _grown(points: Points, places: Places, group: Group) -> Places | None:
    """The places with one for *group*; None where it is not far off."""
    members = points[group.rows]
    center = np.median(members, axis=0)
    own = ((members - center) ** 2).sum(axis=1)
    middles = np.array([part.center for part in places.parts if part.center])
    away = squared_distances(members, middles).min(axis=1)
    if np.quantile(away / np.maximum(own, _POINT), _STRAY) < FAR**2:
        return None
    # By the units of its rivals, which for densities are none of length.
    rival = float(np.median(places.squared(members).min(axis=1)))
    edge = max(_ROOM**2 * float(np.quantile(own, 1 - _STRAY)), _POINT)
    axes = np.eye(points.shape[1]) * np.sqrt(rival / edge)
    part = Part(len(places), coordinates(center), tuple(coordinates(axis) for axis in axes))
    return Places(
        np.vstack([places.centroids, center]),
        (*places.parts, part),
        places.soft,
        (*places.kinds, MICRO),
    )
