"""One SQLite file: opened safely, written by one connection, read by many."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import Final

import pysqlite3
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from cohortd.core.errors import LedgerError, NotLeaderError, SettingsError
from cohortd.ledger.database import BEGIN, BUSY_TIMEOUT_S, refuse_late, without_digests
from cohortd.ledger.dialects.filesystem import refuse_network
from cohortd.ledger.dialects.sqlite_upkeep import copy_file, file_faults

_COPY_BACK = (
    "stop cohortd, keep this file, and put the newest copy back (cohortd restore; docs/recovery.md)"
)
#: What a person does about what SQLite says.
_CURES = {
    "malformed": _COPY_BACK,
    "not a database": _COPY_BACK,
    "disk I/O error": "is the disk full, or failing? cohortd doctor says more",
    "is full": "make room; nothing is lost, and the next run goes on from what was recorded",
}
#: SQLite 3.7.0 to 3.51.2 can corrupt a write-ahead log that two connections reset at once.
OLDEST_SQLITE: Final = (3, 51, 3)
CACHE_KB: Final = 32_768
PAGE_BYTES: Final = 8_192
CHECKPOINT_PAGES: Final = 16_384

_NOW: Final = "BEGIN IMMEDIATE"


def path_of(url: URL) -> Path:
    """Return the file that *url* names.

    Raises:
        SettingsError: It names none.
    """
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise SettingsError(
            "database: the ledger must outlive the process; write sqlite:///path/to/cohortd.db"
        )
    return Path(url.database).absolute()


def refuse_old_sqlite(version: tuple[int, ...], name: str) -> None:
    """Refuse a SQLite library that can corrupt the file.

    Raises:
        LedgerError: It is older than 3.51.3.
    """
    if version < OLDEST_SQLITE:
        raise LedgerError(
            f"SQLite {name} can corrupt a database that two processes use; install pysqlite3"
            " 0.6.1 or newer, which brings SQLite 3.51.3 or newer"
        )


class SQLite:
    """The ledger's file.

    Every write runs in one connection, one at a time; a write of another process is waited for.
    Readers have connections of their own and never wait.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path.parent
        self.name = f"SQLite {pysqlite3.sqlite_version} at {path}"
        self._lock = threading.RLock()
        self._is_closed = False
        self._readers = _engine(path, pooled=True)
        self._single = _engine(path, pooled=False)
        self._writer = self._single.connect().execution_options(**{BEGIN: _NOW})

    @classmethod
    def open(cls, url: URL) -> "SQLite":
        """Open or make the file, readable to its owner alone.

        Raises:
            SettingsError: The URL names no SQLite file.
            LedgerError: The library is too old, or the file is out of reach or on a network.
        """
        refuse_old_sqlite(pysqlite3.sqlite_version_info, pysqlite3.sqlite_version)
        path = path_of(url)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            refuse_network(path.parent)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
        except OSError as error:
            raise LedgerError(f"the ledger {path} cannot be opened for writing: {error.strerror}") from None
        try:
            with translated_errors():
                return cls(path)
        except LedgerError as error:
            raise LedgerError(f"{path}: {error}") from None

    def close(self) -> None:
        """Close every connection, once the write under way has ended."""
        is_free = self._lock.acquire(timeout=BUSY_TIMEOUT_S)
        self._is_closed = True
        if is_free:  # else the connection goes with the thread that hangs in it
            self._writer.close()
            self._lock.release()
        self._single.dispose()
        self._readers.dispose()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Begin a write at once, and commit it at the end of the block."""
        with self._lock, translated_errors():
            refuse_late(is_closed=self._is_closed)
            with self._writer.begin():
                yield self._writer

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Read one consistent state."""
        refuse_late(is_closed=self._is_closed)
        with translated_errors(), self._readers.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        """Lend a connection with a database ``scratch`` for bulky tables, which goes with it.

        Its file has no name once it is open, so that nothing is left of it however the process ends.
        TEMP tables would do, but this SQLite keeps them in memory, whatever a pragma says.
        """
        refuse_late(is_closed=self._is_closed)
        file, name = mkstemp(prefix=f"{self.path.name}-scratch-", dir=self.folder)
        os.close(file)
        try:
            with translated_errors(), self._single.connect() as connection:
                _attach(connection, name)
                Path(name).unlink()
                yield connection
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def write_from(self, connection: Connection) -> Iterator[Connection]:
        """Write from a ``scratch`` connection as ``write`` does."""
        with self._lock, translated_errors():
            refuse_late(is_closed=self._is_closed)
            connection.execution_options(**{BEGIN: _NOW})
            try:
                with connection.begin():
                    yield connection
            finally:
                connection.execution_options(**{BEGIN: "BEGIN"})

    @contextmanager
    def lead(self) -> Iterator[None]:
        """Lock a file beside the ledger: the lock goes with the process, however it ends."""
        path = self.path.with_name(f"{self.path.name}.lock")
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
            yield
        finally:
            os.close(lock)

    def lost_lead(self) -> bool:
        """Say no: a file's lock is never lost."""
        return False

    def copy(self, path: Path) -> bool:
        """Write a whole copy as of one moment, into one file."""
        copy_file(self.path, path)
        return True

    def faults(self, *, deep: bool) -> list[str]:
        """Say what is wrong with the file."""
        try:
            with self.read() as connection:
                return file_faults(connection, deep=deep)
        except LedgerError as error:  # so damaged that it cannot even be looked through
            return [str(error)]

    def size_bytes(self) -> int:
        """How much room the file takes, with its log."""
        beside = self.path.with_name(f"{self.path.name}-wal")
        return sum(file.stat().st_size for file in (self.path, beside) if file.exists())

    def server_time(self) -> None:
        """Say that there is no server."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the driver's errors into ours; they never show a statement's parameters."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig)
        if "locked" in said or "busy" in said:
            raise LedgerError(
                f"another process has been writing to the ledger for {BUSY_TIMEOUT_S} s; try"
                " again when it is done"
            ) from None
        raise LedgerError(f"the ledger refused: {without_digests(said)}{_cure_of(said)}") from None


def _cure_of(said: str) -> str:
    return next((f"; {cure}" for words, cure in _CURES.items() if words in said), "")


def _engine(path: Path, *, pooled: bool) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        module=pysqlite3,
        poolclass=QueuePool if pooled else NullPool,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False, "isolation_level": None},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _attach(connection: Connection, name: str) -> None:
    """Attach the scratch file, outside any transaction, and make it open its file."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("ATTACH DATABASE ? AS scratch", (name,))
    for pragma in (f"page_size = {PAGE_BYTES}", "journal_mode = MEMORY", "synchronous = OFF"):
        driver.execute(f"PRAGMA scratch.{pragma}")
    driver.execute(f"PRAGMA scratch.cache_size = -{CACHE_KB}")
    driver.execute("CREATE TABLE scratch.opened (at INTEGER)")


def _begin(connection: Connection) -> None:
    """Begin ourselves: the driver's own way begins late, so that two writers could deadlock."""
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))


def _prepare(connection: pysqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        f"page_size = {PAGE_BYTES}",
        "journal_mode = WAL",
        # NORMAL may lose the last commits when power fails: a lost write-ahead would break law 3.
        "synchronous = FULL",
        "foreign_keys = ON",
        f"cache_size = -{CACHE_KB}",
        # A big batch touches pages all over the file: let some gather before they are copied back.
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        f"journal_size_limit = {CHECKPOINT_PAGES * PAGE_BYTES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
