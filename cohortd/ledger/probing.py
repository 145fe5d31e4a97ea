"""Whether a ledger can be used now: asked beside everything else, over a connection of its own.

Nothing is made, changed or waited for, so that it may be asked every few seconds, by any process.
"""

from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import pysqlite3
from sqlalchemy.engine import URL

from cohortd.ledger.database import parse_url
from cohortd.ledger.dialects.sqlite import path_of
from cohortd.ledger.migrating import VERSIONS, newest

#: How long PostgreSQL may take to answer; seconds.
WITHIN_S: Final = 3
_VERSION: Final = f"SELECT version_num FROM {VERSIONS}"


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found; what follows from a fault is told as one, too."""

    reachable: bool = False
    migrated: bool = False
    writable: bool = False
    #: What is wrong, a sentence; empty where nothing is.
    fault: str = ""

    @property
    def ok(self) -> bool:
        """Whether it can be used."""
        return self.reachable and self.migrated and self.writable


def probe(url: str) -> Probe:
    """Look at the ledger that *url* names.

    Raises:
        SettingsError: It names none.
    """
    parsed = parse_url(url)
    return _of_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _of_postgresql(parsed)


def _of_sqlite(url: URL) -> Probe:
    """Take and give back the right to write; where another is writing, the file can be written."""
    path = path_of(url)
    if not path.exists():
        return Probe(fault="there is no ledger yet")
    try:
        # The same library as the ledger's own: two would take each other's locks on the file away.
        driver = pysqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=0, isolation_level=None)
        with closing(driver):
            has_tables = driver.execute(
                "SELECT 1 FROM sqlite_master WHERE name = ?", (VERSIONS,)
            ).fetchone()
            version = driver.execute(_VERSION).fetchone() if has_tables else None
            return _looked_at(version, refused=_try_to_write(driver))
    except pysqlite3.Error as error:
        return Probe(fault=f"the file cannot be opened: {error}")


def _try_to_write(driver: "pysqlite3.Connection") -> str:
    try:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("ROLLBACK")
    except pysqlite3.OperationalError as error:
        said = str(error)
        return "" if "locked" in said or "busy" in said else said
    return ""


def _of_postgresql(url: URL) -> Probe:
    try:
        import psycopg  # noqa: PLC0415 - an extra; who uses SQLite does without
    except ImportError:
        return Probe(fault="the driver is not installed: pip install 'cohortd[postgresql]'")
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(plain, connect_timeout=WITHIN_S, autocommit=True) as driver:
            has_tables = driver.execute("SELECT to_regclass(%s) IS NOT NULL", (VERSIONS,)).fetchone()
            version = driver.execute(_VERSION).fetchone() if has_tables == (True,) else None
            is_writable = driver.execute("SHOW transaction_read_only").fetchone() == ("off",)
            return _looked_at(version, refused="" if is_writable else "the database is read-only")
    except psycopg.Error as error:
        # Its words may quote the address with the user in it; the kind says enough here.
        return Probe(fault=f"the database is out of reach ({type(error).__name__})")


def _looked_at(version: tuple[Any, ...] | None, *, refused: str) -> Probe:
    is_migrated = version is not None and str(version[0]) == newest()
    fault = refused or ("" if is_migrated else "its tables are of another version of cohortd")
    return Probe(reachable=True, migrated=is_migrated, writable=not refused, fault=fault)
