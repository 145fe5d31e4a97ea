"""The ledger's file looked after: copied while it is written to, examined, and known to be nobody's."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pysqlite3
from sqlalchemy import Connection

from cohortd.core.errors import LedgerError, NotLeaderError

#: The byte of the shared-memory file that everybody locks who has the database open (SQLite's
#: "dead man's switch": 120 bytes of other locks, then 8).
_OPEN_BYTE: Final = 128
#: Faults that are told; one bad page can make thousands.
_MOST_FAULTS: Final = 5


def copy_file(source: Path, target: Path) -> None:
    """Write a whole copy as of one moment, in one file, and look whether it is sound.

    Others go on reading and writing meanwhile: it reads as any reader does, and never waits.

    Raises:
        LedgerError: There is no room for it, or the copy is not sound.
    """
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(pysqlite3.connect(source)) as read, closing(pysqlite3.connect(target)) as written:
            read.backup(written)
            # Nobody writes to a copy: one file, without a log beside it.
            written.execute("PRAGMA journal_mode = DELETE")
            found = [row[0] for row in written.execute("PRAGMA quick_check(1)")]
    except OSError as error:
        raise LedgerError(f"{target} cannot be written: {error.strerror}") from None
    except pysqlite3.Error as error:
        raise LedgerError(f"the ledger could not be copied to {target}: {error}") from None
    if found != ["ok"]:
        raise LedgerError(f"the copy {target} is not sound; cohortd doctor says whether the ledger is")


def file_faults(connection: Connection, *, deep: bool) -> list[str]:
    """Say what is wrong with the file; *deep* also compares every index with its table."""
    pragma = "integrity_check" if deep else "quick_check"
    found = connection.exec_driver_sql(f"PRAGMA {pragma}({_MOST_FAULTS})").scalars()
    faults = [said for said in found if said != "ok"]
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all() if deep else []
    return faults + [f"{len(broken):,} rows name rows that are not there" for _ in broken[:1]]


@contextmanager
def nobodys(path: Path) -> Iterator[None]:
    """Hold the lead of a ledger's file for the length of a block, which nobody else has open.

    Raises:
        NotLeaderError: A process leads, or has the file open.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NotLeaderError(f"a cohortd process leads with {path}; stop it first") from None
        if _is_open(path):
            raise NotLeaderError(f"another process has {path} open; stop every cohortd first")
        yield
    finally:
        os.close(lock)


def _is_open(path: Path) -> bool:
    """Tell whether a process has the database open; only those of this machine can be seen."""
    try:
        shared = os.open(path.with_name(f"{path.name}-shm"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.lockf(shared, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _OPEN_BYTE)
    except OSError:
        return True
    finally:
        os.close(shared)
    return False
