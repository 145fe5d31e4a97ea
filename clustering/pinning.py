"""Pinned segments: their place among the features stays, whatever a refit finds around them.

Whoever is nearest to such a place is left out of the fit, and the place is put back beside what was
found among the others. So it neither merges nor splits, and is there with nobody in it, too.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clustering.measuring import Points, inertia
from clustering.models import Fit
from clustering.places import Places


@dataclass(frozen=True, slots=True)
class Pinned:
    """The places that stay, and whose they are."""

    #: In units of today.
    places: Places
    #: Rows of the previous model.
    rows: tuple[int, ...]
    #: Which customers are nearest to one of them.
    inside: NDArray[np.bool_]


def pinned_among(points: Points, known: Places | None, kinds: Mapping[int, str]) -> Pinned | None:
    """Find the places to keep; None where there is none, or where they cannot be told in today's units.

    Args:
        points: Prepared customers.
        known: All places of the previous model, in units of today.
        kinds: Those of its rows that are pinned, and what each is, as ``Places`` says it.
    """
    if known is None or not kinds:
        return None
    rows = tuple(kinds)
    places = replace(known.rows(rows), kinds=tuple(kinds.values()))
    return Pinned(places, rows, np.isin(known.nearest(points), rows))


def with_pinned(points: Points, fit: Fit | None, pinned: Pinned) -> Fit:
    """Put the pinned places back, after those that were found among the other customers.

    Args:
        points: Everybody, prepared.
        fit: What was found among the others, its origins rows of the previous model; None where
            there is nobody else.
        pinned: As ``pinned_among`` gave it.
    """
    kept = np.array(pinned.rows, dtype=np.intp)
    if fit is None:
        return _labelled(points, pinned.places, kept, like=None)
    count = len(fit.places)
    whole = _joined(_thinned(fit.places, share=1 - float(pinned.inside.mean())), pinned.places)
    used = np.unique(whole.nearest(points))
    rows = [row for row in range(len(whole)) if row >= count or row in used]
    origins = np.concatenate([fit.origins, kept])[rows]
    return _labelled(points, whole.rows(rows), origins, like=fit)


def _labelled(points: Points, places: Places, origins: NDArray[np.intp], *, like: Fit | None) -> Fit:
    labels = places.nearest(points)
    fit = Fit(places, labels, inertia(points, places.centroids, labels), origins)
    return fit if like is None else replace(fit, noise=like.noise, reach=like.reach)


def _thinned(places: Places, *, share: float) -> Places:
    """Densities found among a share of the customers, as those of all."""
    if not places.soft or share <= 0:
        return places
    rarer = -2 * math.log(share)
    return replace(places, parts=tuple(replace(p, offset=p.offset + rarer) for p in places.parts))


def _joined(found: Places, pinned: Places) -> Places:
    count = len(found)
    kinds = (*(found.kinds or ("",) * count), *(pinned.kinds or ("",) * len(pinned)))
    parts = found.parts
    if found.parts or pinned.parts:
        moved = (replace(part, segment=part.segment + count) for part in pinned.with_parts().parts)
        parts = (*found.with_parts().parts, *moved)
    return Places(
        np.vstack([found.centroids, pinned.centroids]),
        parts,
        found.soft,
        kinds if any(kinds) else (),
    )
