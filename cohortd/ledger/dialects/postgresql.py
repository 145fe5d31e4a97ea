"""A PostgreSQL database: written by one transaction at a time, read by many, reached directly."""

import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, ExecutionContext, RootTransaction, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from cohortd.core.errors import LedgerError, SettingsError
from cohortd.ledger.database import BEGIN, BUSY_TIMEOUT_S, refuse_late
from cohortd.ledger.dialects.postgresql_errors import translated_errors
from cohortd.ledger.dialects.postgresql_lead import Lead
from cohortd.ledger.dialects.postgresql_upkeep import server_faults, server_time
from cohortd.ledger.dialects.wording import in_postgresql

if TYPE_CHECKING:
    import psycopg

#: The oldest that is still maintained; ``idle_session_timeout`` came with it.
OLDEST: Final = 14
#: A connection that waits inside a transaction for so long has lost its process, or that has been
#: stopped: what it wrote is undone, so that others can go on.
IDLE_IN_TRANSACTION_S: Final = 120
#: Seconds without an answer after which a connection counts as broken.
_CONNECT_TIMEOUT_S: Final = 10
_KEEPALIVE: Final = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

#: Advisory locks of ours: the first number says which, the second one whose ledger.
_WRITING: Final = 0x636F6801
_LEADING: Final = 0x636F6802

_READ: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
#: Temporary tables are written; what is read is one state.
_SCRATCH: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

_SETTINGS: Final = {
    "lock_timeout": f"{BUSY_TIMEOUT_S}s",
    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_S}s",
    "idle_session_timeout": "0",
    "statement_timeout": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "work_mem": "32MB",
    "temp_buffers": "32MB",
    "client_min_messages": "warning",
}
#: Writing statements name a few keys first and then look up by them, one table after another: that order
#: is kept, as SQLite keeps it. A planner whose figures lag behind a batch that was just written would read
#: a whole audience for it.
_LOOK_UPS: Final = {
    "join_collapse_limit": "1",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
}


class PostgreSQL:
    """The ledger's database.

    A write holds an advisory lock of the ledger until it commits, so that writes of all processes come
    one after another, each seeing everything before it, exactly as in SQLite: no statement of ours has
    to fear another one beside it.
    """

    def __init__(self, url: URL, *, folder: Path) -> None:
        self.folder = folder
        self._url = url
        self._guard = threading.RLock()
        self._is_closed = False
        self._readers = _engine(url, pooled=True)
        self._single = _engine(url, pooled=False)
        self._lead: Lead | None = None
        with self._errors(), self._single.connect() as connection:
            schema, version = _look(connection)
        self._number = zlib.crc32(schema.encode()) - (1 << 31)
        self._write = f"SELECT pg_advisory_xact_lock({_WRITING}, {self._number})"
        self.name = (
            f"PostgreSQL {version} at {url.host or url.query.get('host', 'localhost')}/{url.database}"
        )
        self._writer = self._open_writer()

    @classmethod
    def open(cls, url: URL, *, folder: Path) -> "PostgreSQL":
        """Connect to a database.

        Raises:
            SettingsError: The driver is not installed, or the URL names no database.
            LedgerError: It is out of reach, or not fit for a ledger.
        """
        if not url.database:
            raise SettingsError("database: name the database as well, postgresql://user@host/database")
        _refuse_without_driver()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise LedgerError(f"{folder} cannot be made: {error.strerror}") from None
        return cls(url.set(drivername="postgresql+psycopg"), folder=folder)

    def close(self) -> None:
        """Close every connection, once the write under way has ended."""
        is_free = self._guard.acquire(timeout=BUSY_TIMEOUT_S)
        self._is_closed = True
        if is_free:  # else the connection goes with the thread that hangs in it
            self._writer.close()
            self._guard.release()
        self._single.dispose()
        self._readers.dispose()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Begin a write when no other is under way, and commit it at the end of the block."""
        with self._guard, self._errors():
            refuse_late(is_closed=self._is_closed)
            with self._begun():
                yield self._writer

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Read one consistent state."""
        refuse_late(is_closed=self._is_closed)
        with self._errors(), self._readers.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        """Lend a connection with temporary tables, which go with it."""
        refuse_late(is_closed=self._is_closed)
        with self._errors(), self._single.connect().execution_options(**{BEGIN: _SCRATCH}) as connection:
            yield connection

    @contextmanager
    def write_from(self, connection: Connection) -> Iterator[Connection]:
        """Write from a ``scratch`` connection as ``write`` does."""
        with self._guard, self._errors():
            refuse_late(is_closed=self._is_closed)
            connection.execution_options(**{BEGIN: self._write})
            try:
                with connection.begin():
                    yield connection
            finally:
                connection.execution_options(**{BEGIN: _SCRATCH})

    @contextmanager
    def lead(self) -> Iterator[None]:
        """Hold an advisory lock on a connection of its own."""
        with self._errors():
            self._lead = Lead(self._single.raw_connection(), key=(_LEADING, self._number))
        with self._lead:
            yield

    def lost_lead(self) -> bool:
        """Tell whether the connection that held the lock is gone."""
        return self._lead is not None and self._lead.lost.is_set()

    def copy(self, path: Path) -> bool:  # noqa: ARG002 - nothing is written
        """Leave it to ``pg_dump``, which knows what belongs to the database."""
        return False

    def faults(self, *, deep: bool) -> list[str]:  # noqa: ARG002 - a server shows no more
        """Say what is wrong with the server, as far as it tells."""
        with self.read() as connection:
            return server_faults(connection)

    def size_bytes(self) -> int:
        """How much room the whole database takes."""
        with self.read() as connection:
            asked = "SELECT pg_database_size(current_database())"
            return int(connection.exec_driver_sql(asked).scalar_one())

    def server_time(self) -> float:
        """Read the server's clock."""
        with self.read() as connection:
            return server_time(connection)

    def _begun(self) -> RootTransaction:
        """Begin; once more where the server has restarted since the last write: nothing was under way."""
        try:
            return self._writer.begin()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._writer.begin()

    def _open_writer(self) -> Connection:
        with self._errors():
            return self._single.connect().execution_options(**{BEGIN: self._write})

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with translated_errors(self._url):
            yield


