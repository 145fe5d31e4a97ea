"""``check``: everything a run needs, tried without changing anything."""

from collections.abc import Iterator

from cohortd.core.delivery import AccessCheck
from cohortd.core.errors import CohortdError, SyncError
from cohortd.identity import how_it_hashes
from cohortd.pipeline.guards import bad_rows
from cohortd.pipeline.wiring import Destination, Pipeline
from cohortd.sources import (
    TableSource,
    Tally,
    columns_of,
    read_consent,
    read_contacts,
    read_customers,
    read_events,
)


def check_all(pipeline: Pipeline) -> list[AccessCheck]:
    """Try settings, sources, ledger and every destination; a line each."""
    lines = [AccessCheck("settings", ok=True, detail="read and valid")]
    for source in (pipeline.sources.customers, pipeline.sources.events, pipeline.sources.consent):
        if source is not None:
            pipeline.progress(f"reading {source.name}")
            lines += list(_source(pipeline, source))
    if pipeline.sources.consent is None:
        silence = pipeline.consent.default.get("*")
        lines.append(
            AccessCheck(
                "consent",
                ok=True,
                detail=f"no consent table: silence means {silence.value if silence else '?'}",
            )
        )
    lines.append(AccessCheck("ledger", ok=True, detail="opened, migrated and writable"))
    lines.append(AccessCheck("hashing", ok=True, detail=how_it_hashes()))
    if not pipeline.destinations:
        lines.append(
            AccessCheck("destinations", ok=False, detail="none", cure="Add one under destinations.")
        )
    for destination in pipeline.destinations.values():
        pipeline.progress(f"asking {destination.name}")
        lines += list(_destination(destination))
    return lines


def _source(pipeline: Pipeline, source: TableSource) -> Iterator[AccessCheck]:
    tally = Tally(source.name)
    try:
        columns = columns_of(source)
        _read_through(pipeline, source, tally)
    except CohortdError as error:
        yield AccessCheck(f"source {source.name}", ok=False, detail=str(error))
        return
    lost = ", ".join(f"{reason} {count:,}" for reason, count in sorted(tally.dropped.items()))
    detail = f"{tally.kept:,} of {tally.read:,} rows usable, {len(columns)} columns" + (
        f"; left out: {lost}" if lost else ""
    )
    stops = bad_rows([tally.report()], limit=pipeline.guards.bad_rows)
    yield AccessCheck(
        f"source {source.name}",
        ok=not stops and tally.kept > 0,
        detail=detail,
        cure="Mend the table, or raise guards.bad_rows." if stops else "The table has no usable row.",
    )


def _read_through(pipeline: Pipeline, source: TableSource, tally: Tally) -> None:
    if source.name == "events":
        batches = read_events(source, tally, until=pipeline.clock())
    elif source.name == "consent":
        batches = read_consent(source, tally)
    else:
        batches = read_customers(source, tally)
        for _ in read_contacts(source, None):
            break
    for _ in batches:
        pass


def _destination(destination: Destination) -> Iterator[AccessCheck]:
    try:
        found = destination.connector.check()
    except SyncError as error:
        cure = getattr(error, "cure", "Check the network and the endpoint, then try again.")
        yield AccessCheck(f"destination {destination.name}", ok=False, detail=str(error), cure=str(cure))
        return
    for line in found:
        yield AccessCheck(
            f"destination {destination.name}: {line.subject}",
            ok=line.ok,
            detail=line.detail,
            cure=line.cure,
        )
