"""What the ledger asks of its database, whichever it is."""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from cohortd.core.errors import LedgerError, SettingsError

#: How long a write waits for another process's; seconds.
BUSY_TIMEOUT_S = 30
#: What is said to whoever comes after the end.
CLOSED: Final = "this process has closed the ledger; whoever is still at work in it is too late"
#: Under which option a connection keeps how its next transaction begins.
BEGIN = "cohortd_begin"


class Database(Protocol):
    """Written by one connection at a time, of all processes; read by many, who never wait.

    Statements go to ``Connection.exec_driver_sql`` in the words of ``dialects.wording``.
    """

    #: Which one it is, for people: never with a password.
    name: str
    #: Where bulky columns may lie for the time of a comparison.
    folder: Path

    def write(self) -> AbstractContextManager[Connection]:
        """Begin a write at once, and commit it at the end of the block."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Read one consistent state."""
        ...

    def scratch(self) -> AbstractContextManager[Connection]:
        """Lend a connection with a place ``scratch`` for bulky tables, which goes with it."""
        ...

    def write_from(self, connection: Connection) -> AbstractContextManager[Connection]:
        """Write from a ``scratch`` connection as ``write`` does."""
        ...

    def lead(self) -> AbstractContextManager[None]:
        """Hold the lock that one process at a time holds; it goes with the process.

        Raises:
            NotLeaderError: Another holds it.
        """
        ...

    def lost_lead(self) -> bool:
        """Tell whether the lock was lost that this process took last."""
        ...

    def copy(self, path: Path) -> bool:
        """Write a whole copy as of one moment; False where only the server's own tools can.

        Raises:
            LedgerError: It could not be written.
        """
        ...

    def faults(self, *, deep: bool) -> list[str]:
        """Say what is wrong with the database; *deep* looks at more and takes longer."""
        ...

    def size_bytes(self) -> int:
        """How much room it takes."""
        ...

    def server_time(self) -> float | None:
        """Read the server's clock, in seconds since 1970; None where there is none."""
        ...

    def close(self) -> None:
        """Close every connection; whoever comes later is refused, so that no late job changes anything."""
        ...


def refuse_late(*, is_closed: bool) -> None:
    """Refuse whoever comes after the end.

    Raises:
        LedgerError: It has come.
    """
    if is_closed:
        raise LedgerError(CLOSED)


def parse_url(url: str) -> URL:
    """Read a database URL.

    Raises:
        SettingsError: It is none; the text never repeats it, since it may hold a password.
    """
    try:
        return make_url(url)
    except ArgumentError:
        raise SettingsError(
            "database: this is no database URL; write sqlite:///path/to/cohortd.db or"
            " postgresql://user@host/database"
        ) from None


def without_digests(said: str) -> str:
    """Take whatever may be a digest out of a database's words."""
    return re.sub(r"[0-9A-Fa-f]{16,}", "…", said)
