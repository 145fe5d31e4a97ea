"""Consent records from a file a person hands over."""

from dataclasses import dataclass
from pathlib import Path

from cohortd.pipeline.consents import book_of, read_consent_table, table_records
from cohortd.pipeline.intake import lost_withdrawals, withdraw_new
from cohortd.pipeline.revoking import send_revocations
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import TableSource, Tally


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file of consent records brought."""

    read: int
    new: int
    known: int
    withdrawn: int
    dropped: dict[str, int]
    notes: tuple[str, ...]
    fell_short: bool


def import_consent(pipeline: Pipeline, file: Path) -> Imported:
    """Keep every record of *file* in the ledger, and send the revocations among them at once.

    The file has our own column names, whatever the consent table of the settings calls them.

    Raises:
        SettingsError: The file is not there, or lacks a column.
        SourceError: The file cannot be read.
    """
    tally = Tally("consent")
    source = TableSource(name="consent", path=str(file.resolve()))
    table, by_contact = read_consent_table(pipeline, source, tally)
    records = [*(record for _, record in table_records(pipeline, table)), *by_contact]
    new = len(pipeline.ledger.consent.unknown(records))
    withdrawn = withdraw_new(pipeline, book_of(table, by_contact), as_of=pipeline.clock())
    pipeline.ledger.consent.record(records, received_at=pipeline.clock())
    sending = send_revocations(pipeline)
    lost = lost_withdrawals(tally.dropped)
    return Imported(
        read=tally.read,
        new=new,
        known=len(records) - new,
        withdrawn=withdrawn,
        dropped=dict(tally.dropped),
        notes=(*sending.notes, *([lost] if lost else [])),
        fell_short=sending.fell_short or bool(lost),
    )
