"""A new model version when one is due; sends nothing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cohortd.core.modelling import ModelVersion
from cohortd.pipeline.clusters import cluster
from cohortd.pipeline.planning import workdir
from cohortd.pipeline.portraits import page_of
from cohortd.pipeline.reading import read_tables, require_customers
from cohortd.pipeline.watching import refuse_anomalies
from cohortd.pipeline.wiring import Pipeline


@dataclass(frozen=True, slots=True)
class Reclustered:
    """The model version in force, and whether this run made it."""

    version: ModelVersion
    reason: str | None
    moved_share: float | None
    #: segment, name, description, kind, customers, confidence (if soft), hint, stage, held of each segment.
    segments: tuple[dict[str, object], ...]
    stability: dict[str, object]
    #: The version's page; None where it is not there.
    report: Path | None = None

    def as_json(self) -> dict[str, object]:
        """The answer of ``recluster --json``."""
        return {
            "status": "done",
            "model_version": self.version.id,
            "reclustered": self.reason is not None,
            "reason": self.reason,
            "algorithm": self.version.algorithm,
            "moved_share": self.moved_share,
            "segments": list(self.segments),
            "report": str(self.report) if self.report is not None else None,
            "lineage": [
                {"event": e.kind, "segment": e.segment_id, "other": e.other_id, "detail": e.detail}
                for e in (self.version.lineage if self.reason is not None else ())
            ],
            "quality": self.version.quality,
            "stability": self.stability,
        }


def recluster(pipeline: Pipeline, *, as_of: datetime | None, force: bool) -> Reclustered:
    """Fit where a new model version is the first, due, drifted or forced."""
    at = pipeline.at(as_of)
    with workdir(pipeline) as folder, pipeline.engine(folder) as engine:
        tables = read_tables(pipeline, engine, as_of=at)
        require_customers(tables)
        refuse_anomalies(tables.anomalies, force=force)
        clustered = cluster(pipeline, engine, tables, as_of=at, refit=True, force=force)
        sizes = engine.sizes(clustered.assignment)
        sure = engine.confidences(clustered.assignment)
    version = clustered.version
    segments: tuple[dict[str, object], ...] = tuple(
        {
            "segment": segment.id,
            "name": segment.name,
            "description": segment.description,
            "kind": segment.kind,
            "customers": sizes.get(segment.id, 0),
            "confidence": round(sure[segment.id], 4) if segment.id in sure else None,
            "hint": segment.hint,
            "stage": segment.stage or None,
            "held": segment.held or None,
        }
        for segment in version.segments
    )
    return Reclustered(
        version,
        clustered.refitted,
        clustered.moved_share,
        segments,
        clustered.stability.as_json(),
        page_of(pipeline, version.id),
    )
