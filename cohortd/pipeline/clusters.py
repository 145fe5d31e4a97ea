"""Features, the model version in force, and everybody's segment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

import clustering
from cohortd.core.modelling import FeatureSpec, ModelVersion
from cohortd.engine import Engine, StagedTable
from cohortd.pipeline.featuring import Chosen, choose_features, meanings
from cohortd.pipeline.naming import take_names
from cohortd.pipeline.reading import Tables
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


def cluster(
    pipeline: Pipeline, engine: Engine, tables: Tables, *, as_of: datetime, refit: bool, force: bool
) -> Clustered:
    """Assign everybody, with a new model version where there is none, or *refit* and it is due.

    Args:
        refit: Whether a version that is due or drifted may be replaced; the first one always is made.
        force: Whether to make a new version in any case.
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
    if reason is not None:
        pipeline.progress("clustering")
        current = _new_version(
            pipeline, engine, features, chosen.fitted, current, as_of=as_of, reason=reason
        )
    assert current is not None
    current = take_names(pipeline, current)
    pipeline.progress("assigning segments")
    assignment = engine.assign(features, current.centroid_model, previous_assignment(pipeline))
    moved = engine.moved_share(assignment)
    stability = replace(stability, refitted=reason is not None, moved_share=moved)
    return Clustered(
        version=current,
        refitted=reason,
        features=features,
        assignment=assignment,
        moved_share=moved,
        specs=chosen.fitted,
        notes=(*chosen.notes, *_warnings(current), *stability.alerts),
        stability=stability,
    )


def _warnings(version: ModelVersion) -> list[str]:
    """What the fit found worth a person's look, such as a name that no longer fits."""
    found = version.quality.get("warnings")
    return [str(warning) for warning in found] if isinstance(found, list) else []


def previous_assignment(pipeline: Pipeline) -> Path | None:
    """Find the last applied assignment; a lost file only means that nobody has a previous segment."""
    path = pipeline.ledger.models.assignment()
    return path if path is not None and path.exists() else None


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
        as_of=_day_after_last_event(engine, tables, as_of),
        window=pipeline.segmentation.window,
        context=tables.context,
        name=name,
    )


def _day_after_last_event(engine: Engine, tables: Tables, as_of: datetime) -> datetime:
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
    if not refit:
        return None
    return clustering.due(
        current,
        as_of=as_of,
        refit_every=pipeline.segmentation.refit_every,
        force=False,
        drifts=drifts,
    )


def _new_version(
    pipeline: Pipeline,
    engine: Engine,
    features: StagedTable,
    specs: Sequence[FeatureSpec],
    current: ModelVersion | None,
    *,
    as_of: datetime,
    reason: str,
) -> ModelVersion:
    policy = pipeline.segmentation
    models = pipeline.ledger.models
    sample = engine.sample(features, policy.sample_size, "fit")
    fitted = clustering.fit(
        sample,
        specs,
        _within_reach(pipeline),
        total=engine.count(features),
        previous=current,
        previous_labels=_previous_labels(pipeline, engine),
        next_segment_number=models.next_segment_number(),
    )
    version = ModelVersion(
        id=0,
        created_at=pipeline.clock(),
        as_of=as_of,
        reason=reason,
        algorithm=fitted.algorithm,
        centroid_model=fitted.centroid_model,
        segments=fitted.segments,
        lineage=fitted.lineage,
        quality=fitted.quality | meanings(pipeline, specs),
    )
    return models.save(version, next_segment_number=fitted.next_segment_number, at=pipeline.clock())


def _within_reach(pipeline: Pipeline) -> clustering.ClusteringPolicy:
    """What people decide, but no segment so small that no destination would serve it."""
    served = min((d.connector.limits.minimum_size for d in pipeline.destinations.values()), default=1)
    policy = pipeline.segmentation.clustering
    return replace(policy, minimum_size=max(policy.minimum_size, served), micro_size=max(1, served))


def _previous_labels(pipeline: Pipeline, engine: Engine) -> "pd.Series[str] | None":
    path = previous_assignment(pipeline)
    return engine.read_assignment(path) if path is not None else None
