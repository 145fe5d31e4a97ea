"""The first-party tables, read afresh into the engine, counted, and checked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from cohortd.core.errors import GuardError, SourceError
from cohortd.core.figures import TableFigures
from cohortd.core.planning import GuardStop
from cohortd.core.quality import SourceQuality, quality_of_json
from cohortd.core.reporting import SourceReport
from cohortd.engine import Engine, StagedTable
from cohortd.pipeline import guards
from cohortd.pipeline.mending import cure_of
from cohortd.pipeline.watching import watch
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import Tally, read_context, read_customers, read_events

SENT = ("done", "partial")


@dataclass(frozen=True, slots=True)
class Tables:
    """What was read: staged tables, and one report a table."""

    customers: StagedTable
    #: Without an events table in the settings: staged all the same, with no row.
    events: StagedTable
    reports: tuple[SourceReport, ...]
    #: What days were like; None without such a table in the settings.
    context: StagedTable | None = None
    #: How they look, for the next run, and what of it looks broken.
    figures: tuple[TableFigures, ...] = ()
    anomalies: tuple[GuardStop, ...] = ()

    @property
    def rows(self) -> Mapping[str, int]:
        """Usable rows a table, those after the run's time included."""
        return {report.table: report.kept + report.later for report in self.reports}


def read_tables(pipeline: Pipeline, engine: Engine, *, as_of: datetime) -> Tables:
    """Stage customers, events and their context.

    Raises:
        GuardError: A table lost more rows to faults than its guard allows.
    """
    pipeline.progress("reading customers")
    tally = Tally("customers")
    customers = engine.stage("customers", read_customers(pipeline.sources.customers, tally))
    reports = [tally.report()]
    if pipeline.sources.events is None:
        events = engine.stage("events", (), pa.schema([("customer_id", pa.string())]))
    else:
        pipeline.progress("reading events")
        event_tally = Tally("events")
        events = engine.stage("events", read_events(pipeline.sources.events, event_tally, until=as_of))
        reports.append(_without_strangers(event_tally, engine, events, customers))
    context = stage_context(pipeline, engine, reports)
    refuse_bad_rows(pipeline, reports)
    later = sum(report.later for report in reports if report.table == "events")
    figures, anomalies = watch(pipeline, engine, customers, events, later=later, as_of=as_of)
    return Tables(customers, events, tuple(reports), context, figures, anomalies)


def stage_context(pipeline: Pipeline, engine: Engine, reports: list[SourceReport]) -> StagedTable | None:
    """Stage what days were like, and report it; None without such a table in the settings."""
    if pipeline.sources.context is None:
        return None
    pipeline.progress("reading context")
    tally = Tally("context")
    by_place = bool(pipeline.segmentation.vocabulary.place)
    staged = engine.stage("context", read_context(pipeline.sources.context, tally, by_place=by_place))
    reports.append(tally.report())
    return staged


def read_all(
    pipeline: Pipeline, engine: Engine, consent: SourceReport | None, *, as_of: datetime
) -> tuple[Tables, tuple[SourceReport, ...], list[GuardStop]]:
    """Read the tables; refuse those that lost too much, and say which shrank.

    Args:
        consent: What was read of the consent table, to be told with the others.
    """
    tables = read_tables(pipeline, engine, as_of=as_of)
    reports = (*tables.reports, *((consent,) if consent else ()))
    refuse_bad_rows(pipeline, reports)
    rows = {report.table: report.kept + report.later for report in reports}
    shrunk = guards.source_drop(rows, rows_before(pipeline), limit=pipeline.guards.source_drop)
    _refuse_emptied(tables, shrunk)
    require_customers(tables)
    return tables, reports, shrunk


def _refuse_emptied(tables: Tables, shrunk: Collection[GuardStop]) -> None:
    """Stop at once where a table has nothing left: there is nothing to plan, nor to approve."""
    empty = {report.table for report in tables.reports if not report.kept + report.later}
    if empty and shrunk:
        detail = "; ".join(stop.detail for stop in shrunk)
        raise GuardError(f"{detail}. Nothing was planned: mend the table first.", stops=list(shrunk))


def refuse_bad_rows(pipeline: Pipeline, reports: Collection[SourceReport]) -> None:
    """Stop where a table lost more rows to faults than its guard allows.

    Raises:
        GuardError: It did.
    """
    stops = guards.bad_rows(reports, limit=pipeline.guards.bad_rows)
    if stops:
        # Half the customers gone makes half the events a stranger's: say what it comes from as well.
        rows = {
            report.table: report.kept + report.later for report in reports if report.table == "customers"
        }
        before = {table: count for table, count in rows_before(pipeline).items() if table in rows}
        stops = [*guards.source_drop(rows, before, limit=pipeline.guards.source_drop), *stops]
        cures = [cure for report in reports if (cure := cure_of(report.dropped))]
        mend = " ".join(dict.fromkeys(cures)) or "Mend the table."
        raise GuardError(
            "; ".join(stop.detail for stop in stops) + f". {mend} Or raise guards.bad_rows.", stops=stops
        )


def rows_before(pipeline: Pipeline) -> dict[str, int]:
    """Rows of each table at the last sync that sent."""
    last = pipeline.ledger.runs.last(kind="sync", status=SENT)
    rows = last.summary.get("rows", {}) if last is not None else {}
    assert isinstance(rows, dict)
    return {str(table): int(count) for table, count in rows.items()}


def quality_before(pipeline: Pipeline) -> list[SourceQuality]:
    """Tell how good the tables were at the last sync that sent."""
    last = pipeline.ledger.runs.last(kind="sync", status=SENT)
    kept = last.summary.get("quality", []) if last is not None else []
    assert isinstance(kept, list)
    return [quality_of_json(**one) for one in kept]


def _without_strangers(
    tally: Tally, engine: Engine, events: StagedTable, customers: StagedTable
) -> SourceReport:
    """Count events of customers who are not in the customers table as left out."""
    # Where there is no customer at all, nothing is wrong with the events.
    strangers = engine.unknown_customers(events, customers) if customers.rows else 0
    tally.drop("unknown_customer", strangers)
    tally.kept -= strangers
    return tally.report()


def require_customers(tables: Tables) -> None:
    """Refuse to go on without anybody.

    Raises:
        SourceError: There is nobody.
    """
    if tables.customers.rows == 0:
        raise SourceError("customers: the table has no usable row; nothing can be clustered or sent")
