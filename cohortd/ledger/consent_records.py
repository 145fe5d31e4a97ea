"""Consent records as rows: each content once."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.times import format_time, parse_time

COLUMNS: Final = (
    "c.id, c.subject_kind, c.subject, c.status, c.recorded_at, c.purpose, c.platform,"
    " c.regulation, c.source, c.evidence"
)
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
        format_time(record.recorded_at),
        record.purpose,
        record.platform,
        record.regulation,
        record.source,
        record.evidence,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def find(connection: Connection, record: ConsentRecord) -> int | None:
    """Return the id of a record that is kept already."""
    found: int | None = connection.exec_driver_sql(
        "SELECT id FROM consent_record WHERE content = ?", (content_of(record),)
    ).scalar()
    return found


def insert(connection: Connection, record: ConsentRecord, *, received_at: datetime) -> int:
    """Keep a record; return its id."""
    found: int = connection.exec_driver_sql(
        "INSERT INTO consent_record (content, subject_kind, subject, status, recorded_at,"
        " purpose, platform, regulation, source, evidence, received_at) VALUES (?, ?, ?, ?, ?,"
        " ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            content_of(record),
            record.subject_kind.value,
            subject_text(record.subject),
            record.status.value,
            format_time(record.recorded_at),
            record.purpose,
            record.platform,
            record.regulation,
            record.source,
            record.evidence,
            format_time(received_at),
        ),
    ).scalar_one()
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO consent_subject (subject_kind, key, record) VALUES (?, ?, ?)",
        [(record.subject_kind.value, key, found) for _, key in record.subject],
    )
    return found


def after(connection: Connection, record_id: int, *, limit: int) -> Iterator[tuple[int, ConsentRecord]]:
    """Yield the records that follow one, in the order in which they came."""
    rows = connection.exec_driver_sql(
        f"SELECT {COLUMNS} FROM consent_record c WHERE c.id > ? ORDER BY c.id LIMIT ?",
        (record_id, limit),
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
    )
