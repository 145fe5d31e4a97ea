"""``check``: everything a run needs, tried without changing anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.core.errors import CohortdError, SyncError
from cohortd.core.identifiers import Family
from cohortd.core.quality import SourceQuality
from cohortd.core.reporting import SourceReport
from cohortd.identity import how_it_hashes
from cohortd.pipeline.guards import bad_rows
from cohortd.pipeline.leftovers import LEFTOVERS_CURE, look_for_leftovers
from cohortd.pipeline.looking import ledger_line
from cohortd.pipeline.mending import cure_of
from cohortd.pipeline.models import MAIN, versions_in_force
from cohortd.pipeline.naming import name_faults
from cohortd.pipeline.quality import contact_quality, customers_quality, identify_in, rows_quality
from cohortd.pipeline.serving import living_segments, unknown_segments
from cohortd.pipeline.wiring import Destination, Pipeline
from cohortd.pipeline.workdir import workdir
from cohortd.sources import (
    TableSource,
    Tally,
    columns_of,
    read_consent,
    read_contacts,
    read_context,
    read_customers,
    read_events,
)

#: Customers whose contact fields a check looks at: enough to see what is amiss, and over in seconds.
MOST_CUSTOMERS: Final = 100_000
_UNREACHED: Final = "Check the network and the endpoint, then try again."
_NOWHERE: Final = (
    "Add one under destinations; without an account, one of those that 'cohortd emulate' shows."
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A line for everything that was tried, and how good the tables are that could be read."""

    lines: tuple[AccessCheck, ...]
    quality: tuple[SourceQuality, ...]


def check_all(pipeline: Pipeline) -> Checked:
    """Try settings, sources, ledger and every destination; a line each."""
    lines = [AccessCheck("settings", ok=True, detail="read and valid")]
    quality: list[SourceQuality] = []
    sources = pipeline.sources
    for source in (sources.customers, sources.events, sources.consent, sources.context):
        if source is not None:
            pipeline.progress(f"reading {source.name}")
            lines.append(_source(pipeline, source, quality))
    if pipeline.sources.consent is None:
        silence = pipeline.consent.default.get("*")
        lines.append(
            AccessCheck(
                "consent",
                ok=True,
                detail=f"no consent table: silence means {silence.value if silence else '?'}",
            )
        )
    lines.append(ledger_line(pipeline))
    lines.append(AccessCheck("hashing", ok=True, detail=how_it_hashes()))
    lines += _names(pipeline)
    if not pipeline.destinations:
        lines.append(AccessCheck("destinations", ok=False, detail="none", cure=_NOWHERE))
    for destination in pipeline.destinations.values():
        pipeline.progress(f"asking {destination.name}")
        found = list(_destination(destination))
        lines += found
        if all(line.ok for line in found):
            lines += _leftovers(pipeline, destination)
    return Checked(tuple(lines), tuple(quality))


def _names(pipeline: Pipeline) -> list[AccessCheck]:
    versions = versions_in_force(pipeline)
    segments = living_segments(pipeline, versions) if MAIN in versions else ()
    faults = name_faults(pipeline, segments)
    cure = "Choose other words in the settings, or another segment under audiences.names."
    named = [AccessCheck("audience names", ok=False, detail=fault, cure=cure) for fault in faults]
    unknown = unknown_segments(pipeline, segments) if segments else ()
    return named + [
        AccessCheck("audiences", ok=False, detail=told, cure="Name segments that there are.")
        for told in unknown
    ]


def _leftovers(pipeline: Pipeline, destination: Destination) -> list[AccessCheck]:
    told = look_for_leftovers(pipeline, destination)
    subject = f"destination {destination.name}: leftovers"
    return [AccessCheck(subject, ok=False, detail=told, cure=LEFTOVERS_CURE)] if told else []


def _source(pipeline: Pipeline, source: TableSource, quality: list[SourceQuality]) -> AccessCheck:
    tally = Tally(source.name)
    try:
        columns = columns_of(source)
        _read_through(pipeline, source, tally)
        quality.append(_quality(pipeline, source, tally.report()))
    except CohortdError as error:
        cure = f"Mend the table, or sources.{source.name} in the settings (docs/tables.md)."
        return AccessCheck(f"source {source.name}", ok=False, detail=str(error), cure=cure)
    lost = ", ".join(f"{reason} {count:,}" for reason, count in sorted(tally.dropped.items()))
    detail = f"{tally.kept:,} of {tally.read:,} rows usable, {len(columns)} columns" + (
        f"; left out: {lost}" if lost else ""
    )
    stops = bad_rows([tally.report()], limit=pipeline.guards.bad_rows)
    return AccessCheck(
        f"source {source.name}",
        ok=not stops and tally.kept > 0,
        detail=detail,
        cure=_cure(tally, stops=bool(stops)),
    )


def _cure(tally: Tally, *, stops: bool) -> str:
    if stops:
        # Where nothing is left, no limit would help.
        otherwise = " Or raise guards.bad_rows." if tally.kept else ""
        return (cure_of(tally.dropped) or "Mend the table.") + otherwise
    return "" if tally.kept else "Fill the table: it has no usable row."


def _read_through(pipeline: Pipeline, source: TableSource, tally: Tally) -> None:
    if source.name == "events":
        batches = read_events(source, tally, until=pipeline.clock())
    elif source.name == "consent":
        batches = read_consent(source, tally)
    elif source.name == "context":
        batches = read_context(source, tally, by_place=bool(pipeline.segmentation.vocabulary.place))
    else:
        batches = read_customers(source, tally)
    for _ in batches:
        pass


def _quality(pipeline: Pipeline, source: TableSource, report: SourceReport) -> SourceQuality:
    """Give the account of a table; of many customers only the first are looked at."""
    if source.name != "customers":
        return rows_quality(report)
    tally = Tally(source.name)
    with workdir(pipeline) as folder, contact_quality(pipeline, folder) as quality:
        for batch in read_contacts(source, tally):
            quality.read(batch)
            for family in pipeline.families or Family:
                quality.identified(family, batch, identify_in(pipeline, batch, family))
            if tally.read >= MOST_CUSTOMERS:
                break
        return customers_quality(tally.report(), quality.figures(), sampled=tally.read < report.read)


def _destination(destination: Destination) -> Iterator[AccessCheck]:
    try:
        found = destination.connector.check()
    except SyncError as error:
        cure = getattr(error, "cure", _UNREACHED)
        yield AccessCheck(f"destination {destination.name}", ok=False, detail=str(error), cure=str(cure))
        return
    for line in found:
        yield AccessCheck(
            f"destination {destination.name}: {line.subject}",
            ok=line.ok,
            detail=line.detail,
            cure=line.cure or ("" if line.ok else _UNREACHED),
        )
