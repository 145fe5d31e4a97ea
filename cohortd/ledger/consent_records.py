"""Consent records as rows: each content once."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.times import format_time, parse_time

COLUMNS: Final = (
    "c.id, c.subject_kind, c.subject, c.status, c.recorded_at, c.purpose, c.platform,"
    " c.regulation, c.source, c.evidence, c.untimed, c.legal_basis, c.confirmed"
)
BY_CUSTOMER: Final = (
    *("key", "status", "recorded_at", "purpose", "platform", "regulation", "source"),
    *("legal_basis", "confirmed"),
)
_INSERT: Final = (
    "INSERT INTO consent_record (content, subject_kind, subject, status, recorded_at, purpose, platform,"
    " regulation, source, evidence, untimed, legal_basis, confirmed, received_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_SUBJECT: Final = (
    "INSERT INTO consent_subject (subject_kind, key, record) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
)
_ROWS_AT_ONCE: Final = 50_000
Subject = tuple[tuple[str, bytes], ...]


def subject_text(subject: Subject) -> str:
    """Write a subject so that the same subject is the same text."""
    return json.dumps(sorted([family, key.hex()] for family, key in subject), separators=(",", ":"))


def content_of(record: ConsentRecord) -> bytes:
    """Digest of everything a record says: the same statement twice is one record."""
    parts = [
        record.subject_kind.value,
        subject_text(record.subject),
        record.status.value,
        "" if record.untimed else format_time(record.recorded_at),
        record.purpose,
        record.platform,
        record.regulation,
        record.source,
        record.evidence,
        # Only where they say anything: the content of a record from before they were known is the same.
        *([f"legal_basis={record.legal_basis}"] if record.legal_basis else []),
        *(["confirmed"] if record.confirmed else []),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).digest()


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that the ledger has."""

    id: int
    recorded_at: datetime
    absent: bool
    #: Whether it was ever taken in as a withdrawal.
    withdrew: bool


def find(connection: Connection, contents: Sequence[bytes]) -> dict[bytes, Kept]:
    """Return which of these contents are kept."""
    rows = connection.exec_driver_sql(
        "SELECT c.content, c.id, c.recorded_at, c.absent, w.id AS withdrawal FROM json_each(?) j"
        " CROSS JOIN consent_record c ON c.content = unhex(j.value) LEFT JOIN withdrawal w ON w.id = c.id",
        (json.dumps([content.hex() for content in contents]),),
    )
    return {
        row.content: Kept(row.id, parse_time(row.recorded_at), bool(row.absent), row.withdrawal is not None)
        for row in rows
    }


def keep(connection: Connection, records: Sequence[ConsentRecord], *, received_at: datetime) -> list[int]:
    """Keep records, each content once; return their ids.

    One without a time that had gone from the consent table, and is made again, counts from now on.
    """
    contents = [content_of(record) for record in records]
    known = find(connection, contents)
    new = {content: r for content, r in zip(contents, records, strict=True) if content not in known}
    if new:
        rows = [(content, *_values(record), format_time(received_at)) for content, record in new.items()]
        connection.exec_driver_sql(_INSERT, rows)
        known |= find(connection, list(new))
        subjects = [
            (record.subject_kind.value, key, known[content].id)
            for content, record in new.items()
            for _, key in record.subject
        ]
        connection.exec_driver_sql(_INSERT_SUBJECT, sorted(subjects))
    again = {
        known[content].id: r for content, r in zip(contents, records, strict=True) if known[content].absent
    }
    if again:
        made = [(format_time(record.recorded_at), found) for found, record in again.items()]
        connection.exec_driver_sql(
            "UPDATE consent_record SET absent = 0, recorded_at = ? WHERE id = ?", made
        )
    return [known[content].id for content in contents]


def note_absent(connection: Connection, present: Sequence[ConsentRecord]) -> None:
    """Note which statements without a time are no longer made, given all that are."""
    contents = json.dumps([content_of(record).hex() for record in present])
    connection.exec_driver_sql(
        "UPDATE consent_record SET absent = 1 WHERE untimed = 1 AND absent = 0 AND status != 'granted'"
        " AND content NOT IN (SELECT unhex(value) FROM json_each(?))",
        (contents,),
    )


def by_customer(connection: Connection) -> Iterator[tuple[Sequence[object], ...]]:
    """Yield, some rows at a time, the columns of ``BY_CUSTOMER`` of every record that names a customer."""
    rows = connection.exec_driver_sql(
        "SELECT s.key, c.status, c.recorded_at, c.purpose, c.platform, c.regulation, c.source,"
        " c.legal_basis, c.confirmed FROM consent_subject s"
        " CROSS JOIN consent_record c ON c.id = s.record WHERE s.subject_kind = ?",
        (SubjectKind.CUSTOMER.value,),
    )
    while part := rows.fetchmany(_ROWS_AT_ONCE):
        yield tuple(zip(*part, strict=True))


def after(
    connection: Connection, record_id: int, *, limit: int, but: str = ""
) -> Iterator[tuple[int, ConsentRecord]]:
    """Yield the records that follow one, in the order in which they came.

    Args:
        but: A kind of subject to pass over.
    """
    rows = connection.exec_driver_sql(
        f"SELECT {COLUMNS} FROM consent_record c WHERE c.id > ? AND c.subject_kind != ?"
        " ORDER BY c.id LIMIT ?",
        (record_id, but, limit),
    ).all()
    return ((row.id, record_of(row)) for row in rows)


def about(connection: Connection, subjects: Sequence[tuple[SubjectKind, bytes]]) -> list[ConsentRecord]:
    """Return the records whose subject has one of these keys, in the order in which they came."""
    found: dict[int, ConsentRecord] = {}
    for kind, key in subjects:
        rows = connection.exec_driver_sql(
            f"SELECT {COLUMNS} FROM consent_subject s JOIN consent_record c ON c.id = s.record"
            " WHERE s.subject_kind = ? AND s.key = ?",
            (kind.value, key),
        ).all()
        found.update((row.id, record_of(row)) for row in rows)
    return [found[record_id] for record_id in sorted(found)]


def has_revocations(connection: Connection) -> bool:
    """Tell whether any record that took consent back was taken in."""
    return bool(
        connection.exec_driver_sql(
            "SELECT EXISTS (SELECT 1 FROM withdrawal WHERE cause != ?)", (ConsentStatus.DENIED.value,)
        ).scalar_one()
    )


def record_of(row: Row[tuple[object, ...]]) -> ConsentRecord:
    """Read ``COLUMNS``."""
    return ConsentRecord(
        subject_kind=SubjectKind(row.subject_kind),
        subject=tuple((family, bytes.fromhex(key)) for family, key in json.loads(row.subject)),
        status=ConsentStatus(row.status),
        recorded_at=parse_time(row.recorded_at),
        purpose=row.purpose,
        platform=row.platform,
        regulation=row.regulation,
        source=row.source,
        evidence=row.evidence,
        untimed=bool(row.untimed),
        legal_basis=row.legal_basis,
        confirmed=bool(row.confirmed),
    )


def _values(record: ConsentRecord) -> tuple[object, ...]:
    """Write a record as ``_INSERT`` has it, between its content and when it was received."""
    return (
        record.subject_kind.value,
        subject_text(record.subject),
        record.status.value,
        format_time(record.recorded_at),
        record.purpose,
        record.platform,
        record.regulation,
        record.source,
        record.evidence,
        int(record.untimed),
        record.legal_basis,
        int(record.confirmed),
    )
