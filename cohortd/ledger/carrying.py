"""Batches that a resync of their remote audience carries out, instead of the platform being told each row.

They are marked (``by_resync``) and claimed by nobody while there is a resync. Its confirmed end ends
them; whenever it does not come to one they are sent like any other batch, by name.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import BatchState, Receipt
from cohortd.core.times import format_time
from cohortd.ledger import batches, replacing, settling
from cohortd.ledger.batches import OPEN, Work
from cohortd.ledger.claiming import write_ahead
from cohortd.ledger.journal import Journal
from cohortd.ledger.memberships import State

_BATCHES: Final = f"""
    SELECT id FROM batch WHERE remote = ? AND {OPEN} AND by_resync = 1 AND action = ? ORDER BY id
"""
#: A resync that is over carries nothing.
_ANY: Final = f"""
    SELECT 1 FROM batch b JOIN resync y ON y.remote = b.remote
    WHERE b.remote = ? AND b.{OPEN} AND b.by_resync = 1 LIMIT 1
"""
_CARRIED_LONG: Final = f"""
    SELECT 1 FROM batch WHERE remote = :remote AND {OPEN} AND by_resync = 1
      AND created_at < :before LIMIT 1
"""
#: Whoever was sent again since stays, and is taken off by name if they are to leave.
_SENT_SINCE: Final = f"""
    DELETE FROM batch_item AS i WHERE i.batch = :batch AND NOT EXISTS (
        SELECT 1 FROM membership m WHERE m.remote = :remote AND m.kind = i.kind AND m.digest = i.digest
          AND m.state = {State.PRESENT:d} AND m.sent_at < :since)
"""
#: Adds that a session carried may have been taken in part: they are sent again, one after the other.
_GO_BY_NAME: Final = f"""
    UPDATE batch SET by_resync = 0, state = 'pending' WHERE remote = ? AND {OPEN} AND by_resync = 1
"""


def begin(connection: Connection, remote: int, *, now: datetime, epoch: int) -> None:
    """Write ahead whose add is carried, without who is suppressed at this moment."""
    for work in _works(connection, remote, "add"):
        write_ahead(connection, work, now, epoch=epoch)


def end(
    connection: Connection, journal: Journal, remote: int, *, since: datetime, how: str, now: datetime
) -> int:
    """Confirm what was carried; return how many members left.

    Args:
        since: Whoever was sent later is not among those who left.
        how: What is said of those who left.
    """
    for work in _works(connection, remote, "add"):
        settling.end(connection, journal, work, receipt=Receipt(BatchState.CONFIRMED), now=now)
    left = 0
    for work in _works(connection, remote, "remove"):
        values = {"batch": work.id, "remote": remote, "since": int(since.timestamp())}
        connection.exec_driver_sql(_SENT_SINCE, values)
        left += batches.count(connection, work.id)
        replacing.end(connection, journal, work.id, how=how, now=now)
    return left


def is_any(connection: Connection, remote: int) -> bool:
    """Whether a resync carries anything."""
    return connection.exec_driver_sql(_ANY, (remote,)).first() is not None


def give_up(connection: Connection, remote: int, *, before: datetime) -> None:
    """Give up a resync that carries something since before a moment, and does not come to its end."""
    values = {"remote": remote, "before": format_time(before)}
    if connection.exec_driver_sql(_CARRIED_LONG, values).first() is not None:
        connection.exec_driver_sql("DELETE FROM resync WHERE remote = ?", (remote,))
        go_by_name(connection, remote)


def go_by_name(connection: Connection, remote: int) -> None:
    """Have sent by name what was to be carried."""
    connection.exec_driver_sql(_GO_BY_NAME, (remote,))


def _works(connection: Connection, remote: int, action: str) -> list[Work]:
    found = connection.exec_driver_sql(_BATCHES, (remote, action)).scalars().all()
    return [
        batches.load(connection, batch, states=(BatchState.PENDING, BatchState.SENDING)) for batch in found
    ]
