"""A new model version when one is due; sends nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import structlog

from cohortd.core.errors import GuardError
from cohortd.core.modelling import ModelVersion
from cohortd.core.observing import RunEnd
from cohortd.core.planning import GuardStop
from cohortd.engine import Engine
from cohortd.ledger import KeptVersion
from cohortd.pipeline.clusters import Clustered
from cohortd.pipeline.models import MAIN, cluster_all, of_model
from cohortd.pipeline.portraits import page_of
from cohortd.pipeline.reading import read_tables, require_customers
from cohortd.pipeline.versions import events_json
from cohortd.pipeline.watching import refuse_anomalies
from cohortd.pipeline.wiring import Pipeline
from cohortd.pipeline.workdir import workdir

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reclustered:
    """The model version in force, and whether this run made it."""

    version: ModelVersion
    reason: str | None
    moved_share: float | None
    #: segment, name, description, kind, customers, confidence (if soft), hint, stage, held of each segment.
    segments: tuple[dict[str, object], ...]
    stability: Mapping[str, object]
    #: Why the version that this run made did not come into force.
    stopped: GuardStop | None = None
    #: A version that is held back, of this run or an earlier one.
    waiting: KeptVersion | None = None
    #: The version's page; None where it is not there.
    report: Path | None = None
    #: The same of the models beside the main one, by name.
    beside: Mapping[str, "Reclustered"] = field(default_factory=dict)
    #: Sentences for people, as a plan has them: features left out, what needs a look.
    notes: tuple[str, ...] = ()

    @property
    def is_stopped(self) -> bool:
        """Whether a version that this run made did not come into force, of any model."""
        return self.stopped is not None or any(each.is_stopped for each in self.beside.values())

    @property
    def stops(self) -> tuple[GuardStop, ...]:
        """What kept versions that this run made from coming into force."""
        own = (self.stopped,) if self.stopped is not None else ()
        return (*own, *(stop for each in self.beside.values() for stop in each.stops))

    def as_json(self) -> dict[str, object]:
        """The answer of ``recluster --json``."""
        return {
            "status": "stopped" if self.is_stopped else "done",
            "model_version": self.version.id,
            "reclustered": self.reason is not None,
            "reason": self.reason,
            "algorithm": self.version.algorithm,
            "moved_share": self.moved_share,
            "segments": list(self.segments),
            "report": str(self.report) if self.report is not None else None,
            "lineage": events_json(self.version) if self.reason is not None else [],
            "quality": self.version.quality,
            "stability": self.stability,
            "guards": [{"guard": s.guard, "detail": s.detail} for s in (self.stopped,) if s is not None],
            "held_back": _waiting_json(self.waiting),
            "models": {name: each.as_json() for name, each in self.beside.items()},
            "notes": list(self.notes),
        }


def recluster(pipeline: Pipeline, *, as_of: datetime | None, force: bool) -> Reclustered:
    """Fit where a new model version is the first, due, drifted or forced.

    Args:
        as_of: Now, if it is not the clock's.
        force: Whether to fit although none is due, however many it moves.
    """
    started = pipeline.clock()
    try:
        with pipeline.observer.trace("recluster"):
            made = _reclustered(pipeline, at=pipeline.at(as_of), force=force)
    except GuardError as error:
        _observed(pipeline, started, "stopped", error.stops)
        raise
    except BaseException:
        _observed(pipeline, started, "failed", ())
        raise
    _observed(pipeline, started, "stopped" if made.is_stopped else "done", made.stops)
    return made


def _observed(pipeline: Pipeline, started: datetime, status: str, stops: Iterable[GuardStop]) -> None:
    """Tell whoever watches how it ended."""
    took = (pipeline.clock() - started).total_seconds()
    guards = [stop.guard for stop in stops]
    pipeline.observer.run_ended(RunEnd("recluster", status, took, guards))


def _reclustered(pipeline: Pipeline, *, at: datetime, force: bool) -> Reclustered:
    with workdir(pipeline) as folder, pipeline.engine(folder) as engine:
        tables = read_tables(pipeline, engine, as_of=at)
        require_customers(tables)
        refuse_anomalies(tables.anomalies, force=force)
        models = cluster_all(pipeline, engine, tables, as_of=at, refit=True, force=force)
        made = {
            name: _made(of_model(pipeline, name), engine, clustered) for name, clustered in models.items()
        }
    return replace(made.pop(MAIN), beside=made)


def _made(pipeline: Pipeline, engine: Engine, clustered: Clustered) -> Reclustered:
    sizes = engine.sizes(clustered.assignment)
    sure = engine.confidences(clustered.assignment)
    if clustered.stopped is not None:
        log.warning("recluster_stopped", guard=clustered.stopped.guard, detail=clustered.stopped.detail)
    return Reclustered(
        clustered.version,
        clustered.refitted,
        clustered.moved_share,
        _segment_rows(clustered.version, lambda each: sizes.get(each, 0), sure),
        clustered.stability.as_json(),
        clustered.stopped,
        waiting := pipeline.ledger.models.waiting(),
        page_of(pipeline, clustered.version if waiting is None else waiting.version),
        notes=clustered.notes,
    )


def put_in_force(pipeline: Pipeline, version: ModelVersion) -> Reclustered:
    """Describe a version that people put in force without a fit, by the customers it was fitted on."""
    known = version.quality.get("sizes")
    sizes: Mapping[str, object] = known if isinstance(known, dict) else {}
    rows = _segment_rows(version, sizes.get, {})
    return Reclustered(version, version.reason, None, rows, {}, report=page_of(pipeline, version))


def _segment_rows(
    version: ModelVersion, size_of: Callable[[str], object], sure: Mapping[str, float]
) -> tuple[dict[str, object], ...]:
    return tuple(
        {
            "segment": segment.id,
            "name": segment.name,
            "description": segment.description,
            "kind": segment.kind,
            "customers": size_of(segment.id),
            "confidence": round(sure[segment.id], 4) if segment.id in sure else None,
            "hint": segment.hint or None,
            "stage": segment.stage or None,
            "held": segment.held or None,
        }
        for segment in version.segments
    )


def _waiting_json(waiting: KeptVersion | None) -> dict[str, object] | None:
    if waiting is None:
        return None
    version = waiting.version
    return {
        "model_version": version.id,
        "why": waiting.held_back,
        "reason": version.reason,
        "moved_share": version.quality.get("moved_share"),
        "segments": [{"segment": each.id, "name": each.name} for each in version.segments],
        "lineage": events_json(version),
    }
