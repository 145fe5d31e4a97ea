"""How good the tables are: the accounts of what was read, with a score each."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa

from cohortd.core.identifiers import Family
from cohortd.core.quality import (
    ContactFigures,
    FieldQuality,
    SourceQuality,
    score_of_customers,
    score_of_rows,
)
from cohortd.core.reporting import SourceReport
from cohortd.core.tables import CONTACT_FIELDS
from cohortd.identity import ContactQuality, Identified, identify
from cohortd.pipeline.wiring import Pipeline

#: Columns without which a row is left out: they are always filled.
_NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "customers": frozenset({"customer_id"}),
    "events": frozenset({"customer_id", "occurred_at"}),
    "consent": frozenset({"status"}),
    "context": frozenset({"date", "place"}),
}


def contact_quality(pipeline: Pipeline, scratch: Path) -> ContactQuality:
    """Begin the account of the contact fields, for the families of the destinations."""
    return ContactQuality(scratch, pipeline.families or Family, hashed=pipeline.identity.hashed)


def identify_in(pipeline: Pipeline, contacts: pa.RecordBatch, family: Family) -> Identified:
    """Normalize and hash one batch as the settings say."""
    return identify(
        contacts, family, default_region=pipeline.identity.default_region, hashed=pipeline.identity.hashed
    )


def tables_quality(
    reports: Collection[SourceReport], contacts: ContactFigures
) -> tuple[SourceQuality, ...]:
    """Give the account of every table that was read.

    Args:
        contacts: Of the customers; without any family's keys, as without a destination, nobody can
            say what that table is worth, and it is left out.
    """
    return tuple(
        customers_quality(report, contacts) if report.table == "customers" else rows_quality(report)
        for report in reports
        if report.table != "customers" or any(sum(counts.values()) for counts in contacts.keys.values())
    )


def customers_quality(
    report: SourceReport, contacts: ContactFigures, *, sampled: bool = False
) -> SourceQuality:
    """Give the account of the customers, as far as they were read."""
    attributes = [field for field in _filled(report) if field.name not in CONTACT_FIELDS]
    return SourceQuality(
        table=report.table,
        score=score_of_customers(report.read, contacts.keys, contacts.fields),
        rows=report.read,
        usable=report.kept,
        counted=report.sifted,
        sampled=sampled,
        dropped=report.dropped,
        fields=[*contacts.fields, *attributes],
        keys=contacts.keys,
    )


def rows_quality(report: SourceReport) -> SourceQuality:
    """Give the account of events or consent."""
    usable = report.kept + report.later
    return SourceQuality(
        table=report.table,
        score=score_of_rows(report.read, usable),
        rows=report.read,
        usable=usable,
        counted=report.sifted,
        dropped=report.dropped,
        fields=_filled(report),
    )


def _filled(report: SourceReport) -> list[FieldQuality]:
    """Count the rows with a value, of columns that need not have one."""
    return [
        FieldQuality(name=name, rows=count, present=count)
        for name, count in report.filled.items()
        if name not in _NEEDED[report.table]
    ]
