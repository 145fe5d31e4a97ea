"""Whether a ledger can be used now: asked beside everything else, over a connection of its own.

Nothing is made, changed or waited for, so that it may be asked every few seconds, by any process; and
nothing is loaded but a driver, so that a health check is quick. So it stands beside the ledger's room.
"""

import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

#: How long PostgreSQL may take to answer; seconds.
WITHIN_S: Final = 3
_TABLE: Final = "alembic_version"
_VERSION: Final = f"SELECT version_num FROM {_TABLE}"  # noqa: S608 - a constant
_MIGRATIONS: Final = Path(__file__).parent / "ledger" / "migrations" / "versions"


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
    """Look at the ledger that a checked URL names."""
    if url.startswith("sqlite:///"):
        return _of_sqlite(Path(url.removeprefix("sqlite:///").partition("?")[0]))
    return _of_postgresql(re.sub(r"^postgresql\+\w+:", "postgresql:", url))


def _of_sqlite(path: Path) -> Probe:
    # The same library as the ledger's own: two would take each other's locks on the file away.
    import pysqlite3  # noqa: PLC0415 - not where the ledger is in PostgreSQL

    if not path.exists():
        return Probe(fault="there is no ledger yet")
    try:
        place = f"{path.absolute().as_uri()}?mode=rw"
        with closing(pysqlite3.connect(place, uri=True, timeout=0, isolation_level=None)) as driver:
            has_tables = driver.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_TABLE,)).fetchone()
            version = driver.execute(_VERSION).fetchone() if has_tables else None
            return _looked_at(version, refused=_try_to_write(driver, pysqlite3.OperationalError))
    except pysqlite3.Error as error:
        return Probe(fault=f"the file cannot be read: {error}")


def _try_to_write(driver: Any, refusal: type[Exception]) -> str:
    """Take the right to write, and give it back; where another is writing, it can be written."""
    try:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("ROLLBACK")
    except refusal as error:
        said = str(error)
        return "" if "locked" in said or "busy" in said else said
    return ""


def _of_postgresql(url: str) -> Probe:
    try:
        import psycopg  # noqa: PLC0415 - an extra; who uses SQLite does without
    except ImportError:
        return Probe(fault="the driver is not installed: pip install 'cohortd[postgresql]'")
    try:
        with psycopg.connect(url, connect_timeout=WITHIN_S, autocommit=True) as driver:
            has_tables = driver.execute("SELECT to_regclass(%s) IS NOT NULL", (_TABLE,)).fetchone()
            version = driver.execute(_VERSION).fetchone() if has_tables == (True,) else None
            is_writable = driver.execute("SHOW transaction_read_only").fetchone() == ("off",)
            return _looked_at(version, refused="" if is_writable else "the database is read-only")
    except psycopg.Error as error:
        # Its words quote the address and the user; the kind says enough here.
        return Probe(fault=f"the database is out of reach ({type(error).__name__})")


def _looked_at(version: tuple[Any, ...] | None, *, refused: str) -> Probe:
    is_migrated = version is not None and str(version[0]) == _newest()
    fault = refused or ("" if is_migrated else "its tables are not those of this version of cohortd")
    return Probe(reachable=True, migrated=is_migrated, writable=not refused, fault=fault)


def _newest() -> str:
    """As ``ledger.migrating`` finds it: by the numbers in the names of the files."""
    return max(path.name.partition("_")[0] for path in _MIGRATIONS.glob("[0-9]*.py"))
