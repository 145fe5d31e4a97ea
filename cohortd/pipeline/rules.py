"""Whom people's own conditions hold of, beside everybody's segment under the model."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import numpy as np

from cohortd.core.errors import SettingsError
from cohortd.engine import PLACE, Engine, StagedTable, available
from cohortd.pipeline.belonging import Belonging, Division
from cohortd.pipeline.clusters import Clustered, compute_features
from cohortd.pipeline.models import MAIN, audience_id
from cohortd.pipeline.reading import Tables
from cohortd.pipeline.wiring import Pipeline


def belonging_of(
    pipeline: Pipeline, engine: Engine, tables: Tables, models: Mapping[str, Clustered], *, as_of: datetime
) -> Belonging:
    """Find out which audiences everybody belongs to: a segment's of each model, those of rules that hold.

    Raises:
        SettingsError: A rule reads what the tables do not have; nobody would be left in its audience.
    """
    rules = pipeline.audiences.rules
    if rules:
        pipeline.progress("deciding people's own segments")
    segments = {name: each.version.centroid_model.segment_ids for name, each in models.items()}
    told = engine.belonging(
        tables.customers,
        {name: (each.assignment, segments[name]) for name, each in models.items()},
        features=list(_features(pipeline, engine, tables, models[MAIN], as_of=as_of)) if rules else (),
        conditions={rule.segment.id: rule.condition for rule in rules},
    )
    found = (
        Division(
            tuple(audience_id(name, segment) for segment in segments[name]),
            told[f"{PLACE}{name}"].to_numpy(dtype=np.int16),
            name or "main",
        )
        for name in models
    )
    own = (
        Division((rule.segment.id,), (told[rule.segment.id].to_numpy(dtype=np.bool_) - 1).astype(np.int16))
        for rule in rules
    )
    return Belonging(told.index, (*found, *own))


def _features(
    pipeline: Pipeline, engine: Engine, tables: Tables, clustered: Clustered, *, as_of: datetime
) -> Iterator[StagedTable]:
    """The model's features, and those that only rules read."""
    yield clustered.features
    wanted = {
        spec.name: (rule.segment.id, spec)
        for rule in pipeline.audiences.rules
        for spec in rule.condition.specs
        if spec.name not in clustered.features.columns
    }
    _, missing = available(
        [spec for _, spec in wanted.values()],
        tables.events.columns,
        tables.customers.columns,
        tables.context.columns if tables.context is not None else (),
    )
    if missing:
        lacking = "; ".join(f"{wanted[spec.name][0]} reads {spec.name}, but {why}" for spec, why in missing)
        raise SettingsError(f"audiences.rules: {lacking}")
    if wanted:
        specs = [spec for _, spec in wanted.values()]
        yield compute_features(pipeline, engine, tables, specs, as_of=as_of, name="rule_features")
