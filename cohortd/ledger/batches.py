"""Batches as values and rows: what is read of them, wherever they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import Action, Batch, BatchState, Lane
from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.planning import Target
from cohortd.core.times import parse_time
from cohortd.ledger.remotes import Remote

#: Calling the enumeration once a row would take longer than reading the row.
_KINDS: Final = {int(kind): kind for kind in IdentifierKind}
#: Written exactly like the condition of the index of open batches, or SQLite does not use it.
OPEN: Final = "state IN ('pending', 'sending', 'accepted')"
#: The state of a batch that is not whole yet: nobody but its writer knows of it.
FILLING: Final = "filling"
#: What is noted of a batch from which everybody was left out: its last attempt, if any, has no answer.
EMPTIED: Final = "emptied"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A batch to send now, and only by whoever claimed it."""

    batch: Batch
    remote: Remote
    lane: Lane
    #: This one included.
    attempts: int


@dataclass(frozen=True, slots=True)
class PollDue:
    """An accepted batch to ask about now."""

    batch_id: int
    remote: Remote
    request: str
    accepted_at: datetime
    #: How often it was asked before.
    polls: int
    action: Action


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch that has not come to its end."""

    id: int
    target: Target
    action: Action
    lane: Lane
    state: BatchState
    attempts: int
    rows: int
    created_at: datetime
    next_at: datetime
    note: str
    #: How often the platform refused it.
    refusals: int
    #: Whether it only repeats what was sent before.
    repeats: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What a change of a batch's state needs to know of it."""

    id: int
    remote: int
    family: str
    action: Action
    lane: Lane
    state: BatchState
    attempts: int
    refusals: int
    version: int
    rows: int
    result: str
    #: Whether it only repeats what was sent before.
    repeats: bool


def load(connection: Connection, batch_id: int, *, states: Sequence[BatchState]) -> Work:
    """Return a batch that is in one of these states.

    Raises:
        LedgerError: There is no such batch, or it stands elsewhere.
    """
    row = connection.exec_driver_sql(
        "SELECT b.id, b.remote, r.family, b.action, b.lane, b.state, b.attempts, b.refusals,"
        " b.version, b.rows, b.result, b.refresh FROM batch b JOIN remote r ON r.id = b.remote"
        " WHERE b.id = ?",
        (batch_id,),
    ).first()
    if row is None:
        raise LedgerError(f"there is no batch {batch_id}")
    work = Work(
        id=row.id,
        remote=row.remote,
        family=row.family,
        action=Action(row.action),
        lane=Lane(row.lane),
        state=BatchState(row.state),
        attempts=row.attempts,
        refusals=row.refusals,
        version=row.version,
        rows=row.rows,
        result=row.result,
        repeats=bool(row.refresh),
    )
    if work.state not in states:
        raise LedgerError(
            f"batch {batch_id} is {work.state.value}, not {' or '.join(s.value for s in states)}"
        )
    return work


def members(connection: Connection, batch_id: int) -> tuple[Member, ...]:
    """Return a batch's members in the order of their rows on the wire."""
    rows = connection.exec_driver_sql(
        "SELECT position, member, kind, digest, payload FROM batch_item WHERE batch = ? AND dropped = 0"
        " ORDER BY position, kind, digest",
        (batch_id,),
    ).all()
    carried: dict[int, tuple[bytes, list[Identifier]]] = {}
    for position, member, kind, digest, payload in rows:
        _, found = carried.setdefault(position, (member, []))
        found.append(Identifier(_KINDS[kind], digest, payload))
    return tuple(Member(key, tuple(found)) for key, found in carried.values())


def positions(connection: Connection, batch_id: int) -> list[int]:
    """Return the positions of a batch's members: the index of a receipt counts along this list."""
    rows = connection.exec_driver_sql(
        "SELECT DISTINCT position FROM batch_item WHERE batch = ? AND dropped = 0 ORDER BY position",
        (batch_id,),
    )
    return list(rows.scalars().all())


def count(connection: Connection, batch_id: int) -> int:
    """Count a batch's members."""
    found: int = connection.exec_driver_sql(
        "SELECT count(DISTINCT position) FROM batch_item WHERE batch = ? AND dropped = 0", (batch_id,)
    ).scalar_one()
    return found


def open_batches(connection: Connection) -> list[BatchRow]:
    """Return every batch that has not come to its end, oldest first."""
    rows = connection.exec_driver_sql(
        "SELECT b.id, r.audience, r.destination, b.action, b.lane, b.state, b.attempts, b.rows,"
        " b.created_at, b.next_at, b.note, b.refusals, b.refresh FROM batch b"
        f" JOIN remote r ON r.id = b.remote WHERE b.{OPEN} ORDER BY b.id"
    ).all()
    return [
        BatchRow(
            row.id,
            Target(row.audience, row.destination),
            Action(row.action),
            Lane(row.lane),
            BatchState(row.state),
            row.attempts,
            row.rows,
            parse_time(row.created_at),
            parse_time(row.next_at),
            row.note,
            row.refusals,
            bool(row.refresh),
        )
        for row in rows
    ]
