"""Who may send: one process at a time, fenced by an epoch that every claim and settlement shows."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Connection

from cohortd.core.errors import LedgerError, NotLeaderError
from cohortd.core.times import now_utc
from cohortd.ledger import putting_back
from cohortd.ledger.database import Database
from cohortd.ledger.putting_back import EpochFile

log = structlog.get_logger()


@contextmanager
def leadership(database: Database, witness: EpochFile) -> Iterator[int]:
    """Lead for the length of the block.

    The lock goes with the process, however it ends. A leader that was stopped and woke up after
    another took over still holds its old epoch, and the ledger refuses it.

    Args:
        witness: Knows the newest epoch that was taken here; a ledger that is behind it was put back.

    Yields:
        The epoch to show.

    Raises:
        NotLeaderError: Another process leads, or another part of this one.
    """
    with database.lead():
        newest = witness.read()
        with database.write() as connection:
            epoch = _take(connection, newest)
        try:
            witness.write(epoch)
        except LedgerError as error:
            # No revocation may wait for a file; but an older copy that is put back now may go unnoticed.
            log.error("epoch_not_kept", reason=str(error))  # noqa: TRY400 - tracebacks are never shown
        yield epoch


def _take(connection: Connection, newest: int | None) -> int:
    """Take the next epoch, after the *newest* that is known of; None where that cannot be told."""
    known: int = connection.exec_driver_sql("SELECT epoch FROM leader").scalar_one()
    if newest is None or known < newest:
        putting_back.note(connection, at=now_utc())
    epoch = max(known, newest or 0) + 1
    connection.exec_driver_sql("UPDATE leader SET epoch = ?", (epoch,))
    return epoch


def leads(database: Database, epoch: int) -> bool:
    """Tell whether the process that took this epoch leads still."""
    if database.lost_lead():
        return False
    with database.read() as connection:
        newest: int = connection.exec_driver_sql("SELECT epoch FROM leader").scalar_one()
    return newest == epoch


def check_epoch(connection: Connection, epoch: int) -> None:
    """Refuse whoever no longer leads, inside the transaction that would change something.

    Raises:
        NotLeaderError: A newer leader took over.
    """
    newest = connection.exec_driver_sql("SELECT epoch FROM leader").scalar_one()
    if newest != epoch:
        raise NotLeaderError("another cohortd process has taken over; this one must not send")


def check_lead(database: Database) -> None:
    """Refuse to begin anything once the lock is lost, whether another has taken over yet or not.

    Raises:
        NotLeaderError: It is.
    """
    if database.lost_lead():
        raise NotLeaderError("the connection that held the lead is lost; lead again before sending")
