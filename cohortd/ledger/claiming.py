"""Choosing the next batch to send: suppression, write-ahead and change of state in one transaction."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import Action, Batch, BatchState, Lane
from cohortd.core.removals import RemovalEvent
from cohortd.core.times import format_time
from cohortd.ledger import batches, late
from cohortd.ledger.batches import OPEN, Claimed, Work
from cohortd.ledger.journal import Journal
from cohortd.ledger.memberships import State
from cohortd.ledger.queueing import log_batch
from cohortd.ledger.remotes import COLUMNS, remote_of
from cohortd.ledger.settling import end_emptied

#: Whether an item's identifier or member is suppressed now; ``i`` is the item.
SUPPRESSED: Final = """(
    EXISTS (SELECT 1 FROM suppression s WHERE s.family = :family AND s.kind = i.kind AND s.key = i.digest
        AND s.lifted_at IS NULL)
    OR EXISTS (SELECT 1 FROM suppression s WHERE s.family = :family AND s.kind = 0 AND s.key = i.member
        AND s.lifted_at IS NULL))"""

#: Removals before adds, unknown outcomes before new work, else first come. A regular batch waits
#: for its turn; a revocation waits for nothing but for its audience to exist and be open to us.
_NEXT: Final = f"""
    SELECT b.id FROM batch b JOIN remote r ON r.id = b.remote
        LEFT JOIN destination d ON d.name = r.destination
    WHERE b.{OPEN} AND b.state != 'accepted' AND b.next_at <= :now
      AND r.destination IN (SELECT value FROM json_each(:destinations)) AND r.remote_id IS NOT NULL
      AND (r.state = 'ready' OR (b.lane = 'revocation' AND r.state != 'paused'))
      AND d.paused_at IS NULL AND (d.blocked_until IS NULL OR d.blocked_until <= :now)
      AND (b.lane = 'revocation' OR r.destination NOT IN (SELECT value FROM json_each(:urgent_only)))
      AND b.lane = coalesce(:lane, b.lane) AND b.id NOT IN
        (SELECT CAST(value AS INTEGER) FROM json_each(:owned))
      AND b.remote NOT IN (SELECT CAST(value AS INTEGER) FROM json_each(:closed))
      AND (b.lane = 'revocation' OR NOT EXISTS (
        SELECT 1 FROM resync y WHERE y.remote = b.remote
          AND (y.began_at IS NOT NULL OR b.by_resync = 1)))
      AND (b.lane = 'revocation' OR NOT EXISTS (
        SELECT 1 FROM batch o WHERE o.remote = b.remote AND o.{OPEN} AND o.id != b.id AND (
            (o.action != b.action AND o.state IN ('sending', 'accepted'))
            OR (o.action = b.action AND o.state = 'sending')
            OR (o.state = 'accepted'
                AND r.destination NOT IN (SELECT value FROM json_each(:overlapping))))))
    ORDER BY b.lane = 'regular', b.action = 'add', b.state = 'pending', b.id LIMIT 1
"""
#: A row that changes hands keeps its former owner findable.
_FORMER_OWNERS: Final = """
    INSERT INTO co_owner (family, kind, digest, member)
    SELECT :family, m.kind, m.digest, m.member FROM batch_item i CROSS JOIN membership m
        ON m.remote = :remote AND m.kind = i.kind AND m.digest = i.digest
    WHERE i.batch = :batch AND i.dropped = 0 AND m.member != i.member
    ON CONFLICT DO NOTHING
"""
_WRITE_AHEAD: Final = f"""
    INSERT INTO membership (remote, kind, digest, member, payload, state, batch, added_at, sent_at, version)
    SELECT :remote, i.kind, i.digest, i.member, i.payload, {State.ADDING:d}, :batch, :now, :now, :version
        FROM batch_item i WHERE i.batch = :batch AND i.dropped = 0 ORDER BY i.kind, i.digest
    ON CONFLICT (remote, kind, digest) DO UPDATE SET member = excluded.member, payload = excluded.payload,
        state = excluded.state, batch = excluded.batch, sent_at = excluded.sent_at,
        version = excluded.version, reason = NULL,
        doubt = CASE WHEN membership.state != {State.REJECTED:d} THEN 1 ELSE membership.doubt END
