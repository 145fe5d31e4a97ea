"""Looks at the tables for what their source may have broken, before anybody moves for it."""

from collections.abc import Iterable
from datetime import datetime

from cohortd.core.errors import GuardError
from cohortd.core.figures import TableFigures
from cohortd.core.planning import GuardStop
from cohortd.core.times import parse_time
from cohortd.engine import Engine, StagedTable
from cohortd.ledger import RunRow
from cohortd.pipeline.anomalies import find_anomalies
from cohortd.pipeline.wiring import Pipeline

Watched = tuple[tuple[TableFigures, ...], tuple[GuardStop, ...]]


def watch(
    pipeline: Pipeline,
    engine: Engine,
    customers: StagedTable,
    events: StagedTable,
    *,
    later: int,
    as_of: datetime,
) -> Watched:
    """Look at the staged tables, and say what differs from the last finished sync as only a fault does."""
    limits = pipeline.guards.source_anomaly
    if limits is None:
        return (), ()
    last = pipeline.ledger.runs.last(kind="sync", status=("done", "partial"))
    before = _figures_of(last)
    known = before.get("events")
    since = parse_time(known.newest) if known is not None and known.newest else None
    figures = engine.figures(events, customers, since=since, later=later)
    time_went_on = last is not None and as_of >= last.as_of
    return figures, find_anomalies(figures, before, limits, time_went_on=time_went_on)


def refuse_anomalies(anomalies: Iterable[GuardStop], *, force: bool) -> None:
    """Fit no model on tables that look broken, unless a person insists.

    Raises:
        GuardError: They do.
    """
    stops = tuple(anomalies)
    if stops and not force:
        raise GuardError(
            "; ".join(stop.detail for stop in stops)
            + ". No model was made of this: mend the table; if it is right, approve a sync, or recluster"
            " with --force.",
            stops=stops,
        )


def _figures_of(last: RunRow | None) -> dict[str, TableFigures]:
    kept = last.summary.get("figures") if last is not None else None
    found = (TableFigures.of_json(each) for each in kept) if isinstance(kept, list) else ()
    return {each.table: each for each in found}
