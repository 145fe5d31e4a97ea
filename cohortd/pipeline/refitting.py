"""A new model version: fitted, held against the churn budget, and then in force or held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import clustering
from cohortd.core.modelling import FeatureSpec, ModelVersion
from cohortd.core.planning import GuardStop
from cohortd.core.portrait import Portrait
from cohortd.engine import Engine, StagedTable
from cohortd.ledger import KeptVersion
from cohortd.pipeline import fitting, guards
from cohortd.pipeline.featuring import meanings
from cohortd.pipeline.wiring import Pipeline

#: The reason of a version by which people went back to an earlier one.
ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a refit."""

    reason: str
    specs: tuple[FeatureSpec, ...]
    as_of: datetime
    #: Whether it comes into force however many it moves.
    any_churn: bool


@dataclass(frozen=True, slots=True)
class Refit:
    """A version as it was kept, and everybody's segment under it."""

    version: ModelVersion
    assignment: StagedTable
    #: Why it does not come into force, if it does not.
    stopped: GuardStop | None
    #: For its page.
    portrait: Portrait


def refitted(
    pipeline: Pipeline, engine: Engine, features: StagedTable, current: ModelVersion | None, wanted: Wanted
) -> Refit:
    """Fit, see how many change segment, and keep it: in force, or held back above the churn budget.

    Raises:
        LedgerError: Meanwhile another version came into force.
    """
    models = pipeline.ledger.models
    before = previous_assignment(pipeline)
    version, fitted = _fitted(pipeline, engine, features, current, wanted)
    assignment = engine.assign(features, version.centroid_model, before, name="assignment_refitted")
    moved = engine.moved_share(assignment)
    stopped = None
    if current is not None and not wanted.any_churn:
        stopped = _over_budget(pipeline, engine, features, current, moved=moved, before=before)
    kept = models.save(
        replace(version, quality={**version.quality, "moved_share": moved}),
        next_segment_number=fitted.next_segment_number,
        at=pipeline.clock(),
        held_back=stopped.detail if stopped is not None else "",
        follows=current.id if current is not None else 0,
    )
    return Refit(kept, assignment, stopped, fitted.portrait)


def rests(
    pipeline: Pipeline, current: ModelVersion, specs: Sequence[FeatureSpec], *, as_of: datetime
) -> bool:
    """Tell whether no refit is tried until the next one is due.

    So it is after one was held back, which would be found again at every run, and after people went
    back to an earlier version. Unless the settings ask for something else since.
    """
    waiting = pipeline.ledger.models.waiting()
    last = waiting.version if waiting is not None else current if current.reason == ROLLED_BACK else None
    if last is None or as_of - last.as_of >= pipeline.segmentation.refit_every:
        return False
    policy = pipeline.segmentation.clustering
    asked = {"features": [s.name for s in specs], "algorithm_asked": policy.algorithm, "k_asked": policy.k}
    return waiting is None or all(last.quality.get(key) == value for key, value in asked.items())


def waiting_told(waiting: KeptVersion) -> str:
    """Say of a version that is held back why, and what a person may do."""
    return (
        f"the re-clustering of {waiting.version.as_of:%Y-%m-%d} (model version {waiting.version.id}) is not"
        f" in force: {waiting.held_back}. cohortd recluster --history shows it, cohortd recluster --accept"
        " puts it in force; else the next one that is due tries again"
    )


def previous_assignment(pipeline: Pipeline) -> Path | None:
    """Find the last applied assignment; a lost file only means that nobody has a previous segment."""
    file = pipeline.ledger.models.assignment()
    path = pipeline.data_dir / "assignments" / (file or "")
    return path if path.is_file() else None


def _over_budget(
    pipeline: Pipeline,
    engine: Engine,
    features: StagedTable,
    current: ModelVersion,
    *,
    moved: float | None,
    before: Path | None,
) -> GuardStop | None:
    """Hold the share that moves against the budget, and against what moves without a refit."""
    budget = pipeline.segmentation.churn_budget
    if moved is None or moved <= budget:
        return None
    stays = engine.assign(features, current.centroid_model, before, name="assignment_kept")
    without = engine.moved_share(stays) or 0.0
    return guards.churn_budget(moved, without=without, limit=budget, version=current.id)


def _fitted(
    pipeline: Pipeline,
    engine: Engine,
    features: StagedTable,
    current: ModelVersion | None,
    wanted: Wanted,
) -> tuple[ModelVersion, clustering.Fitted]:
    fitted = engine.near(
        fitting.fit,
        features,
        wanted.specs,
        _within_reach(pipeline),
        sample_size=pipeline.segmentation.sample_size,
        previous=current,
        before=previous_assignment(pipeline),
        next_segment_number=pipeline.ledger.models.next_segment_number(),
    )
    version = ModelVersion(
        id=0,
        created_at=pipeline.clock(),
        as_of=wanted.as_of,
        reason=wanted.reason,
        algorithm=fitted.algorithm,
        centroid_model=fitted.centroid_model,
        segments=fitted.segments,
        lineage=fitted.lineage,
        quality=fitted.quality | meanings(pipeline, wanted.specs),
    )
    return version, fitted


def _within_reach(pipeline: Pipeline) -> clustering.ClusteringPolicy:
    """What people decide, but no segment so small that no destination would serve it."""
    served = min((d.connector.limits.minimum_size for d in pipeline.destinations.values()), default=1)
    policy = pipeline.segmentation.clustering
    return replace(policy, minimum_size=max(policy.minimum_size, served), micro_size=max(1, served))