def _refuse_without_driver() -> None:
    try:
        import psycopg  # noqa: F401, PLC0415 - an extra; who uses SQLite does without
    except ImportError:
        raise SettingsError(
            "database: the driver for PostgreSQL is not installed; pip install 'cohortd[postgresql]'"
        ) from None


def _engine(url: URL, *, pooled: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool if pooled else NullPool,
        pool_pre_ping=pooled,
        hide_parameters=True,
        use_native_hstore=False,
        connect_args={
            "application_name": "cohortd",
            "connect_timeout": _CONNECT_TIMEOUT_S,
            # A prepared plan would outlive the sizes that it was made for.
            "prepare_threshold": None,
            **_KEEPALIVE,
            **url.query,
        },
    )
    settings = _SETTINGS if pooled else _SETTINGS | _LOOK_UPS
    event.listen(engine, "connect", partial(_prepare, settings=settings))
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _reworded, retval=True)
    return engine


def _prepare(
    connection: "psycopg.Connection[Any]", _record: object, *, settings: Mapping[str, str]
) -> None:
    _drop_nul(connection)
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    # Off may lose the last commits when the server falls: a lost write-ahead would break law 3.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()


def _drop_nul(connection: "psycopg.Connection[Any]") -> None:
    """Leave NUL out of texts: no text of PostgreSQL holds one, and a table of consent may."""
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415 - an extra

    class Text(StrDumperUnknown):
        def dump(self, obj: str) -> bytes | bytearray | memoryview | None:
            return super().dump(obj.replace("\0", ""))

    connection.adapters.register_dumper(str, Text)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, _READ))


def _reworded(
    _connection: Connection,
    _cursor: object,
    statement: str,
    parameters: Mapping[str, object] | tuple[object, ...],
    context: ExecutionContext | None,
    _many: bool,  # noqa: FBT001 - as SQLAlchemy calls it
) -> tuple[str, Mapping[str, object] | tuple[object, ...]]:
    """Put our own statements into PostgreSQL's words; what SQLAlchemy compiled already is."""
    ours = context is not None and getattr(context, "compiled", None) is None
    return in_postgresql(statement) if ours else statement, parameters


def _look(connection: Connection) -> tuple[str, str]:
    """Return the schema and the server's version.

    Raises:
        LedgerError: The database is not fit for a ledger.
    """
    row = connection.exec_driver_sql(
        "SELECT current_schema() AS schema, current_setting('server_version_num') AS number,"
        " current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,"
        " pg_is_in_recovery() AS standby"
    ).one()
    version = row.version.split()[0]
    if int(row.number) // 10_000 < OLDEST:
        raise LedgerError(f"PostgreSQL {version} is too old for a ledger; {OLDEST} or newer is needed")
    if row.encoding != "UTF8":
        raise LedgerError(
            f"the ledger's database keeps text as {row.encoding}; make one with ENCODING 'UTF8'"
        )
    if row.standby:
        raise LedgerError("the ledger's database is a standby; give the address of the primary")
    if row.schema is None:
        raise LedgerError("no schema of the ledger's database is there for this user; grant one to it")
    return row.schema, version
