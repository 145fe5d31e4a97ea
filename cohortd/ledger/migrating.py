"""Brings a ledger's tables up to date; the migrations are bundled, no alembic.ini is needed."""

import logging
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect

from cohortd.core.errors import LedgerError

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_VERSIONS: Final = "alembic_version"


def migrate(connection: Connection) -> None:
    """Apply what is missing, inside the caller's transaction.

    Raises:
        LedgerError: A newer cohortd made the file.
    """
    if _version(connection) == _newest():
        return
    # Loaded only where there is something to do: it takes longer than most commands.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", _SCRIPTS.as_posix().replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise LedgerError(
            "this ledger was made by a newer cohortd; run that version, or restore the copy made"
            " before the upgrade"
        ) from None


def _version(connection: Connection) -> str | None:
    """Say which migration the ledger is at; None where there are no tables yet."""
    if not inspect(connection).has_table(_VERSIONS):
        return None
    version = connection.exec_driver_sql(f"SELECT version_num FROM {_VERSIONS}").scalar()
    return None if version is None else str(version)


def _newest() -> str:
    """Migrations are numbered in the names of their files, and form one line."""
    return max(path.name.partition("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*.py"))
