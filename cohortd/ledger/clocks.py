"""Which removals run against their time, as the open batches tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cohortd.core.times import parse_time
from cohortd.ledger.batches import OPEN
from cohortd.ledger.database import Database

#: A removal that only repeats another one has no clock of its own.
_RUNNING: Final = f"""
    SELECT r.destination, w.received_at, w.due_at, count(DISTINCT w.id) AS removals
    FROM batch b CROSS JOIN remote r ON r.id = b.remote
        CROSS JOIN batch_item i ON i.batch = b.id CROSS JOIN withdrawal w ON w.id = i.withdrawal
    WHERE b.{OPEN} AND b.refresh = 0 AND w.due_at != ''
    GROUP BY r.destination, w.received_at, w.due_at
    ORDER BY w.due_at, r.destination, w.received_at
"""


@dataclass(frozen=True, slots=True)
class RunningRemovals:
    """Removals on one destination that have the same clock and are not confirmed yet."""

    destination: str
    received_at: datetime
    due_at: datetime
    #: How many withdrawals.
    count: int


class Clocks:
    """What must be confirmed by when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def running(self) -> Sequence[RunningRemovals]:
        """Return removals that have a clock and are open, the first due first.

        Unlike the removal log's timings, this reads open batches alone: it may be asked every minute.
        """
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(_RUNNING).all()
        return [
            RunningRemovals(
                row.destination, parse_time(row.received_at), parse_time(row.due_at), row.removals
            )
            for row in rows
        ]
