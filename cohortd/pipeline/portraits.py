"""The page of a new model version: what clustering found, drawn with what the ledger remembers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cohortd.core.modelling import ModelVersion
from cohortd.core.movement import Flow, Movement
from cohortd.core.portrait import Portrait
from cohortd.core.reporting import StabilityReading
from cohortd.engine import Engine, StagedTable
from cohortd.pipeline.wiring import Pipeline
from cohortd.report import Looks, page_name, write_segments_report

#: Runs and model versions that the past is drawn from.
_RUNS = 200
_VERSIONS = 60


def write_portrait(
    pipeline: Pipeline, engine: Engine, version: ModelVersion, portrait: Portrait, assignment: StagedTable
) -> None:
    """Write the page of *version*, which was just made, whether it comes into force or is held back."""
    pipeline.progress("writing the report of the segments")
    sizes, movement = engine.sizes(assignment), movement_of(pipeline, engine, version, assignment)
    past, model = tuple(readings(pipeline, version)), pipeline.ledger.models.model
    looks = Looks(portrait, sizes, movement, past, _limits(pipeline), model)
    reports = pipeline.data_dir / "reports"
    pipeline.draw(write_segments_report, reports, version, looks, plots=pipeline.plots)


def page_of(pipeline: Pipeline, version: ModelVersion) -> Path | None:
    """Find the page of a version, or of that which it restores; None where somebody took it away."""
    numbers = (version.id, version.restores) if version.restores else (version.id,)
    pages = (pipeline.data_dir / "reports" / page_name(number) for number in numbers)
    return next((page for page in pages if page.exists()), None)


def movement_of(
    pipeline: Pipeline, engine: Engine, version: ModelVersion, assignment: StagedTable
) -> Movement | None:
    """Who went where since the assignment that was applied last; None where there was none."""
    flows = tuple(Flow(*each) for each in engine.flows(assignment))
    if not any(flow.before for flow in flows):
        return None
    gone = {flow.before for flow in flows} - {segment.id for segment in version.segments} - {""}
    return Movement(flows, _names(pipeline, version, gone))


def readings(pipeline: Pipeline, version: ModelVersion) -> Iterator[StabilityReading]:
    """What finished syncs measured, and when fits were made, oldest first; *version* is the newest fit.

    Runs tell of the main model. Of one beside it, only what its fits found is known.
    """
    if pipeline.ledger.models.model:
        yield from _fits(pipeline, version, ("moved_share", "silhouette"))
        return
    runs = [
        StabilityReading(run.as_of, measures, drift=_drift(run.summary))
        for run in pipeline.ledger.runs.list(_RUNS)
        if run.kind == "sync" and (measures := _measures(run.summary))
    ]
    yield from sorted([*_fits(pipeline, version), *runs], key=lambda reading: reading.at)


def _limits(pipeline: Pipeline) -> dict[str, float]:
    """From where on somebody is told, by measure; silhouettes are measured against the fit's own."""
    drift = pipeline.segmentation.drift
    limits = {"moved_share": drift.churn, "psi_max": drift.psi, "inertia_ratio": drift.inertia}
    return {measure: limit for measure, limit in limits.items() if limit is not None}


def _measures(summary: dict[str, object]) -> dict[str, float]:
    """The numbers of a run's account of stability; runs of an earlier cohortd only know who moved."""
    stability, drift = _stability(summary), _drift(summary)
    told = {
        "moved_share": summary.get("moved_share"),
        "psi_max": max(drift.values(), default=None),
        "inertia_ratio": stability.get("inertia_ratio"),
        "silhouette": stability.get("silhouette"),
    }
    return {name: float(value) for name, value in told.items() if isinstance(value, int | float)}


def _drift(summary: dict[str, object]) -> dict[str, float]:
    kept = _stability(summary).get("drift")
    return {str(name): float(psi) for name, psi in kept.items()} if isinstance(kept, dict) else {}


def _stability(summary: dict[str, object]) -> dict[str, Any]:
    kept = summary.get("stability")
    return kept if isinstance(kept, dict) else {}


def _fits(
    pipeline: Pipeline, version: ModelVersion, measures: tuple[str, ...] = ()
) -> Iterator[StabilityReading]:
    for number in range(max(1, version.id - _VERSIONS), version.id + 1):
        fit = version if number == version.id else pipeline.ledger.models.get(number)
        if fit is not None:
            told = {name: fit.quality.get(name) for name in measures}
            known = {name: float(value) for name, value in told.items() if isinstance(value, int | float)}
            yield StabilityReading(fit.as_of, known, refitted=True)


def _names(pipeline: Pipeline, version: ModelVersion, gone: set[str]) -> dict[str, str]:
    """What segments were called that are no more."""
    names: dict[str, str] = {}
    for number in range(version.id - 1, 0, -1):
        if not gone - names.keys():
            break
        before = pipeline.ledger.models.get(number)
        for segment in before.segments if before is not None else ():
            if segment.id in gone:
                names.setdefault(segment.id, segment.name)
    return names
