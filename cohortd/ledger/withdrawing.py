"""A withdrawal of consent: who is meant, what of them is suppressed, what must leave."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import Family, Identifier, IdentifierKind
from cohortd.core.removals import RemovalEvent
from cohortd.core.times import format_time
from cohortd.ledger import consent_records, late, putting_back
from cohortd.ledger.batches import OPEN
from cohortd.ledger.journal import Journal
from cohortd.ledger.memberships import State
from cohortd.ledger.queueing import Leaving, Schedule, causes_of, queue_removals

Extra = tuple[Family, bytes, Identifier]

#: Said in the removal log of removals whose person the ledger does not know to be there.
UNKNOWN_SINCE: Final = "an older copy of the ledger was put back, so they may be there"
_KIND_OF: Final = {SubjectKind.EMAIL: IdentifierKind.EMAIL, SubjectKind.PHONE: IdentifierKind.PHONE}


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """One withdrawal to take in."""

    record: ConsentRecord
    #: Where it counts.
    families: Collection[Family]
    #: Identifiers that the source knows of the person now; the member is empty where it is nobody's.
    extra: Sequence[Extra] = ()
    #: Who asked for it by hand.
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A withdrawal as the log tells of it."""

    withdrawn: Withdrawn
    #: The subject's reference.
    subject: str
    #: By when its removals must be confirmed; None where nothing is set.
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal set off."""

    #: The subject's name in the removal log.
    subject: str
    #: Remote audiences for which removals were queued by this call.
    remotes: int
    #: Identifiers that are suppressed for it.
    identifiers: int


_TABLES: Final = (
    """CREATE TEMP TABLE IF NOT EXISTS w_family (withdrawal INTEGER, family TEXT,
        PRIMARY KEY (withdrawal, family)) WITHOUT ROWID""",
    """CREATE TEMP TABLE IF NOT EXISTS w_person (withdrawal INTEGER, member BLOB,
        PRIMARY KEY (withdrawal, member), UNIQUE (member, withdrawal)) WITHOUT ROWID""",
    """CREATE TEMP TABLE IF NOT EXISTS w_key (withdrawal INTEGER, family TEXT, kind INTEGER, key BLOB,
        named INTEGER, payload BLOB, PRIMARY KEY (withdrawal, family, kind, key)) WITHOUT ROWID""",
    "DELETE FROM temp.w_family",
    "DELETE FROM temp.w_person",
    "DELETE FROM temp.w_key",
)

# CROSS JOIN is SQLite's way to keep the order: a few keys first, then one look-up each.
#: Whoever carries or carried a contact field that a record names, or is queued with it.
_PERSONS: Final = f"""
    INSERT INTO temp.w_person
    SELECT k.withdrawal, m.member FROM temp.w_key k CROSS JOIN remote r ON r.family = k.family
        CROSS JOIN membership m ON m.remote = r.id AND m.kind = k.kind AND m.digest = k.key
        WHERE k.named = 1
    UNION SELECT k.withdrawal, p.member FROM temp.w_key k
        CROSS JOIN past_membership p ON p.digest = k.key AND p.kind = k.kind
        CROSS JOIN remote r ON r.id = p.remote AND r.family = k.family WHERE k.named = 1
    UNION SELECT k.withdrawal, c.member FROM temp.w_key k
        CROSS JOIN co_owner c ON c.family = k.family AND c.kind = k.kind AND c.digest = k.key
        WHERE k.named = 1
    UNION SELECT k.withdrawal, i.member FROM temp.w_key k CROSS JOIN remote r ON r.family = k.family
        CROSS JOIN batch b ON b.remote = r.id AND b.{OPEN}
        CROSS JOIN batch_item i ON i.batch = b.id AND i.kind = k.kind AND i.digest = k.key
        WHERE k.named = 1
    ON CONFLICT DO NOTHING
