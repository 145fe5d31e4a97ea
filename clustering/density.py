"""Groups by density, of any shape and number: HDBSCAN and DBSCAN, and how everybody gets into one."""

from dataclasses import replace
from typing import Final

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from clustering.measuring import Labels, Points, nearest, squared_distances, subset
from clustering.models import COLD_STARTS, Fit, fit_of, quiet
from clustering.places import Places, coordinates
from cohortd.core.modelling import Part

#: HDBSCAN takes 2.9 s at 20,000 points and 16 s at 50,000.
_MOST_POINTS: Final = 20_000
#: Above this share of points in no group the groups mean nothing.
MOST_NOISE: Final = 0.5
#: Share of the points that must be nearest to a place of their own group.
_AGREEMENT: Final = 0.995
_MOST_PARTS: Final = 16
#: Every place is an expression in everybody's assignment.
_MOST_IN_ALL: Final = 96
_SMALLEST_GROUP: Final = 10
#: No group holds less than one in so many: finer ones are noise, or merge by the minimum size.
_FINEST: Final = 50
_NEIGHBOURS: Final = 10
_FEW_POINTS, _FEW_NEIGHBOURS = 1000, 5
#: Where all features together show no group, these many directions of most variance may.
_DIRECTIONS: Final = 4
_NOISE: Final = -1
#: Share of the members of groups who count as near enough.
_INSIDE: Final = 0.98
_FOLLOWED: Final = 0.9
LEFTOVERS: Final = "leftovers"


class Hdbscan:
    """Groups that stay together at many densities; over a subset."""

    counts = True

    def cold(self, points: Points, k: int, *, seed: int, starts: int = COLD_STARTS) -> Fit:
        """There is but one answer: *starts* changes nothing."""
        del starts
        some = points[subset(points, _MOST_POINTS, seed=seed)]
        return _extended(points, some, self._labels(some, _least_size(some)), most=k, seed=seed)

    def warm(self, points: Points, start: Places, *, seed: int) -> Fit | None:
        """Let every known place follow the customers around it; their groups stay as they were."""
        del seed
        return fit_of(points, followed(points, start), centered=bool(start.parts))

    def _labels(self, points: Points, least: int) -> Labels:
        labels = grouped(points, least)
        if (labels == _NOISE).mean() <= MOST_NOISE or points.shape[1] <= _DIRECTIONS:
            return labels
        model = PCA(_DIRECTIONS, svd_solver="full")
        return grouped(model.fit_transform(points), least)


class Dbscan(Hdbscan):
    """Groups of one density, which is read off the distances to the tenth neighbour."""

    def _labels(self, points: Points, least: int) -> Labels:
        found = DBSCAN(eps=knee(points, _NEIGHBOURS), min_samples=_NEIGHBOURS).fit_predict(points)
        return without_small(np.asarray(found, dtype=np.intp), least)


def followed(points: Points, start: Places) -> Places:
    """Each place moves to the middle of those nearest to it, but for the farthest tenth: noise."""
    parts = start.with_parts().parts
    centers = np.array([part.center for part in parts])
    distances = squared_distances(points, centers)
    owners = distances.argmin(axis=1)
    for number in range(len(parts)):
        mine = np.flatnonzero(owners == number)
        if len(mine):
            away = distances[mine, number]
            centers[number] = points[mine[away <= np.quantile(away, _FOLLOWED)]].mean(axis=0)
    if not start.parts:
        return Places(centers)
    moved = (replace(part, center=coordinates(center)) for part, center in zip(parts, centers, strict=True))
    return replace(start, parts=tuple(moved))


def grouped(points: Points, least: int) -> Labels:
    """Groups of at least *least* points by HDBSCAN, -1 for points in none."""
    if len(points) <= max(least, _neighbours(points)):
        return np.full(len(points), _NOISE, dtype=np.intp)
    model = HDBSCAN(min_cluster_size=least, min_samples=_neighbours(points), copy=True)
    return np.asarray(model.fit_predict(points), dtype=np.intp)


