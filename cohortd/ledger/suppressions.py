"""Who must not be added to any audience, and until which grant."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.identifiers import Family
from cohortd.core.times import format_time, parse_time
from cohortd.ledger import consent_records
from cohortd.ledger.consent_records import Subject, subject_text

#: The place of a member key among the identifier kinds.
MEMBER: Final = 0

#: A customer's record has one key, a contact field's the digests under each family's rules.
_ABOUT: Final = f"""
    SELECT {consent_records.COLUMNS} FROM withdrawal w JOIN consent_record c ON c.id = w.id
    WHERE w.lifted_at IS NULL AND w.id IN (
        SELECT s.record FROM json_each(?) j CROSS JOIN (SELECT 'customer' AS kind
            UNION ALL SELECT 'email' UNION ALL SELECT 'phone') k
        CROSS JOIN consent_subject s ON s.subject_kind = k.kind AND s.key = unhex(j.value))
    ORDER BY w.withdrawn_at, w.id
"""
_AGAINST: Final = f"""
    SELECT s.kind, s.key, {consent_records.COLUMNS} FROM json_each(?) j
        CROSS JOIN suppression s ON s.family = ? AND s.kind = CAST(substr(j.value, 1, 3) AS INTEGER)
            AND s.key = unhex(substr(j.value, 4)) AND s.lifted_at IS NULL
            AND (s.kind = {MEMBER} OR s.named = 1)
        CROSS JOIN consent_record c ON c.id = s.withdrawal
"""


@dataclass(frozen=True, slots=True)
class SuppressionCause:
    """A withdrawal that stands."""

    #: The ledger's number of it.
    withdrawal: int
    record: ConsentRecord

    @property
    def subject_kind(self) -> SubjectKind:
        """How the record names its person."""
        return self.record.subject_kind

    @property
    def keys(self) -> Subject:
        """The record's subject."""
        return self.record.subject

    @property
    def withdrawn_at(self) -> datetime:
        """When consent was withdrawn; only a later grant answers it."""
        return self.record.recorded_at

    @property
    def regulation(self) -> str:
        """The record's regulation, or empty."""
        return self.record.regulation

    @property
    def purpose(self) -> str:
        """The record's purpose, or empty."""
        return self.record.purpose

    @property
    def platform(self) -> str:
        """The record's platform, or empty."""
        return self.record.platform


@dataclass(frozen=True, slots=True, repr=False)
class SuppressedSet:
    """What must not be added under one family's rules."""

    #: (kind, digest) of identifiers, those in ``contact_causes`` too.
    digests: frozenset[tuple[int, bytes]]
    members: frozenset[bytes]
    #: (kind, digest) that a withdrawal named itself -> the newest such withdrawal.
    contact_causes: Mapping[tuple[int, bytes], datetime]

    def __repr__(self) -> str:
        """Show counts only."""
        return f"SuppressedSet({len(self.digests)} identifiers, {len(self.members)} members)"


def active(connection: Connection) -> list[SuppressionCause]:
    """Return the withdrawals that stand, oldest first; they may be very many."""
    rows = connection.exec_driver_sql(
        f"SELECT {consent_records.COLUMNS} FROM withdrawal w JOIN consent_record c ON c.id = w.id"
        " WHERE w.lifted_at IS NULL ORDER BY w.withdrawn_at, w.id"
    ).all()
    return [SuppressionCause(row.id, consent_records.record_of(row)) for row in rows]


def revoked(connection: Connection) -> list[int]:
    """Return the ids of the withdrawals that stand and that a person asked for, oldest first."""
    return list(
        connection.exec_driver_sql(
            "SELECT id FROM withdrawal WHERE lifted_at IS NULL AND cause != ? ORDER BY id",
            (ConsentStatus.DENIED.value,),
        ).scalars()
    )


def about(connection: Connection, keys: Collection[bytes]) -> list[SuppressionCause]:
    """Return the withdrawals that stand and whose record names any of these keys, oldest first."""
    rows = connection.exec_driver_sql(_ABOUT, (json.dumps([key.hex() for key in keys]),)).all()
    return [SuppressionCause(row.id, consent_records.record_of(row)) for row in rows]


