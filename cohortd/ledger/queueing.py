"""Batches on the revocation lane: one a remote audience, each row tied to the withdrawal it answers."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import Connection, Row

from cohortd.core.delivery import Action, BatchState, Lane
from cohortd.core.removals import REPEATED, RemovalEvent
from cohortd.core.times import format_time
from cohortd.ledger.journal import Cause, Journal
from cohortd.ledger.removal_log import kinds_text

#: Under every platform's limit, and small enough to be claimed and confirmed quickly.
ROWS_PER_BATCH: Final = 1_000
_CAUSES: Final = """
    SELECT w.id, w.subject_ref, w.cause, c.source, w.withdrawn_at, c.regulation, c.legal_basis, c.purpose,
        c.status, c.evidence, w.received_at, w.due_at, w.operator
    FROM json_each(?) j CROSS JOIN withdrawal w ON w.id = CAST(j.value AS INTEGER)
        CROSS JOIN consent_record c ON c.id = w.id
"""


class Leaving(NamedTuple):
    """One identifier to take off one remote audience, in the order in which batches are cut."""

    remote: int
    withdrawal: int
    member: bytes
    kind: int
    digest: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a removal is queued and may be sent."""

    at: datetime
    next_at: datetime
    #: How often the platform refused this removal before.
    refusals: int = 0
    #: Why it is queued again, for the log.
    detail: str = ""
    #: Whether it only repeats a removal, in case a lost add lands late.
    repeats: bool = False


def queue_removals(
    connection: Connection, journal: Journal, leaving: Iterable[Leaving], *, schedule: Schedule
) -> None:
    """Queue removals and log that they are queued."""
    causes: dict[int, Cause] = {}
    for remote, rows in groupby(sorted(set(leaving)), key=lambda row: row.remote):
        groups = [list(found) for _, found in groupby(rows, key=lambda row: (row.withdrawal, row.member))]
        place = place_of(connection, remote)
        for start in range(0, len(groups), ROWS_PER_BATCH):
            part = groups[start : start + ROWS_PER_BATCH]
            batch = _insert(connection, remote, part, schedule)
            _log(
                connection, journal, part, causes=causes, place={**place, "batch": batch}, schedule=schedule
            )


def place_of(connection: Connection, remote: int) -> dict[str, object]:
    """Return what the log says of a remote audience."""
    row = connection.exec_driver_sql(
        "SELECT audience, destination, platform, account, coalesce(remote_id, '') AS remote_id FROM remote"
        " WHERE id = ?",
        (remote,),
    ).one()
    return dict(row._asdict())


def causes_of(connection: Connection, withdrawals: Iterable[int]) -> Mapping[int, Cause]:
    """Return what the log says of withdrawals, in their order."""
    asked = list(withdrawals)
    rows = connection.exec_driver_sql(_CAUSES, (json.dumps(asked),)).all() if asked else []
    found = {row.id: _cause(row) for row in rows}
    return {withdrawal: found[withdrawal] for withdrawal in asked}


def _cause(row: Row[tuple[object, ...]]) -> Cause:
    return Cause(
        subject=row.subject_ref,
        trigger=row.cause,
        source=row.source,
        event_time=row.withdrawn_at,
        regulation=row.regulation,
        legal_basis=row.legal_basis,
        purpose=row.purpose,
        rule=row.status,
        # Where the evidence was an e-mail address, its hash is what platforms know people by.
        evidence=sha256(row.evidence.encode()).hexdigest() if row.evidence else "",
        received_at=row.received_at,
        due_at=row.due_at,
        operator=row.operator,
    )


def log_batch(
    connection: Connection,
    journal: Journal,
    batch: int,
    *,
    event: RemovalEvent,
    at: datetime,
    detail: str = "",
) -> None:
    """Log a step of a whole batch: one line a withdrawal it answers; none for regular batches."""
    rows = connection.exec_driver_sql(
        "SELECT DISTINCT withdrawal, kind FROM batch_item WHERE batch = ? AND withdrawal IS NOT NULL",
        (batch,),
    ).all()
    steps = [(row.withdrawal, row.kind) for row in rows]
    log_rows(connection, journal, batch, steps, event=event, at=at, detail=detail)


def log_rows(
    connection: Connection,
    journal: Journal,
    batch: int,
    rows: Iterable[tuple[int, int]],
    *,
    event: RemovalEvent,
    at: datetime,
    detail: str = "",
) -> None:
    """Log a step of some (withdrawal, identifier kind) of a batch."""
    kinds: dict[int, list[int]] = defaultdict(list)
    for withdrawal, kind in rows:
        kinds[withdrawal].append(kind)
    if not kinds:
        return
    row = connection.exec_driver_sql(
        "SELECT remote, lane, refresh, attempts, request FROM batch WHERE id = ?", (batch,)
    ).one()
    if row.lane == Lane.REVOCATION and row.refresh:
        detail = f"{REPEATED}: {detail}" if detail else REPEATED
    place = {
        **place_of(connection, row.remote),
        "batch": batch,
        "detail": detail,
        "attempts": row.attempts,
        # While it is being sent, an earlier attempt's is no answer to this one.
        "request": "" if event is RemovalEvent.SENT else row.request or "",
    }
    for withdrawal, cause in causes_of(connection, sorted(kinds)).items():
        where = {**place, "identifier_kinds": kinds_text(kinds[withdrawal])}
        journal.note(event, at=at, withdrawal=cause, place=where)


def _insert(
    connection: Connection, remote: int, groups: Sequence[list[Leaving]], schedule: Schedule
) -> int:
    batch: int = connection.exec_driver_sql(
        "INSERT INTO batch (id, remote, action, lane, state, refresh, refusals, rows, created_at, next_at,"
        " result) VALUES ((SELECT coalesce(max(id), 0) + 1 FROM batch), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " RETURNING id",
        (
            remote,
            Action.REMOVE.value,
            Lane.REVOCATION.value,
            BatchState.PENDING.value,
            int(schedule.repeats),
            schedule.refusals,
            len(groups),
            format_time(schedule.at),
            format_time(schedule.next_at),
            json.dumps({}),
        ),
    ).scalar_one()
    connection.exec_driver_sql(
        "INSERT INTO batch_item (batch, kind, digest, position, member, payload, withdrawal)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (batch, row.kind, row.digest, position, row.member, row.payload, row.withdrawal)
            for position, rows in enumerate(groups)
            for row in rows
        ],
    )
    return batch


def _log(
    connection: Connection,
    journal: Journal,
    groups: Sequence[list[Leaving]],
    *,
    causes: dict[int, Cause],
    place: Mapping[str, object],
    schedule: Schedule,
) -> None:
    kinds: dict[int, list[int]] = defaultdict(list)
    for rows in groups:
        kinds[rows[0].withdrawal] += [row.kind for row in rows]
    causes.update(causes_of(connection, kinds.keys() - causes.keys()))
    for withdrawal in sorted(kinds):
        detail = REPEATED if schedule.repeats else schedule.detail
        where = {**place, "identifier_kinds": kinds_text(kinds[withdrawal]), "detail": detail}
        journal.note(RemovalEvent.QUEUED, at=schedule.at, withdrawal=causes[withdrawal], place=where)
