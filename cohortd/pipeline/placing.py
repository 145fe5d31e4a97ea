"""Why one customer is in their segment: computed when asked, for no feature of anybody is kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cohortd.core.errors import GuardError, SettingsError, SourceError
from cohortd.core.modelling import CentroidModel, ModelVersion
from cohortd.core.times import format_time
from cohortd.engine import Engine, StagedTable
from cohortd.pipeline.clusters import day_after_last_event
from cohortd.pipeline.decisions import by_time
from cohortd.pipeline.featuring import choose_features
from cohortd.pipeline.kept_files import previous_assignment
from cohortd.pipeline.reading import Tables, stage_context
from cohortd.pipeline.wiring import Pipeline
from cohortd.pipeline.workdir import workdir
from cohortd.report.quoting import quantity
from cohortd.sources import Tally, read_customers, read_events

#: Runs whose data was decided on.
_DECIDED: Final = ("done", "partial", "stopped")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a customer is among the segments, as of the last sync's data, or why that cannot be said."""

    customer_id: str
    as_of: str = ""
    segment: str = ""
    name: str = ""
    distance: float | None = None
    #: Probability of the segment, where segments are densities.
    confidence: float | None = None
    #: Whether another segment is nearer, but not by as much as the margin asks for.
    kept_by_margin: bool = False
    margin: float = 0.0
    #: segment, name, distance of the nearest other one.
    runner_up: Mapping[str, object] | None = None
    #: The first of the latest runs in a row that decided on this segment, and whether it may be longer.
    since_run: str = ""
    since: str = ""
    since_or_longer: bool = False
    #: feature, title, value, typical, typical_others of what sets the segment apart.
    features: tuple[Mapping[str, object], ...] = ()
    why_not: str = ""

    def sentences(self) -> Iterator[str]:
        """Tell it to people."""
        if self.why_not:
            yield f"Why in no segment, or in which, cannot be said now: {self.why_not}."
            return
        since = f", since the run {self.since_run} of {self.since}" if self.since_run else ""
        longer = " or longer (no older decision is kept)" if self.since_or_longer else ""
        yield f"Customer {self.customer_id} is in segment {self.segment} ({self.name}){since}{longer}."
        for row in self.features:
            own, typical, others = (_told(row, key) for key in ("value", "typical", "typical_others"))
            yield f"{row['title']}: {own}; typical of the segment {typical}, of all others {others}."
        yield from self._distances()

    def _distances(self) -> Iterator[str]:
        if self.runner_up is None:
            return
        other = f"{self.runner_up['segment']} ({self.runner_up['name']})"
        told = f"The distance to it is {_number(self.distance)}, to the nearest other, {other},"
        yield f"{told} {_number(self.runner_up['distance'])}."
        if self.kept_by_margin:
            yield f"That one is nearer, but not by {self.margin:.0%}: so they stay where they were."
        if self.confidence is not None:
            yield f"How likely this segment is for them: {self.confidence:.0%}."


def place(pipeline: Pipeline, customer_id: str) -> Placement:
    """Compute one customer's features again from the sources, and hold them against the segments."""
    version = pipeline.ledger.models.current()
    last = pipeline.ledger.runs.last(kind="sync", status=_DECIDED)
    if version is None or last is None:
        return Placement(customer_id, why_not="there was no sync yet")
    try:
        with workdir(pipeline) as folder, pipeline.engine(folder) as engine:
            tables = _of_one(pipeline, engine, customer_id, until=last.as_of)
            found = _placed(pipeline, engine, tables, version, customer_id, as_of=last.as_of)
    except (SourceError, SettingsError, GuardError) as error:
        return Placement(customer_id, why_not=str(error).rstrip("."))
    run_id, or_longer = _since(pipeline, customer_id, found.segment)
    run = pipeline.ledger.runs.get(run_id) if run_id else None
    return replace(
        found,
        since_run=run_id,
        since=format_time(run.started_at) if run is not None else "",
        since_or_longer=or_longer,
    )


def _of_one(pipeline: Pipeline, engine: Engine, customer_id: str, *, until: datetime) -> Tables:
    """Stage one customer and their events, with the first and last of all: they anchor time."""
    customers = engine.stage(
        "customers",
        (
            _only(each, customer_id)
            for each in read_customers(pipeline.sources.customers, Tally("customers"))
        ),
    )
    if pipeline.sources.events is None:
        events = engine.stage("events", (), pa.schema([("customer_id", pa.string())]))
    else:
        batches = read_events(pipeline.sources.events, Tally("events"), until=until)
        events = engine.stage("events", (_anchored(each, customer_id) for each in batches))
    return Tables(customers, events, (), stage_context(pipeline, engine, []))


