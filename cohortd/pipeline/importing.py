"""Consent records from a file a person hands over."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cohortd.core.errors import SettingsError
from cohortd.core.tables import CONSENT_SUBJECT_FIELDS
from cohortd.pipeline.consents import book_of, read_consent_table, table_records
from cohortd.pipeline.intake import lost_withdrawals, withdraw_new
from cohortd.pipeline.revoking import send_revocations
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import TAKEN_FOR_DENIED, TableSource, Tally, columns_of

_NEEDED: Final = ("status", "recorded_at")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file of consent records brought."""

    read: int
    new: int
    known: int
    withdrawn: int
    #: Reason -> rows of which nothing came.
    dropped: dict[str, int]
    #: Rows whose status is none of ours.
    taken_for_denied: int
    notes: tuple[str, ...]
    fell_short: bool


def import_consent(pipeline: Pipeline, file: Path) -> Imported:
    """Keep every record of *file* in the ledger, and send the revocations among them at once.

    The file has our own column names, whatever the consent table of the settings calls them.

    Raises:
        SettingsError: It is no file, or lacks a column.
        SourceError: The file cannot be read.
    """
    tally = Tally("consent")
    source = TableSource(name="consent", path=str(file.resolve()))
    _check(file, source)
    records, new, withdrawn = record_table(pipeline, source, tally)
    sending = send_revocations(pipeline)
    lost = lost_withdrawals(tally.dropped)
    return Imported(
        read=tally.read,
        new=new,
        known=records - new,
        withdrawn=withdrawn,
        dropped={r: count for r, count in tally.dropped.items() if r not in TAKEN_FOR_DENIED},
        taken_for_denied=sum(tally.dropped.get(reason, 0) for reason in TAKEN_FOR_DENIED),
        notes=(*sending.notes, *([lost] if lost else [])),
        fell_short=sending.fell_short or bool(lost),
    )


def record_table(pipeline: Pipeline, source: TableSource, tally: Tally) -> tuple[int, int, int]:
    """Keep every record of a table in the ledger, and queue the removals of those that withdraw.

    Returns:
        How many records it holds, how many of them are new, and how many withdrawals were taken in.

    Raises:
        SettingsError: It lacks a column.
        SourceError: It cannot be read.
    """
    table, by_contact = read_consent_table(pipeline, source, tally)
    records = [*(record for _, record in table_records(pipeline, table)), *by_contact]
    new = len(pipeline.ledger.consent.unknown(records))
    withdrawn = withdraw_new(pipeline, book_of(table, by_contact), as_of=pipeline.clock())
    pipeline.ledger.consent.record(records, received_at=pipeline.clock())
    return len(records), new, withdrawn


def _check(file: Path, source: TableSource) -> None:
    """Refuse what is no file of consent records, before its columns are looked for in the settings."""
    if not file.is_file():
        raise SettingsError(
            f"{file}: {'is a folder' if file.is_dir() else 'there is no such file'}; name one file"
        )
    found = columns_of(source)
    missing = [name for name in _NEEDED if name not in found]
    if not set(CONSENT_SUBJECT_FIELDS) & set(found):
        missing.append(" or ".join(CONSENT_SUBJECT_FIELDS))
    if missing:
        raise SettingsError(
            f"{file}: there is no column {', none '.join(missing)}; it has"
            f" {', '.join(found) or 'no columns'}. A file of consent records is read by these very names,"
            " whatever the settings say."
        )
