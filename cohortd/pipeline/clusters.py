"""Features, the model version in force, and everybody's segment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import clustering
from cohortd.core.modelling import FeatureSpec, ModelVersion
from cohortd.core.movement import Movement
from cohortd.core.planning import GuardStop
from cohortd.engine import Engine, StagedTable
from cohortd.pipeline.featuring import Chosen, choose_features
from cohortd.pipeline.kept_files import previous_assignment
from cohortd.pipeline.naming import take_names
from cohortd.pipeline.portraits import movement_of, write_portrait
from cohortd.pipeline.reading import Tables
from cohortd.pipeline.refitting import Refit, Wanted, refitted, rests, waiting_told
from cohortd.pipeline.stability import Stability, read_stability
from cohortd.pipeline.wiring import Pipeline


@dataclass(frozen=True, slots=True)
class Clustered:
    """Everybody's segment under the model version in force."""

    version: ModelVersion
    #: Why a new version was made in this run, or None.
    refitted: str | None
    features: StagedTable
    assignment: StagedTable
    moved_share: float | None
    specs: tuple[FeatureSpec, ...]
    notes: tuple[str, ...]
    stability: Stability
    #: Why a version that was made in this run did not come into force.
    stopped: GuardStop | None = None
    #: Who went where since the last applied assignment; None where there was none.
    movement: Movement | None = None


def cluster(
    pipeline: Pipeline,
    engine: Engine,
    tables: Tables,
    *,
    as_of: datetime,
    refit: bool,
    force: bool,
) -> Clustered:
    """Assign everybody, with a new model version where there is none, or *refit* and it is due.

    Args:
        refit: Whether a version that is due or drifted may be replaced; the first one always is made.
        force: Whether to make a new version in any case, however many it moves.
    """
    current = pipeline.ledger.models.current()
    chosen = choose_features(pipeline, engine, tables, current)
    pipeline.progress("computing features")
    features = compute_features(pipeline, engine, tables, chosen.computed, as_of=as_of)
    stability = read_stability(
        pipeline, engine, features, chosen.fitted, None if chosen.lost else current, as_of=as_of
    )
    reason = _reason(
        pipeline, chosen, current, as_of=as_of, refit=refit, force=force, drifts=stability.drifts
    )
    assignment, stopped = None, None
    if reason is not None:
        # Where the model in force can no longer be computed, there is nothing to stay with.
        wanted = Wanted(reason, chosen.fitted, as_of, any_churn=force or bool(chosen.lost))
        made = _made(pipeline, engine, features, current, wanted)
        stopped = made.stopped
        if stopped is None:
            current, assignment = made.version, made.assignment
    assert current is not None
    current = take_names(pipeline, current)
    pipeline.progress("assigning segments")
    if assignment is None:
        assignment = engine.assign(
            features, current.centroid_model, previous_assignment(pipeline, features)
        )
    moved = engine.moved_share(assignment)
    stability = replace(stability, refitted=reason is not None and stopped is None, moved_share=moved)
    return Clustered(
        version=current,
        refitted=reason if stopped is None else None,
        features=features,
        assignment=assignment,
        moved_share=moved,
        specs=chosen.fitted,
        notes=(*chosen.notes, *_warnings(current), *stability.alerts, *_held_back(pipeline)),
        stability=stability,
        stopped=stopped,
        movement=movement_of(pipeline, engine, current, assignment),
    )


def _made(
    pipeline: Pipeline, engine: Engine, features: StagedTable, current: ModelVersion | None, wanted: Wanted
) -> Refit:
    """Make a new version, in force or held back, and its page."""
    pipeline.progress("clustering")
    made = refitted(pipeline, engine, features, current, wanted)
    write_portrait(pipeline, engine, made.version, made.portrait, made.assignment)
    return made


def _held_back(pipeline: Pipeline) -> list[str]:
    """Say that a model version waits for a person, for as long as it does."""
    waiting = pipeline.ledger.models.waiting()
    return [] if waiting is None else [waiting_told(waiting)]


def _warnings(version: ModelVersion) -> list[str]:
    """What the fit found worth a person's look, such as a name that no longer fits."""
    found = version.quality.get("warnings")
    return [str(warning) for warning in found] if isinstance(found, list) else []


def compute_features(
    pipeline: Pipeline,
    engine: Engine,
    tables: Tables,
    specs: Sequence[FeatureSpec],
    *,
    as_of: datetime,
    name: str = "features",
) -> StagedTable:
    """Compute features over the events that count, all anchored to the same day."""
    return engine.features(
        tables.events,
        tables.customers,
        specs,
        as_of=day_after_last_event(engine, tables, as_of),
        window=pipeline.segmentation.window,
        context=tables.context,
        name=name,
    )


def day_after_last_event(engine: Engine, tables: Tables, as_of: datetime) -> datetime:
    """Anchor features to the data, in whole days.

    A table that was not fed for a day must not make everybody a day older: the same rows give the
    same features whenever they are read (law 8).
    """
    latest = engine.latest(tables.events) or as_of
    return latest.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _reason(
    pipeline: Pipeline,
    chosen: Chosen,
    current: ModelVersion | None,
    *,
    as_of: datetime,
    refit: bool,
    force: bool,
    drifts: Sequence[str],
) -> str | None:
    if current is None:
        return "first"
    if force or chosen.lost:
        return "forced"
    if not refit or rests(pipeline, current, chosen.fitted, as_of=as_of):
        return None
    return clustering.due(
        current,
        as_of=as_of,
        refit_every=pipeline.segmentation.refit_every,
        force=False,
        drifts=drifts,
    )
