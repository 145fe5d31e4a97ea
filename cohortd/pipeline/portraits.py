"""The page of a new model version: what clustering found, drawn with what the ledger remembers."""

from collections.abc import Iterator, Mapping
from pathlib import Path

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
    pipeline: Pipeline,
    version: ModelVersion,
    portrait: Portrait,
    sizes: Mapping[str, int],
    movement: Movement | None,
) -> None:
    """Write the page of *version*, which was just made."""
    pipeline.progress("writing the report of the segments")
    looks = Looks(
        portrait,
        sizes,
        movement,
        tuple(readings(pipeline, version)),
        {"moved_share": pipeline.guards.moved_share, "psi_max": pipeline.segmentation.drift_limit},
    )
    write_segments_report(pipeline.data_dir / "reports", version, looks, plots=pipeline.plots)


def page_of(pipeline: Pipeline, version_id: int) -> Path | None:
    """Find the page of a version; None where nobody wrote it, or somebody took it away."""
    page = pipeline.data_dir / "reports" / page_name(version_id)
    return page if page.exists() else None


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
    """What finished syncs and fits measured, oldest first; *version* is the newest fit."""
    runs = [
        StabilityReading(run.as_of, measures)
        for run in pipeline.ledger.runs.list(_RUNS)
        if run.kind == "sync" and (measures := _measures(run.summary))
    ]
    yield from sorted([*_of_fits(pipeline, version), *runs], key=lambda reading: reading.at)


def _measures(summary: dict[str, object]) -> dict[str, float]:
    """The numbers of a run's summary, its account of stability included."""
    stability = summary.get("stability")
    told = {**(stability if isinstance(stability, dict) else {}), "moved_share": summary.get("moved_share")}
    return {name: float(value) for name, value in told.items() if isinstance(value, int | float)}


def _of_fits(pipeline: Pipeline, version: ModelVersion) -> Iterator[StabilityReading]:
    for number in range(max(1, version.id - _VERSIONS), version.id + 1):
        fit = version if number == version.id else pipeline.ledger.models.get(number)
        if fit is not None:
            silhouette = fit.quality.get("silhouette")
            known = {"silhouette": float(silhouette)} if isinstance(silhouette, int | float) else {}
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
