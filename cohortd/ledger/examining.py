"""The ledger examined: whether its database is sound, and what lies in it that nobody works on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.times import parse_time
from cohortd.ledger.batches import FILLING
from cohortd.ledger.runs import RUNNING

#: Where the newest time of the ledger stands; each is found without reading a table.
_NEWEST: Final = (
    "SELECT at FROM removal_log ORDER BY seq DESC LIMIT 1",
    "SELECT created_at FROM batch ORDER BY id DESC LIMIT 1",
    "SELECT max(started_at) FROM run",
)


@dataclass(frozen=True, slots=True)
class Examined:
    """What an examination of the ledger found."""

    #: What is wrong with the database, a sentence each.
    faults: tuple[str, ...]
    size_bytes: int
    #: The newest time at which something was written down; None in a new ledger.
    newest_at: datetime | None
    #: How far the database server's clock is ahead of this machine's; None where there is no server.
    server_ahead_s: float | None
    #: Batches that went out and have no answer, and those that are not whole.
    unanswered: int
    unfinished: int
    #: Runs that have not ended.
    running: int


def newest_time(connection: Connection) -> datetime | None:
    """Find the newest time at which something was written down."""
    found = [connection.exec_driver_sql(statement).scalar() for statement in _NEWEST]
    times = [parse_time(text) for text in found if text]
    return max(times, default=None)


def open_work(connection: Connection) -> tuple[int, int, int]:
    """Count batches without an answer, batches that are not whole, and runs that have not ended."""
    batches = "SELECT count(*) FROM batch WHERE settled_at IS NULL AND state = ?"
    return (
        connection.exec_driver_sql(batches, ("sending",)).scalar_one(),
        connection.exec_driver_sql(batches, (FILLING,)).scalar_one(),
        connection.exec_driver_sql("SELECT count(*) FROM run WHERE status = ?", (RUNNING,)).scalar_one(),
    )
