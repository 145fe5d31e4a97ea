"""Brings a ledger's tables up to date; the migrations are bundled, no alembic.ini is needed."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from cohortd.core.errors import LedgerError

logging.getLogger("alembic").setLevel(logging.WARNING)


def migrate(connection: Connection) -> None:
    """Apply what is missing, inside the caller's transaction.

    Raises:
        LedgerError: A newer cohortd made the file.
    """
    config = Config()
    config.set_main_option(
        "script_location", (Path(__file__).parent / "migrations").as_posix().replace("%", "%%")
    )
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise LedgerError(
            "this ledger was made by a newer cohortd; run that version, or restore the copy made"
            " before the upgrade"
        ) from None
