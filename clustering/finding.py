"""What a sample shows before anything gets an identity: prepared, counted and fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd

from clustering.algorithms import algorithm_named
from clustering.approaching import NEW
from clustering.choosing import Choice, Remembered, choose
from clustering.contest import Outcome, contend
from clustering.density import LEFTOVERS, MOST_NOISE, with_leftovers
from clustering.known import AUTO
from clustering.measuring import Points
from clustering.merging import Floor, floor_of, merge_small
from clustering.micro import MICRO, Group, known_groups, outlying_groups, with_micro_audiences
from clustering.models import Fit
from clustering.picking import Pick, pick
from clustering.pinning import Pinned, pinned_among, with_pinned
from clustering.places import Places, places_of
from clustering.policy import ClusteringPolicy
from clustering.preparing import Preparation, learn, prepare, re_express
from clustering.remembering import count_in, text_in
from cohortd.core.modelling import FeatureSpec, ModelVersion, PreparedFeature

#: What takes over where no density is to be found.
FALLBACK: Final = "kmeans"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a fit found out before anything got an identity."""

    points: Points
    preparation: Preparation
    floor: Floor
    #: What was really used.
    algorithm: str
    choice: Choice
    outcome: Outcome
    #: How the algorithm was picked; None where the settings name it.
    picked: Pick | None
    notes: tuple[str, ...]

    def calmed(self, moved: float) -> Findings:
        """The same without the fit that would move so many; it is tried again at the next refit."""
        if self.outcome.calm is None:
            return self
        note = f"a better fit was left out: it would move {moved:.0%} of the customers (churn_budget)"
        return replace(self, outcome=self.outcome.calm, notes=(*self.notes, note))


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the previous model tells this fit."""

    #: All places of the previous model in units of today, None where it has no comparison.
    places: Places | None = None
    #: Rows of its pinned segments with the kind of each, of its micro-audiences, and of its other segments.
    pinned: Mapping[int, str] = field(default_factory=dict)
    micro: tuple[int, ...] = ()
    plain: tuple[int, ...] = ()
    wins: int = 0
    chosen: Remembered | None = None
    algorithm: str = ""
    asked: str = ""

    @property
    def reach(self) -> float:
        """How far from all groups the leftovers of the previous model began; 0 where it had none."""
        parts = self.places.parts if self.places is not None else ()
        return next((math.sqrt(part.offset) for part in parts if not part.center), 0.0)

    @property
    def start(self) -> Places | None:
        """From where the segments may move on."""
        return self.places.rows(self.plain) if self.places is not None and self.plain else None


def find(
    sample: pd.DataFrame,
    specs: Sequence[FeatureSpec],
    policy: ClusteringPolicy,
    *,
    total: int,
    previous: ModelVersion | None,
) -> Findings:
    """Prepare *sample*, decide by what and how many, fit, and set apart who is far off."""
    preparation = learn(sample, specs, policy.preparing, previous)
    points = prepare(sample, preparation.features)
    floor = floor_of(policy, sampled=len(sample), total=total)
    memory = _memory(previous, preparation.features, policy)
    pinned = pinned_among(points, memory.places, memory.pinned)
    if pinned is None:
        found = _found(points, preparation, floor, policy, memory)
        notes = (*found.notes, *_unkept(previous, memory, policy))
        return replace(found, notes=notes)
    if pinned.inside.all():
        return _nobody_else(points, preparation, floor, memory, pinned)
    found = _found(points[~pinned.inside], preparation, floor, _of_rest(policy, pinned), memory)
    if memory.places is not None and found.outcome.fit.places.soft != memory.places.soft:
        # Distances and densities cannot be held against each other.
        free = find(sample, specs, replace(policy, pinned=frozenset()), total=total, previous=previous)
        return replace(free, notes=(*free.notes, *_unkept(previous, memory, policy)))
    return _with_pinned(points, found, pinned)


def _nobody_else(
    points: Points, preparation: Preparation, floor: Floor, memory: _Memory, pinned: Pinned
) -> Findings:
    fit = with_pinned(points, None, pinned)
    k = len(pinned.rows)
    choice = Choice(k, k, changed=False, reason="everybody is in a pinned segment")
    outcome = Outcome(fit, "warm", 1.0, memory.wins, pinned=dict(enumerate(pinned.rows)))
    return Findings(points, preparation, floor, memory.algorithm, choice, outcome, None, ())


def _found(
    points: Points, preparation: Preparation, floor: Floor, policy: ClusteringPolicy, memory: _Memory
) -> Findings:
    """Decide by what and how many, fit, and set apart who is far off."""
    picked = None
    if policy.algorithm == AUTO:
        picked = pick(points, policy, floor, current=memory.algorithm if memory.asked == AUTO else "")
        policy = replace(policy, algorithm=picked.algorithm)
    groups, why_not = None, ""
    if algorithm_named(policy.algorithm).counts:
        groups, why_not = _by_density(points, policy, floor, memory)
    if why_not:
        policy = replace(policy, algorithm=FALLBACK)
    choice = _choice(points, policy, floor, memory, groups)
    outcome = contend(
        points, choice, policy=policy, floor=floor, start=memory.start, wins=memory.wins, cold=groups
    )
    if outcome.calm is not None:
        outcome = replace(outcome, calm=_apart(points, outcome.calm, policy, floor, memory))
    outcome = _apart(points, outcome, policy, floor, memory)
    notes = (why_not,) if why_not else ()
    return Findings(points, preparation, floor, policy.algorithm, choice, outcome, picked, notes)


def _of_rest(policy: ClusteringPolicy, pinned: Pinned) -> ClusteringPolicy:
    """What is asked of the fit of everybody else: the pinned segments are among those asked for."""
    fewer = {name: max(1, getattr(policy, name) - len(pinned.rows)) for name in ("k_min", "k_max")}
    k = None if policy.k is None else max(1, policy.k - len(pinned.rows))
    return replace(policy, k=k, **fewer)


def _with_pinned(points: Points, found: Findings, pinned: Pinned) -> Findings:
    outcome, calm = _put_back(points, found.outcome, pinned), found.outcome.calm
    if calm is not None:
        outcome = replace(outcome, calm=_put_back(points, calm, pinned))
    choice = replace(found.choice, k=found.choice.k + len(pinned.rows))
    return replace(found, points=points, choice=choice, outcome=outcome)


def _put_back(points: Points, outcome: Outcome, pinned: Pinned) -> Outcome:
    fit = with_pinned(points, outcome.fit, pinned)
    first = len(fit.places) - len(pinned.rows)
    kept = {first + number: row for number, row in enumerate(pinned.rows)}
    return replace(outcome, fit=fit, pinned=kept)


def _unkept(previous: ModelVersion | None, memory: _Memory, policy: ClusteringPolicy) -> list[str]:
    """Say which pinned segments could not be kept where they are."""
    ids = previous.centroid_model.segment_ids if previous is not None else ()
    return [
        f"segment {each} is pinned, but features or algorithm are others now: it goes on only as far as"
        " its customers stay together"
        for row, each in enumerate(ids)
        if each in policy.pinned and row in memory.pinned
    ]


def _memory(
    previous: ModelVersion | None, features: Sequence[PreparedFeature], policy: ClusteringPolicy
) -> _Memory:
    if previous is None:
        return _Memory()
    model, quality = previous.centroid_model, previous.quality
    kinds = {segment.id: segment.kind for segment in previous.segments}
    rows = dict(enumerate(kinds.get(each, "segment") for each in model.segment_ids))
    # Whoever is in no group has no place that could be kept.
    stay = {row: kind for row, kind in rows.items() if kind != LEFTOVERS}
    pinned = {
        row: MICRO if kind == MICRO else ""
        for row, kind in stay.items()
        if model.segment_ids[row] in policy.pinned
    }
    asked = count_in(quality, "k_asked")
    k = count_in(quality, "k_chosen") or len(model.centroids)
    return _Memory(
        places=re_express(places_of(model), model.features, features),
        pinned=pinned,
        micro=tuple(row for row, kind in rows.items() if kind == MICRO and row not in pinned),
        plain=tuple(row for row, kind in rows.items() if kind == "segment" and row not in pinned),
        wins=count_in(quality, "challenger_wins") or 0,
        chosen=Remembered(max(1, k - len(pinned)), None if asked is None else max(1, asked - len(pinned))),
        algorithm=text_in(quality, "algorithm"),
        asked=text_in(quality, "algorithm_asked"),
    )


def _by_density(
    points: Points, policy: ClusteringPolicy, floor: Floor, memory: _Memory
) -> tuple[Fit | None, str]:
    """Groups, or none and why; who was found not to suit stays so, or people would move there and back."""
    if memory.asked == policy.algorithm and memory.algorithm == FALLBACK:
        return None, f"{policy.algorithm} did not suit this data before: {FALLBACK} goes on"
    most = min(policy.k or policy.k_max, floor.most_segments)
    fit = algorithm_named(policy.algorithm).cold(points, most, seed=policy.seed)
    if fit.noise > MOST_NOISE:
        why = f"{fit.noise:.0%} of the customers are in no group"
    elif len(fit.places) == 1 and most > 1:
        why = "all customers are one group"
    else:
        return fit, ""
    return None, f"{policy.algorithm} does not suit this data: {why}; {FALLBACK} is used instead"


def _choice(
    points: Points, policy: ClusteringPolicy, floor: Floor, memory: _Memory, groups: Fit | None
) -> Choice:
    if groups is None:
        return choose(points, policy, most=floor.most_segments, remembered=memory.chosen)
    k = len(groups.places)
    changed = memory.algorithm != policy.algorithm
    return Choice(k, k, changed=changed, reason="as many as the density shows")


def _apart(
    points: Points, outcome: Outcome, policy: ClusteringPolicy, floor: Floor, memory: _Memory
) -> Outcome:
    """Set apart who is in no group and who is far off, as far as the settings want it."""
    fit = outcome.fit
    if outcome.moved_on:
        # So far rows of what the fit was started from; the last one is for what was put elsewhere.
        fit = replace(fit, origins=np.array([*memory.plain, NEW], dtype=np.intp)[fit.origins])
    if policy.noise == "leftovers":
        if outcome.way == "warm" and fit.reach and memory.reach:
            fit = replace(fit, reach=memory.reach)  # measured anew each time it moved people in and out
        grown = with_leftovers(points, fit)
        fit = fit if policy.below_minimum == "merge" and floor.is_below(int(grown.sizes[-1])) else grown
    if policy.micro_audiences:
        least = policy.micro_size * floor.sampled / floor.minimum
        known = known_groups(points, memory.places, memory.micro) if memory.places is not None else ()
        small = (Group(rows) for rows in outcome.small)
        outlying = outlying_groups(points, math.ceil(least), seed=policy.seed)
        fit = with_micro_audiences(points, fit, [*known, *small, *outlying], least)
        if policy.below_minimum == "merge":
            fit = merge_small(points, fit, floor, polish=lambda *_: None)  # who lost people to one
    return replace(outcome, fit=fit)