"""
#: All identifiers of those persons as they were ever sent, or wait to be: the customers table, which
#: would say the same, may be out of reach.
_KEYS: Final = f"""
    INSERT INTO temp.w_key
    SELECT p.withdrawal, r.family, m.kind, m.digest, 0, CAST(NULL AS BLOB) FROM temp.w_person p
        CROSS JOIN membership m ON m.member = p.member CROSS JOIN remote r ON r.id = m.remote
    UNION SELECT p.withdrawal, r.family, o.kind, o.digest, 0, CAST(NULL AS BLOB) FROM temp.w_person p
        CROSS JOIN past_membership o ON o.member = p.member CROSS JOIN remote r ON r.id = o.remote
    UNION SELECT p.withdrawal, c.family, c.kind, c.digest, 0, CAST(NULL AS BLOB) FROM temp.w_person p
        CROSS JOIN co_owner c ON c.member = p.member
    UNION SELECT p.withdrawal, r.family, i.kind, i.digest, 0, CAST(NULL AS BLOB) FROM temp.w_person p
        CROSS JOIN batch_item i ON i.member = p.member
        CROSS JOIN batch b ON b.id = i.batch AND b.{OPEN} AND b.action = 'add'
        CROSS JOIN remote r ON r.id = b.remote
    ON CONFLICT DO NOTHING
"""
#: A withdrawal that is stated again stands again, whatever lifted it before.
_SUPPRESS: Final = """
    INSERT INTO suppression (family, kind, key, withdrawal, named, withdrawn_at)
    SELECT k.family, k.kind, k.key, k.withdrawal, k.named, w.withdrawn_at FROM temp.w_key k
        JOIN temp.w_family f ON f.withdrawal = k.withdrawal AND f.family = k.family
        JOIN withdrawal w ON w.id = k.withdrawal
    UNION ALL SELECT f.family, 0, p.member, p.withdrawal, 0, w.withdrawn_at FROM temp.w_person p
        JOIN temp.w_family f ON f.withdrawal = p.withdrawal JOIN withdrawal w ON w.id = p.withdrawal
    WHERE true
    ON CONFLICT (family, kind, key, withdrawal) DO UPDATE SET lifted_at = NULL,
        named = CASE WHEN excluded.named = 1 THEN 1 ELSE suppression.named END,
        withdrawn_at = excluded.withdrawn_at
"""
#: Every row that may be on a platform, unless a removal of it for the same subject is open.
_LEAVING: Final = f"""
    SELECT m.remote, k.withdrawal, m.member, m.kind, m.digest, m.payload FROM temp.w_key k
        CROSS JOIN temp.w_family f ON f.withdrawal = k.withdrawal AND f.family = k.family
        CROSS JOIN remote r ON r.family = k.family
        CROSS JOIN membership m ON m.remote = r.id AND m.kind = k.kind AND m.digest = k.key
    WHERE (m.state != {State.REJECTED:d} OR m.doubt = 1) AND NOT EXISTS (
        SELECT 1 FROM withdrawal w CROSS JOIN withdrawal same ON same.subject_ref = w.subject_ref
            CROSS JOIN batch_item i ON i.withdrawal = same.id CROSS JOIN batch b ON b.id = i.batch
        WHERE w.id = k.withdrawal AND b.remote = m.remote AND b.refresh = 0 AND i.kind = m.kind
            AND i.digest = m.digest)
"""
#: The record's own time, which it may have kept from before. The clock of one that stands goes on.
_STAND: Final = """
    INSERT INTO withdrawal (id, subject_ref, cause, withdrawn_at, received_at, due_at, operator)
    SELECT id, ?, ?, recorded_at, ?, ?, ? FROM consent_record WHERE id = ?
    ON CONFLICT (id) DO UPDATE SET lifted_at = NULL, withdrawn_at = excluded.withdrawn_at,
        received_at = CASE WHEN withdrawal.lifted_at IS NULL THEN withdrawal.received_at
            ELSE excluded.received_at END,
        due_at = CASE WHEN withdrawal.lifted_at IS NULL THEN withdrawal.due_at ELSE excluded.due_at END,
        operator = CASE WHEN withdrawal.lifted_at IS NULL THEN withdrawal.operator
            ELSE excluded.operator END
