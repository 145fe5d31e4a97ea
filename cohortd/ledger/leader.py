"""Who may send: one process at a time, fenced by an epoch that every claim and settlement shows."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from cohortd.core.errors import LedgerError, NotLeaderError
from cohortd.ledger.database import Database


@contextmanager
def leadership(database: Database) -> Iterator[int]:
    """Lead for the length of the block.

    The lock goes with the process, however it ends. A leader that was stopped and woke up after
    another took over still holds its old epoch, and the ledger refuses it.

    Yields:
        The epoch to show.

    Raises:
        NotLeaderError: Another process leads, or another part of this one.
    """
    path = database.path.with_name(f"{database.path.name}.lock")
    try:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(f"the lock {path} cannot be opened: {error.strerror}") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NotLeaderError(
                f"another cohortd process holds {path}; only one may send at a time"
            ) from None
        with database.write() as connection:
            epoch = connection.exec_driver_sql(
                "UPDATE leader SET epoch = epoch + 1 RETURNING epoch"
            ).scalar_one()
        yield epoch
    finally:
        os.close(lock)


def check_epoch(connection: Connection, epoch: int) -> None:
    """Refuse whoever no longer leads, inside the transaction that would change something.

    Raises:
        NotLeaderError: A newer leader took over.
    """
    newest = connection.exec_driver_sql("SELECT epoch FROM leader").scalar_one()
    if newest != epoch:
        raise NotLeaderError("another cohortd process has taken over; this one must not send")
