"""Who changes audience from week to week: raw numbers, numbers that are matched, and segments."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.clustering.weeks import Week, Year
from clustering import ClusteringPolicy, Fitted, fit, fit_naive
from clustering.matching import match
from clustering.measuring import Labels, Points, silhouettes
from clustering.preparing import learn, prepare
from cohortd.core.modelling import FeatureSpec, ModelVersion

#: What the product must not exceed: its churn and its inertia over those of raw numbers.
CHURN_BAR: Final = 0.10
INERTIA_BAR: Final = 1.03
WAYS: Final = ("raw numbers", "matched", "cohortd")


@dataclass(frozen=True, slots=True)
class Look:
    """One way in one week."""

    #: Audience by customer.
    audiences: "pd.Series[str]"
    #: Mean squared distance to the middle of one's own audience, in that week's prepared units.
    inertia: float
    silhouette: float


@dataclass(frozen=True, slots=True)
class Line:
    """One way over all weeks and seeds."""

    way: str
    #: Share of the households seen in both weeks that changed audience, and of the worst week.
    churn: float
    worst: float
    #: Over that of raw numbers in the same week, on average.
    inertia_ratio: float
    silhouette: float
    #: Births, splits, merges and deaths a year; of raw numbers none can be told.
    events: float


def measure(year: Year, *, seeds: int, policy: ClusteringPolicy, say: Callable[[str], None]) -> list[Line]:
    """Walk every way through the same weeks, once a seed."""
    found: dict[str, list[list[tuple[Look, int]]]] = {way: [] for way in WAYS}
    for seed in range(seeds):
        say(f"stability: seed {seed + 1} of {seeds}")
        ours = list(_cohortd(year, policy, seed))
        counts = [look.audiences.nunique() for look, _ in ours]
        raw = list(_raw(year, counts, seed))
        found["cohortd"].append(ours)
        found["raw numbers"].append([(look, 0) for look in raw])
        found["matched"].append(list(_matched(raw)))
    return [_line(way, found[way], found["raw numbers"]) for way in WAYS]


def kept(lines: Sequence[Line]) -> bool:
    """Whether both bars are met."""
    by_way = {line.way: line for line in lines}
    ours, raw = by_way["cohortd"], by_way["raw numbers"]
    return ours.churn <= CHURN_BAR * raw.churn and ours.inertia_ratio <= INERTIA_BAR


def _cohortd(year: Year, policy: ClusteringPolicy, seed: int) -> Iterator[tuple[Look, int]]:
    """What `recluster` and `sync` do every week: fit from the last model, assign in the engine."""
    version: ModelVersion | None = None
    path, labels, number = None, None, 1
    for place, week in enumerate(year.weeks):
        fitted = fit(
            week.sample,
            year.specs,
            replace(policy, seed=seed),
            total=len(week.sample),
            previous=version,
            previous_labels=labels,
            next_segment_number=number,
        )
        number = fitted.next_segment_number
        version = _version(fitted, week, place, policy.algorithm)
        name = f"assignment_{seed}_{place % 2}"
        path = year.engine.assign(week.features, fitted.centroid_model, path, name=name).path
        labels = year.engine.read_assignment(path)
        yield _look(week, year.specs, labels), len(fitted.lineage) if place else 0


def _raw(year: Year, counts: Sequence[int], seed: int) -> Iterator[Look]:
    """A fresh fit a week, another seed each: a fixed one does not help (85% instead of 87%)."""
    for place, (week, k) in enumerate(zip(year.weeks, counts, strict=True)):
        labels = fit_naive(week.sample, year.specs, k, seed=1000 * (seed + 1) + place)
        yield _look(week, year.specs, pd.Series(labels.astype(str), index=week.sample.index))


def _matched(raw: Sequence[Look]) -> Iterator[tuple[Look, int]]:
    """The same fresh fits, their numbers carried over by overlap: what a good script does."""
    before: pd.Series[str] | None = None
    born = 0
    for look in raw:
        rows = np.asarray(pd.factorize(look.audiences, sort=True)[0], dtype=np.intp)
        new = int(rows.max()) + 1
        names = {row: f"m{born + row}" for row in range(new)}
        kept = 0
        if before is not None:
            old_rows, old_names = pd.factorize(before, sort=True)
            aligned = pd.Series(old_rows, index=before.index).reindex(look.audiences.index, fill_value=-1)
            matching = match(aligned.to_numpy(np.intp), rows, old=len(old_names), new=new)
            names |= {row: str(old_names[old]) for row, old in matching.kept.items()}
            kept = len(matching.kept)
        events = 0 if before is None else new - kept + before.nunique() - kept
        born += new
        before = pd.Series([names[int(row)] for row in rows], index=look.audiences.index)
        yield Look(before, look.inertia, look.silhouette), events


def _look(week: Week, specs: Sequence[FeatureSpec], audiences: "pd.Series[str]") -> Look:
    audiences = audiences.reindex(week.sample.index)
    points = prepare(week.sample, learn(week.sample, specs).features)
    rows = np.asarray(pd.factorize(audiences, sort=True)[0], dtype=np.intp)
    return Look(audiences, _spread(points, rows), silhouettes(points, [rows])[0])


def _spread(points: Points, rows: Labels) -> float:
    middles = np.stack([points[rows == row].mean(axis=0) for row in range(int(rows.max()) + 1)])
    return float(((points - middles[rows]) ** 2).sum(axis=1).mean())


def _version(fitted: Fitted, week: Week, place: int, algorithm: str) -> ModelVersion:
    return ModelVersion(
        id=place + 1,
        created_at=week.as_of,
        as_of=week.as_of,
        reason="due" if place else "first",
        algorithm=algorithm,
        centroid_model=fitted.centroid_model,
        segments=fitted.segments,
        lineage=fitted.lineage,
        quality=fitted.quality,
    )


def _line(way: str, seeds: list[list[tuple[Look, int]]], raw: list[list[tuple[Look, int]]]) -> Line:
    moves = [
        _moved(one.audiences, other.audiences)
        for looks in seeds
        for (one, _), (other, _) in pairwise(looks)
    ]
    pairs = [
        (look.inertia, fresh.inertia)
        for looks, freshes in zip(seeds, raw, strict=True)
        for (look, _), (fresh, _) in zip(looks, freshes, strict=True)
    ]
    return Line(
        way=way,
        churn=fmean(moves),
        worst=max(moves),
        inertia_ratio=fmean(ours for ours, _ in pairs) / fmean(theirs for _, theirs in pairs),
        silhouette=fmean(look.silhouette for looks in seeds for look, _ in looks),
        events=fmean(sum(events for _, events in looks) for looks in seeds),
    )


def _moved(one: "pd.Series[str]", other: "pd.Series[str]") -> float:
    both = one.index.intersection(other.index)
    return float((one.loc[both].to_numpy() != other.loc[both].to_numpy()).mean())
