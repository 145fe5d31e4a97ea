"""What stands open and what was confirmed, in a few cheap questions: asked again and again."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cohortd.core.removals import REPEATED, RemovalEvent
from cohortd.core.times import parse_time
from cohortd.ledger.batches import OPEN
from cohortd.ledger.database import Database

#: Only revocations' batches are walked: those of a first sync hold everybody. A removal that only
#: repeats another one is not waited for.
_OPEN_REMOVALS: Final = f"""
    SELECT r.destination, coalesce(nullif(w.received_at, ''), w.withdrawn_at) AS received, w.due_at,
        count(DISTINCT w.id) AS removals
    FROM batch b CROSS JOIN remote r ON r.id = b.remote
        CROSS JOIN batch_item i ON i.batch = b.id CROSS JOIN withdrawal w ON w.id = i.withdrawal
    WHERE b.{OPEN} AND b.lane = 'revocation' AND b.refresh = 0
    GROUP BY r.destination, received, w.due_at
"""
_OPEN_BATCHES: Final = f"""
    SELECT r.destination, b.lane, b.state, count(*) AS batches
    FROM batch b CROSS JOIN remote r ON r.id = b.remote WHERE b.{OPEN}
    GROUP BY r.destination, b.lane, b.state
"""
_CONFIRMED: Final = """
    SELECT seq, destination, received_at, event_time, at FROM removal_log
    WHERE seq > ? AND event = ? AND detail NOT LIKE ? ORDER BY seq LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class OpenRemovals:
    """Removals on one destination that were asked for at one time and are not confirmed."""

    destination: str
    received_at: datetime
    #: None where they have no clock.
    due_at: datetime | None
    #: How many withdrawals.
    count: int


@dataclass(frozen=True, slots=True)
class OpenBatches:
    """How many batches stand where."""

    destination: str
    lane: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A removal that was confirmed, of one person from one audience."""

    seq: int
    destination: str
    #: From when we were told of the withdrawal; seconds.
    took_s: float


@dataclass(frozen=True, slots=True)
class SyncEnd:
    """A sync that ended, without what it counted."""

    run_id: str
    status: str
    finished_at: datetime


class Overview:
    """Numbers for whoever watches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def created_at(self) -> datetime:
        """When this ledger was made."""
        with self._database.read() as connection:
            return parse_time(
                connection.exec_driver_sql("SELECT created_at FROM installation").scalar_one()
            )

    def open_removals(self) -> Sequence[OpenRemovals]:
        """Removals that are not confirmed, those of unset destinations too."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(_OPEN_REMOVALS).all()
        return [
            OpenRemovals(
                row.destination,
                parse_time(row.received),
                parse_time(row.due_at) if row.due_at else None,
                row.removals,
            )
            for row in rows
        ]

    def open_batches(self) -> Sequence[OpenBatches]:
        """Batches that have not come to their end."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(_OPEN_BATCHES).all()
        return [OpenBatches(*row) for row in rows]

    def newest_syncs(self, limit: int) -> Sequence[SyncEnd]:
        """The newest syncs that ended, newest first.

        Found by their ids, which sort by time, and without their summaries: those of a year are large.
        """
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT id, status, finished_at FROM run WHERE kind = 'sync' AND finished_at IS NOT NULL"
                " ORDER BY id DESC LIMIT ?",
                (limit,),
            ).all()
        return [SyncEnd(row.id, row.status, parse_time(row.finished_at)) for row in rows]

    def last_end(self, statuses: Collection[str]) -> datetime | None:
        """When a sync last ended so; reads the whole history."""
        with self._database.read() as connection:
            at: str | None = connection.exec_driver_sql(
                "SELECT max(finished_at) FROM run WHERE kind = 'sync'"
                " AND status IN (SELECT value FROM json_each(?))",
                (json.dumps(list(statuses)),),
            ).scalar()
        return None if at is None else parse_time(at)

    def confirmed_after(self, seq: int, *, limit: int) -> Sequence[Confirmation]:
        """What the removal log has of confirmations behind an entry: the next ones, in their order."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                _CONFIRMED, (seq, RemovalEvent.CONFIRMED.value, f"{REPEATED}%", limit)
            ).all()
        return [
            Confirmation(
                row.seq,
                row.destination,
                (parse_time(row.at) - parse_time(row.received_at or row.event_time)).total_seconds(),
            )
            for row in rows
        ]
