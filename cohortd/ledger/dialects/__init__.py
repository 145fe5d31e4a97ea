"""What the databases do differently. The rooms' statements are written once, as SQLite takes them."""

from pathlib import Path

from cohortd.core.errors import SettingsError
from cohortd.ledger.database import Database, parse_url
from cohortd.ledger.dialects.postgresql import PostgreSQL
from cohortd.ledger.dialects.sqlite import SQLite


def open_database(url: str, *, folder: Path) -> Database:
    """Open what the URL names.

    Args:
        folder: For bulky columns, where the ledger itself is in no folder.

    Raises:
        SettingsError: It names no database that can hold a ledger.
        LedgerError: It cannot be reached or used.
    """
    parsed = parse_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            return SQLite.open(parsed)
        case "postgresql":
            return PostgreSQL.open(parsed, folder=folder)
        case other:
            raise SettingsError(
                f"database: {other} is not supported; write sqlite:///path/to/cohortd.db or"
                " postgresql://user@host/database"
            )
