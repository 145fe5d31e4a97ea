"""Segment ids across fits: who goes on, who is born, split, merged or gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.contest import Outcome
from clustering.density import LEFTOVERS
from clustering.matching import Matching, match
from clustering.measuring import Labels, Points
from clustering.merging import Floor
from clustering.models import Fit
from clustering.places import places_of
from clustering.preparing import prepare
from cohortd.core.modelling import LineageEvent, ModelVersion

#: With previous segments known for fewer of the sample than this, the previous model tells them instead.
_ENOUGH_KNOWN = 0.1
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Identified:
    """The id of every row of a fit, and the story."""

    ids: tuple[str, ...]
    events: tuple[LineageEvent, ...]
    next_number: int
    #: Share of the customers with a segment before that have another now; 0 at the first fit.
    moved: float


def identify(
    sample: pd.DataFrame,
    points: Points,
    outcome: Outcome,
    *,
    previous: ModelVersion | None,
    previous_labels: pd.Series | None,
    next_number: int,
    floor: Floor,
    margin: float,
) -> Identified:
    """Carry ids over by overlap and give new ones, larger segments first."""
    fit = outcome.fit
    old_ids: tuple[str, ...] = ()
    before, after = np.full(len(sample), _NOBODY), fit.labels
    if previous is not None:
        old_ids = previous.centroid_model.segment_ids
        next_number = max(next_number, *(number_of(each) + 1 for each in old_ids))
        before = _before(sample, previous, previous_labels)
        after = _after(points, outcome, before, old=len(old_ids), margin=margin)
    alike = None if previous is None else _alike(previous, fit)
    matching = match(
        before, after, old=len(old_ids), new=len(fit.centroids), alike=alike, fixed=outcome.pinned
    )
    ids = {row: old_ids[old] for row, old in matching.kept.items()}
    for row in _new_rows(fit, matching):
        ids[row] = f"s{next_number}"
        next_number += 1
    named = tuple(ids[row] for row in range(len(fit.centroids)))
    events = _events(matching, named, old_ids=old_ids, fit=fit, floor=floor)
    moved = _moved(points, fit, before, matching.kept, old=len(old_ids), margin=margin)
    return Identified(named, events, next_number, moved)


def number_of(segment_id: str) -> int:
    """The place of a segment in every listing: its number."""
    return int(segment_id.removeprefix("s"))


def _alike(previous: ModelVersion, fit: Fit) -> NDArray[np.bool_]:
    """Whoever was in no group is no segment's predecessor: the name would mean something else."""
    kinds = {segment.id: segment.kind for segment in previous.segments}
    were = np.array([kinds.get(each) == LEFTOVERS for each in previous.centroid_model.segment_ids])
    are = np.array([kind == LEFTOVERS for kind in fit.places.kinds or ("",) * len(fit.places)])
    return np.asarray(were[:, None] == are[None, :], dtype=np.bool_)


def _before(sample: pd.DataFrame, previous: ModelVersion, labels: pd.Series | None) -> Labels:
    model = previous.centroid_model
    if labels is not None:
        rows: Mapping[str, int] = {each: row for row, each in enumerate(model.segment_ids)}
        once = labels[~labels.index.duplicated()]
        known = (
            once.reindex(sample.index).astype(object).map(rows).to_numpy(dtype=np.float64, na_value=np.nan)
        )
        if np.isfinite(known).mean() >= _ENOUGH_KNOWN:
            return np.nan_to_num(known, nan=_NOBODY).astype(np.intp)
    return places_of(model).nearest(prepare(sample, model.features))


def _after(points: Points, outcome: Outcome, before: Labels, *, old: int, margin: float) -> Labels:
    """The new row each customer will really have.

    A centroid that moved on from an old one keeps, by the margin, many who are now nearer to another;
    judged by the nearest alone a segment seemed to end whose members mostly stay.
    """
    if outcome.origins is None:
        return outcome.fit.labels
    moved_on = np.full(old + 1, _NOBODY)  # one place more, for the customers without a segment
    known = outcome.origins >= 0
    moved_on[outcome.origins[known]] = np.flatnonzero(known)
    return outcome.fit.places.settled(points, moved_on[before], margin=margin)


def _moved(
    points: Points, fit: Fit, before: Labels, kept: Mapping[int, int], *, old: int, margin: float
) -> float:
    """The share that leaves its segment, once all who stay by the margin stay."""
    known = before != _NOBODY
    if not known.any():
        return 0.0
    goes_on = np.full(old, _NOBODY)
    goes_on[list(kept.values())] = list(kept)
    own = goes_on[before[known]]
    now = fit.places.settled(points[known], own, margin=margin)
    return float((now != own).mean())


def _new_rows(fit: Fit, matching: Matching) -> list[int]:
    """By size, then by the first feature, so that two installations give the same ids."""
    rows = [*matching.births, *matching.splits]
    return sorted(rows, key=lambda row: (-int(fit.sizes[row]), tuple(fit.centroids[row])))


def _events(
    matching: Matching, ids: Sequence[str], *, old_ids: Sequence[str], fit: Fit, floor: Floor
) -> tuple[LineageEvent, ...]:
    events = [
        LineageEvent("born", ids[row], detail=f"{floor.estimate(int(fit.sizes[row])):,} customers")
        for row in matching.births
    ]
    for row, (parent, share) in matching.splits.items():
        detail = f"{share:.0%} of its customers came from {old_ids[parent]}"
        events.append(LineageEvent("split", ids[row], old_ids[parent], detail))
    for old, (row, share) in matching.merges.items():
        detail = f"{share:.0%} of its customers went to {ids[row]}"
        events.append(LineageEvent("merged", old_ids[old], ids[row], detail))
    events += [
        LineageEvent("died", old_ids[old], detail="its customers went several ways or left")
        for old in matching.deaths
    ]
    return tuple(sorted(events, key=lambda event: number_of(event.segment_id)))