"""
MARK_LEAVING: Final = f"""
    UPDATE membership SET state = {State.REMOVING:d} FROM batch_item i
    WHERE i.batch = :batch AND membership.remote = :remote AND membership.kind = i.kind
      AND membership.digest = i.digest AND (membership.state != {State.REJECTED:d} OR membership.doubt = 1)
"""


@dataclass(frozen=True, slots=True)
class Ask:
    """Who claims, and what may be claimed."""

    now: datetime
    epoch: int
    destinations: Collection[str]
    lane: Lane | None
    #: Destinations that take a second batch while the first is only accepted.
    overlapping: Collection[str]
    #: Batches that this process is sending right now.
    owned: Collection[int]
    #: Remote audiences to which nothing may be sent right now.
    closed: Collection[int] = ()
    #: Destinations to which nothing but revocations may be sent.
    urgent_only: Collection[str] = ()


def claim(connection: Connection, journal: Journal, ask: Ask) -> Claimed | None:
    """Take the next batch, without whoever is suppressed now, and write ahead what it may do."""
    while (found := find_next(connection, ask)) is not None:
        work = batches.load(connection, found, states=(BatchState.PENDING, BatchState.SENDING))
        if work.action is Action.ADD:
            _leave_out_suppressed(connection, work)
        elif work.repeats:
            late.leave_out_returned(connection, work)
        rows = batches.count(connection, work.id)
        if rows:
            _write_ahead(connection, work, ask.now)
            return _send(connection, journal, work, ask=ask, rows=rows)
        end_emptied(connection, journal, work, now=ask.now)
    return None


def find_next(connection: Connection, ask: Ask) -> int | None:
    """Find the next batch that may be sent."""
    found: int | None = connection.exec_driver_sql(
        _NEXT,
        {
            "now": format_time(ask.now),
            "destinations": json.dumps(list(ask.destinations)),
            "lane": ask.lane.value if ask.lane else None,
            "owned": json.dumps(list(ask.owned)),
            "closed": json.dumps(list(ask.closed)),
            "overlapping": json.dumps(list(ask.overlapping)),
            "urgent_only": json.dumps(list(ask.urgent_only)),
        },
    ).scalar()
    return found


def _leave_out_suppressed(connection: Connection, work: Work) -> None:
    """Forget suppressed items that were never sent; keep in mind those that an attempt may have sent."""
    which = f"WHERE i.batch = :batch AND {SUPPRESSED}"
    values = {"batch": work.id, "family": work.family}
    if work.attempts:
        connection.exec_driver_sql(f"UPDATE batch_item AS i SET dropped = 1 {which}", values)
    else:
        connection.exec_driver_sql(f"DELETE FROM batch_item AS i {which}", values)


def _write_ahead(connection: Connection, work: Work, now: datetime) -> None:
    values = {
        "batch": work.id,
        "remote": work.remote,
        "family": work.family,
        "version": work.version,
        "now": int(now.timestamp()),
    }
    if work.action is Action.REMOVE:
        connection.exec_driver_sql(MARK_LEAVING, values)
        return
    connection.exec_driver_sql(_FORMER_OWNERS, values)
    connection.exec_driver_sql(_WRITE_AHEAD, values)


def write_ahead(connection: Connection, work: Work, now: datetime, *, epoch: int) -> None:
    """Write ahead what an add may do that goes otherwise than by a batch, as if it were being sent."""
    _leave_out_suppressed(connection, work)
    _write_ahead(connection, work, now)
    connection.exec_driver_sql(
        "UPDATE batch SET state = 'sending', attempts = attempts + 1, epoch = ? WHERE id = ?",
        (epoch, work.id),
    )


def _send(connection: Connection, journal: Journal, work: Work, *, ask: Ask, rows: int) -> Claimed:
    connection.exec_driver_sql(
        "UPDATE batch SET state = 'sending', attempts = attempts + 1, epoch = ?, rows = ? WHERE id = ?",
        (ask.epoch, rows, work.id),
    )
    log_batch(connection, journal, work.id, event=RemovalEvent.SENT, at=ask.now)
    row = connection.exec_driver_sql(f"SELECT {COLUMNS} FROM remote WHERE id = ?", (work.remote,)).one()
    remote = remote_of(row)
    assert remote.remote_id is not None
    batch = Batch(work.id, remote.remote_id, work.action, batches.members(connection, work.id), work.lane)
    return Claimed(batch, remote, work.lane, work.attempts + 1)
