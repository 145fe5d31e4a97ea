"""Finding the row at fault in a batch that the platform refused whole."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from cohortd.core.delivery import BatchState, Receipt
from cohortd.core.times import format_time
from cohortd.ledger import batches, settling
from cohortd.ledger.batches import Work
from cohortd.ledger.removal_log import Journal

#: Moves what an item wrote ahead to the batch that carries it from now on.
_MOVE_MEMBERSHIPS = """
    UPDATE membership SET batch = :half FROM batch_item i
    WHERE i.batch = :half AND membership.remote = :remote AND membership.kind = i.kind
      AND membership.digest = i.digest AND membership.batch = :batch
"""


def split(
    connection: Connection, journal: Journal, work: Work, *, rows: Mapping[int, str], now: datetime
) -> None:
    """Reject the rows that were named and try the rest again; where none was named, halve the batch."""
    places = batches.positions(connection, work.id)
    if len(places) <= 1:
        reason = next(iter(rows.values()), "refused by the platform")
        settling.end(connection, journal, work, receipt=Receipt(BatchState.REJECTED, note=reason), now=now)
        return
    named = {places[index]: reason for index, reason in rows.items() if index < len(places)}
    if not named:
        _halve(connection, work, places[len(places) // 2], now)
        return
    if len(named) == len(places):
        settling.end(
            connection, journal, work, receipt=Receipt(BatchState.REJECTED, rejected=dict(rows)), now=now
        )
        return
    tally = settling.refuse(connection, journal, work, refused=named, now=now)
    connection.exec_driver_sql("UPDATE batch SET result = ? WHERE id = ?", (tally.write(), work.id))
    _again(connection, work.id, now)


def _halve(connection: Connection, work: Work, middle: int, now: datetime) -> None:
    """Move the upper half to a batch of its own.

    Both count as attempted, so that no new plan drops them: their rows are written ahead.
    """
    half: int = connection.exec_driver_sql(
        "INSERT INTO batch (remote, action, lane, state, refresh, attempts, refusals, rows,"
        " version, created_at, next_at, result) SELECT remote, action, lane, 'pending', refresh,"
        " attempts, refusals, 0, version,"
        " created_at, ?, '' FROM batch WHERE id = ? RETURNING id",
        (format_time(now), work.id),
    ).scalar_one()
    values = {"half": half, "batch": work.id, "middle": middle, "remote": work.remote}
    connection.exec_driver_sql(
        "UPDATE batch_item SET batch = :half WHERE batch = :batch AND position >= :middle", values
    )
    connection.exec_driver_sql(_MOVE_MEMBERSHIPS, values)
    _again(connection, half, now)
    _again(connection, work.id, now)


def _again(connection: Connection, batch: int, now: datetime) -> None:
    connection.exec_driver_sql(
        "UPDATE batch SET state = 'pending', next_at = :now, rows = (SELECT count(DISTINCT position)"
        " FROM batch_item WHERE batch = :batch AND dropped = 0) WHERE id = :batch",
        {"now": format_time(now), "batch": batch},
    )