"""
_STANDING: Final = """
    SELECT w.id FROM json_each(?) j CROSS JOIN withdrawal w ON w.id = CAST(j.value AS INTEGER)
    WHERE w.lifted_at IS NULL
"""
_ASKED: Final = """
    SELECT c.id FROM json_each(?) j CROSS JOIN consent_record c ON c.id = CAST(j.value AS INTEGER)
    WHERE c.status = 'revoked'
"""
#: Those that the log tells of already.
_LOGGED: Final = """
    SELECT w.id FROM json_each(?) j CROSS JOIN withdrawal w ON w.id = CAST(j.value AS INTEGER)
        CROSS JOIN removal_log l ON l.subject = w.subject_ref AND l.event = 'recorded'
            AND l.event_time = w.withdrawn_at
    UNION SELECT w.id FROM json_each(?) j CROSS JOIN withdrawal w ON w.id = CAST(j.value AS INTEGER)
        CROSS JOIN removal_subject s ON s.ref = w.subject_ref
        CROSS JOIN removal_log l ON l.subject = s.name AND l.event = 'recorded'
            AND l.event_time = w.withdrawn_at
"""
_IDENTIFIERS: Final = """
    SELECT s.withdrawal, count(*) AS identifiers FROM json_each(?) j
        CROSS JOIN suppression s ON s.withdrawal = CAST(j.value AS INTEGER) AND s.kind > 0
    GROUP BY s.withdrawal