def knee(points: Points, neighbours: int) -> float:
    """The distance to the so-manieth neighbour at which most points end and outliers begin."""
    distances = NearestNeighbors(n_neighbors=min(neighbours, len(points))).fit(points).kneighbors(points)[0]
    # The denser half says nothing: looked at whole, the curve bends before most points have ended.
    curve = np.sort(distances[:, -1])[len(points) // 2 :]
    height = curve[-1] - curve[0]
    if height <= 0:
        return float(max(curve[-1], np.finfo(float).tiny))
    below = np.linspace(0, 1, len(curve)) - (curve - curve[0]) / height
    return float(max(curve[int(below.argmax())], np.finfo(float).tiny))


def without_small(labels: Labels, least: int) -> Labels:
    """Numbered anew from 0; groups of fewer than *least* points are none."""
    sizes = np.bincount(labels[labels != _NOISE], minlength=1)
    numbers = np.full(len(sizes) + 1, _NOISE)  # one place more, which -1 finds
    large = np.flatnonzero(sizes >= least)
    numbers[large] = np.arange(len(large))
    return np.asarray(numbers[labels], dtype=np.intp)


def _extended(points: Points, some: Points, labels: Labels, *, most: int, seed: int) -> Fit:
    """Let everybody into the nearest group, by as many places a group as its shape needs."""
    noise = float((labels == _NOISE).mean())
    if noise == 1.0:
        return fit_of(points, Places(points.mean(axis=0, keepdims=True)), noise=noise)
    inside, own = some[labels != _NOISE], labels[labels != _NOISE]
    own = _fewest(inside, own, most)
    places = shaped(inside, own, seed=seed)
    fit = fit_of(points, places, centered=bool(places.parts), noise=noise)
    return replace(fit, reach=float(np.sqrt(np.quantile(places.squared(inside).min(axis=1), _INSIDE))))


def with_leftovers(points: Points, fit: Fit) -> Fit:
    """Make a segment of those who are farther from every group than its own members are."""
    if not fit.reach:
        return fit
    places = fit.places.with_parts()
    count = len(places)
    middle = points.mean(axis=0, keepdims=True)
    rest = Part(count, (), (), fit.reach**2)
    grown = Places(
        np.vstack([places.centroids, middle]), (*places.parts, rest), kinds=("",) * count + (LEFTOVERS,)
    )
    origins = np.append(fit.origins, _NOISE)
    return replace(fit_of(points, grown, origins=origins, centered=True, noise=fit.noise), reach=fit.reach)


def _fewest(points: Points, labels: Labels, most: int) -> Labels:
    """No more groups than *most*: the smallest joins the nearest."""
    while labels.max() + 1 > most:
        middles = _middles(points, labels)
        small = int(np.bincount(labels).argmin())
        others = np.delete(np.arange(len(middles)), small)
        into = int(others[nearest(middles[[small]], middles[others])[0]])
        labels = without_small(np.where(labels == small, into, labels), 1)
    return labels


def shaped(points: Points, labels: Labels, *, seed: int) -> Places:
    """Places from which nearly every point is nearest to its own group; one a group where that does.

    A group between whose places others lie gets more of them, until its points come home.
    """
    middles = _middles(points, labels)
    groups = [points[labels == row] for row in range(len(middles))]
    centers = [middles[[row]] for row in range(len(middles))]
    for _ in range(_MOST_PARTS):
        owners = np.repeat(np.arange(len(centers)), [len(each) for each in centers])
        found = owners[nearest(points, np.vstack(centers))]
        if (found == labels).mean() >= _AGREEMENT:
            break
        if len(owners) >= _MOST_IN_ALL:
            break
        # Both sides of a wrong border need finer places.
        astray = np.unique(np.concatenate([labels[found != labels], found[found != labels]]))
        for row in astray:
            wanted = min(len(centers[row]) + 1 + len(centers[row]) // 4, _MOST_PARTS, len(groups[row]))
            with quiet():
                model = KMeans(wanted, n_init=1, random_state=seed).fit(groups[row])
            centers[row] = model.cluster_centers_
    if all(len(each) == 1 for each in centers):
        return Places(middles)
    parts = [Part(row, coordinates(place)) for row, each in enumerate(centers) for place in each]
    return Places(middles, tuple(parts))


def _middles(points: Points, labels: Labels) -> Points:
    return np.stack([points[labels == row].mean(axis=0) for row in range(int(labels.max()) + 1)])


def _least_size(points: Points) -> int:
    return max(_SMALLEST_GROUP, len(points) // _FINEST)


def _neighbours(points: Points) -> int:
    return _NEIGHBOURS if len(points) >= _FEW_POINTS else _FEW_NEIGHBOURS