def against(
    connection: Connection, family: Family, keys: Collection[tuple[int, bytes]]
) -> list[tuple[tuple[int, bytes], SuppressionCause]]:
    """Return which withdrawals suppress a member (kind ``MEMBER``), or a contact field that they name."""
    wanted = json.dumps([f"{kind:03d}{key.hex()}" for kind, key in keys])
    rows = connection.exec_driver_sql(_AGAINST, (wanted, family.value)).all()
    return [((row.kind, row.key), SuppressionCause(row.id, consent_records.record_of(row))) for row in rows]


def oldest(connection: Connection) -> datetime | None:
    """Return when the oldest withdrawal was made that stands."""
    found: str | None = connection.exec_driver_sql(
        "SELECT min(withdrawn_at) FROM withdrawal WHERE lifted_at IS NULL"
    ).scalar()
    return None if found is None else parse_time(found)


def suppressed(connection: Connection, family: Family) -> SuppressedSet:
    """Return all that is suppressed now."""
    rows = connection.exec_driver_sql(
        "SELECT kind, key, max(CASE WHEN named = 1 THEN withdrawn_at END) AS named_at FROM suppression"
        " WHERE family = ? AND lifted_at IS NULL GROUP BY kind, key",
        (family.value,),
    ).all()
    return SuppressedSet(
        digests=frozenset((row.kind, row.key) for row in rows if row.kind != MEMBER),
        members=frozenset(row.key for row in rows if row.kind == MEMBER),
        contact_causes={
            (row.kind, row.key): parse_time(row.named_at) for row in rows if row.named_at is not None
        },
    )


def lift(
    connection: Connection,
    cause: SuppressionCause | tuple[SubjectKind, Subject],
    *,
    granted_at: datetime,
    now: datetime,
    families: Collection[Family] = tuple(Family),
) -> int:
    """Lift, for these families, one withdrawal or every one of a subject that a grant is newer than."""
    if isinstance(cause, SuppressionCause):
        where, values = "w.id = :id", {"id": str(cause.withdrawal)}
    else:
        where = "c.subject_kind = :kind AND c.subject = :subject"
        values = {"kind": cause[0].value, "subject": subject_text(cause[1])}
    rows = connection.exec_driver_sql(
        f"SELECT w.id FROM withdrawal w JOIN consent_record c ON c.id = w.id WHERE {where}"
        " AND w.lifted_at IS NULL AND w.withdrawn_at < :granted_at",
        {**values, "granted_at": format_time(granted_at)},
    ).all()
    for row in rows:
        for family in families:
            connection.exec_driver_sql(
                "UPDATE suppression SET lifted_at = ? WHERE withdrawal = ? AND family = ?"
                " AND lifted_at IS NULL",
                (format_time(now), row.id, family.value),
            )
        _close(connection, row.id, now)
    return len(rows)


def lift_contact(
    connection: Connection, contact: tuple[str, int, bytes], *, granted_at: datetime, now: datetime
) -> int:
    """Lift, for one family, the withdrawals that named a contact field and are older than a grant."""
    family, kind, digest = contact
    rows = connection.exec_driver_sql(
        "SELECT withdrawal FROM suppression WHERE family = ? AND kind = ? AND key = ? AND named = 1"
        " AND lifted_at IS NULL AND withdrawn_at < ?",
        (Family(family).value, int(kind), digest, format_time(granted_at)),
    ).all()
    for row in rows:
        connection.exec_driver_sql(
            "UPDATE suppression SET lifted_at = ? WHERE withdrawal = ? AND family = ? AND"
            " lifted_at IS NULL",
            (format_time(now), row.withdrawal, Family(family).value),
        )
        _close(connection, row.withdrawal, now)
    return len(rows)


def _close(connection: Connection, withdrawal: int, now: datetime) -> None:
    """Mark a withdrawal lifted once nothing of it is in force."""
    connection.exec_driver_sql(
        "UPDATE withdrawal SET lifted_at = ? WHERE id = ? AND NOT EXISTS"
        " (SELECT 1 FROM suppression s WHERE s.withdrawal = withdrawal.id AND s.lifted_at IS NULL)",
        (format_time(now), withdrawal),
    )