def _only(batch: pa.RecordBatch, customer_id: str) -> pa.RecordBatch:
    return batch.filter(pc.equal(batch.column("customer_id"), customer_id))


def _anchored(batch: pa.RecordBatch, customer_id: str) -> pa.RecordBatch:
    """One customer's rows, and the batch's first and last whosever they are; others' do not count."""
    at = batch.column("occurred_at")
    ends = pc.min_max(at)
    mine = pc.equal(batch.column("customer_id"), customer_id)
    first, last = (pc.equal(at, ends[end]) for end in ("min", "max"))
    return batch.filter(pc.or_(mine, pc.or_(first, last)))


def _placed(
    pipeline: Pipeline,
    engine: Engine,
    tables: Tables,
    version: ModelVersion,
    customer_id: str,
    *,
    as_of: datetime,
) -> Placement:
    features = engine.features(
        tables.events,
        tables.customers,
        choose_features(pipeline, engine, tables, version).computed,
        as_of=day_after_last_event(engine, tables, as_of),
        window=pipeline.segmentation.window,
        context=tables.context,
    )
    rows = pq.read_table(features.path).to_pylist()
    if not rows:
        return Placement(
            customer_id, why_not="no event of theirs lies in the window, so no segment is theirs"
        )
    model = version.centroid_model
    assigned = engine.assign(features, model, previous_assignment(pipeline, features))
    found = pq.read_table(assigned.path).to_pylist()[0]
    distances = _distances(engine, features, model)
    names = {segment.id: segment.name for segment in version.segments}
    own, others = (
        found["segment_id"],
        sorted((d, s) for s, d in distances.items() if s != found["segment_id"]),
    )
    return Placement(
        customer_id,
        as_of=format_time(as_of),
        segment=own,
        name=names.get(own, own),
        distance=found["distance"],
        confidence=found.get("confidence"),
        kept_by_margin=bool(others) and others[0][0] < distances[own],
        margin=model.margin,
        runner_up={"segment": others[0][1], "name": names.get(others[0][1]), "distance": others[0][0]}
        if others
        else None,
        features=tuple(_beside(version, own, rows[0])),
    )


def _distances(engine: Engine, features: StagedTable, model: CentroidModel) -> dict[str, float]:
    """How far the customer is from every segment, as the engine measures it: one segment at a time."""
    found = {}
    for row, segment in enumerate(model.segment_ids):
        alone = replace(
            model,
            centroids=(model.centroids[row],),
            segment_ids=(segment,),
            parts=tuple(replace(part, segment=0) for part in model.parts if part.segment == row),
        )
        assigned = engine.assign(features, alone, None, name="alone")
        found[segment] = float(pq.read_table(assigned.path, columns=["distance"]).column(0)[0].as_py())
    return found


def _beside(
    version: ModelVersion, segment: str, values: Mapping[str, Any]
) -> Iterator[Mapping[str, object]]:
    """The customer's raw values of what sets the segment apart, beside typical ones."""
    effects = version.quality.get("effects")
    told = effects.get(segment, []) if isinstance(effects, dict) else []
    for effect in told:
        kept = {key: effect[key] for key in ("feature", "title", "typical", "typical_others")}
        yield {**kept, "value": values.get(effect["feature"])}


def _since(pipeline: Pipeline, customer_id: str, segment: str) -> tuple[str, bool]:
    """The first of the latest runs in a row that decided on the segment; whether none before is kept."""
    since, files = (
        "",
        sorted((pipeline.data_dir / "decisions").glob("*.parquet"), key=by_time, reverse=True),
    )
    for path in files:
        if not _decided_so(path, customer_id, segment):
            return since, False
        since = path.stem
    return since, bool(since)


def _decided_so(path: Path, customer_id: str, segment: str) -> bool:
    filters = [("customer_id", "==", customer_id), ("segment_id", "==", segment)]
    return bool(pq.read_table(path, columns=["segment_id"], filters=filters).num_rows)


def _told(row: Mapping[str, object], key: str) -> str:
    value = row[key]
    return quantity(str(row["feature"]), value) if isinstance(value, int | float) else "none"


def _number(value: object) -> str:
    if not isinstance(value, int | float):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
