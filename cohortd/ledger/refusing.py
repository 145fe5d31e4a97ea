"""What becomes of a batch that the platform did not take: whose fault was it?

A row's: it is found by halving, and rejected until something about it changes. The platform's own:
nothing of it is known to be wrong, so the same members are sent again, later each time.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import BatchState, Lane, Receipt
from cohortd.core.removals import RemovalEvent
from cohortd.core.times import format_time
from cohortd.ledger import batches, settling
from cohortd.ledger.batches import Work
from cohortd.ledger.journal import Journal
from cohortd.ledger.queueing import log_batch

#: An add at which the platform itself failed is sent again after ten minutes, then twenty, at most a day.
RETRY_FAILED: Final = timedelta(minutes=10)
RETRY_FAILED_AT_MOST: Final = timedelta(days=1)

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


def is_for_a_part(connection: Connection, work: Work, receipt: Receipt) -> bool:
    """Whether the platform refused a whole batch for fewer rows than it holds, and did not say which.

    Where the platform itself failed, a removal is sent again as it is, and only the second time in
    parts: one row at which it keeps failing must not hold up a revocation of others for ever.
    """
    unnamed = sum(receipt.unattributed.values())
    keeps_failing = work.lane is Lane.REVOCATION and work.refusals > 0
    if receipt.state is not BatchState.REJECTED or not unnamed or (receipt.fault and not keeps_failing):
        return False
    return unnamed < len(batches.positions(connection, work.id)) - len(receipt.rejected)


def put_off(
    connection: Connection, journal: Journal, work: Work, *, receipt: Receipt, now: datetime
) -> None:
    """Leave an add at which the platform itself failed to be sent again, without the rows it named.

    A part of it may be there, so its rows stay written ahead. Meanwhile it holds up no other batch:
    the platform is done with it.
    """
    places = batches.positions(connection, work.id)
    named = {places[index]: reason for index, reason in receipt.rejected.items() if index < len(places)}
    tally = settling.refuse(connection, journal, work, refused=named, now=now)
    wait = settling.pause(RETRY_FAILED, work.refusals, most=RETRY_FAILED_AT_MOST)
    connection.exec_driver_sql(
        "UPDATE batch SET refusals = refusals + 1, request = '', accepted_at = NULL, note = ?, result = ?"
        " WHERE id = ?",
        (receipt.fault, tally.write(), work.id),
    )
    _again(connection, work.id, now + wait)


def wait(
    connection: Connection, journal: Journal, work: Work, *, until: datetime, note: str, now: datetime
) -> None:
    """Leave a batch of which nothing was done to be sent again, not before *until*."""
    log_batch(connection, journal, work.id, event=RemovalEvent.REJECTED, at=now, detail=note)
    connection.exec_driver_sql(
        "UPDATE batch SET refusals = refusals + 1, note = ? WHERE id = ?", (note, work.id)
    )
    _again(connection, work.id, until)


def _halve(connection: Connection, work: Work, middle: int, now: datetime) -> None:
    """Move the upper half to a batch of its own.

    Both count as attempted, so that no new plan drops them: their rows are written ahead.
    """
    half: int = connection.exec_driver_sql(
        "INSERT INTO batch (id, remote, action, lane, state, refresh, attempts, refusals, rows,"
        " version, created_at, next_at, result) SELECT (SELECT max(id) + 1 FROM batch),"
        " remote, action, lane, 'pending', refresh,"
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


def _again(connection: Connection, batch: int, at: datetime) -> None:
    connection.exec_driver_sql(
        "UPDATE batch SET state = 'pending', next_at = :at, rows = (SELECT count(DISTINCT position)"
        " FROM batch_item WHERE batch = :batch AND dropped = 0) WHERE id = :batch",
        {"at": format_time(at), "batch": batch},
    )