"""


#: A withdrawal that was taken in before, as the suppressions tell of it.
_AT_HAND: Final = (
    """INSERT INTO temp.w_family SELECT DISTINCT withdrawal, family FROM suppression
        WHERE withdrawal = ? AND lifted_at IS NULL""",
    """INSERT INTO temp.w_key SELECT withdrawal, family, kind, key, named, CAST(NULL AS BLOB)
        FROM suppression WHERE withdrawal = ? AND lifted_at IS NULL AND kind > 0""",
)
#: What is asked for once more may have been done in time before, as nobody knows any more.
_WITHOUT_CLOCK: Final = "UPDATE withdrawal SET due_at = '' WHERE id = ?"


def assert_again(
    connection: Connection, journal: Journal, withdrawals: Iterable[int], now: datetime
) -> int:
    """Take whoever withdrew before off every remote audience once more; return how many rows that are."""
    for statement in _TABLES:
        connection.exec_driver_sql(statement)
    for withdrawal in withdrawals:
        for statement in (*_AT_HAND, _WITHOUT_CLOCK):
            connection.exec_driver_sql(statement, (withdrawal,))
    unknown = putting_back.anywhere(connection)
    queue_removals(connection, journal, unknown, schedule=Schedule(now, now, detail=UNKNOWN_SINCE))
    return len(unknown)


def withdraw(
    connection: Connection,
    journal: Journal,
    asked: Sequence[Asked],
    *,
    trigger: str,
    at: datetime,
    now: datetime,
) -> list[Withdrawal]:
    """Take withdrawals in: store, suppress, queue, log; all in the caller's transaction.

    Args:
        asked: The withdrawals.
        at: When it reached us.
        now: From when its removals are due.
    """
    for statement in _TABLES:
        connection.exec_driver_sql(statement)
    if any(each.withdrawn.record.status is ConsentStatus.GRANTED for each in asked):
        raise LedgerError("a grant withdraws nothing; record it instead")
    ids = consent_records.keep(connection, [each.withdrawn.record for each in asked], received_at=at)
    named = dict(zip(ids, asked, strict=True))
    anew = _stand(connection, named, trigger=trigger, at=at)
    _fill(connection, list(zip(ids, (each.withdrawn for each in asked), strict=True)))
    for statement in (_PERSONS, _KEYS, _SUPPRESS):
        connection.exec_driver_sql(statement)
    leaving = [Leaving(*row) for row in connection.exec_driver_sql(_LEAVING)]
    blindly = late.sent_blindly(connection, now=now)
    _log_recorded(connection, journal, named, anew=anew, leaving=[*leaving, *blindly], at=at)
    queue_removals(connection, journal, leaving, schedule=Schedule(at, now))
    if putting_back.was_put_back(connection):
        unknown = putting_back.anywhere(connection)
        queue_removals(connection, journal, unknown, schedule=Schedule(at, now, detail=UNKNOWN_SINCE))
    late.repeat(connection, journal, blindly, now=now)
    return _outcomes(connection, list(zip(ids, (each.subject for each in asked), strict=True)), leaving)


def _stand(
    connection: Connection, asked: Mapping[int, Asked], *, trigger: str, at: datetime
) -> frozenset[int]:
    """Keep that these records withdraw; return those that did not stand already."""
    standing = connection.exec_driver_sql(_STANDING, (json.dumps(list(asked)),)).scalars()
    anew = frozenset(asked) - frozenset(standing)
    rows = [
        (
            each.subject,
            trigger,
            format_time(at),
            format_time(each.due_at) if each.due_at is not None else "",
            each.withdrawn.operator,
            record,
        )
        for record, each in sorted(asked.items(), key=lambda item: item[0])
    ]
    _many(connection, _STAND, rows)
    return anew


def _log_recorded(
    connection: Connection,
    journal: Journal,
    withdrawals: Iterable[int],
    *,
    anew: frozenset[int],
    leaving: Collection[Leaving],
    at: datetime,
) -> None:
    """Log what came in: whatever a person asked for, and of mere denials those that take something back.

    Who said no without ever having been sent has nothing removed, and the removal log stays a log of
    removals.
    """
    taking = {row.withdrawal for row in leaving}
    asked = connection.exec_driver_sql(_ASKED, (json.dumps(sorted(anew)),)).scalars()
    before = json.dumps(sorted(taking - anew))
    said = connection.exec_driver_sql(_LOGGED, (before, before)).scalars()
    causes = causes_of(connection, sorted({*asked, *(taking - set(said))}))
    for withdrawal in withdrawals:
        if withdrawal in causes:
            journal.note(RemovalEvent.RECORDED, at=at, withdrawal=causes[withdrawal], place={})


def _fill(connection: Connection, asked: Iterable[tuple[int, Withdrawn]]) -> None:
    """Write down whom the records name."""
    families, persons = set(), set()
    keys: dict[tuple[int, str, int, bytes], tuple[int, bytes]] = {}
    for withdrawal, item in asked:
        families |= {(withdrawal, family.value) for family in item.families}
        for family, member, identifier in item.extra:
            key = (withdrawal, family.value, int(identifier.kind), identifier.digest)
            keys[key] = (0, identifier.payload)
            if member:
                persons.add((withdrawal, member))
        if item.record.subject_kind is SubjectKind.CUSTOMER:
            persons |= {(withdrawal, key) for _, key in item.record.subject}
        else:
            kind = int(_KIND_OF[item.record.subject_kind])
            keys.update(
                {(withdrawal, family, kind, digest): (1, b"") for family, digest in item.record.subject}
            )
    _many(connection, "INSERT INTO temp.w_family VALUES (?, ?)", sorted(families))
    _many(connection, "INSERT INTO temp.w_person VALUES (?, ?)", sorted(persons))
    _many(
        connection,
        "INSERT INTO temp.w_key VALUES (?, ?, ?, ?, ?, ?)",
        [(*key, *keys[key]) for key in sorted(keys)],
    )


def _many(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        connection.exec_driver_sql(statement, list(rows))


def _outcomes(
    connection: Connection, asked: Sequence[tuple[int, str]], leaving: Iterable[Leaving]
) -> list[Withdrawal]:
    remotes: dict[int, set[int]] = defaultdict(set)
    for row in leaving:
        remotes[row.withdrawal].add(row.remote)
    rows = connection.exec_driver_sql(_IDENTIFIERS, (json.dumps([withdrawal for withdrawal, _ in asked]),))
    identifiers = {row.withdrawal: row.identifiers for row in rows}
    return [Withdrawal(ref, len(remotes[found]), identifiers.get(found, 0)) for found, ref in asked]
