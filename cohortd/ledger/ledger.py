"""The ledger: everything that was decided, sent, answered and taken back."""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection

from cohortd.core.removals import Sealer
from cohortd.core.times import format_time, now_utc
from cohortd.ledger.comparing import Comparison
from cohortd.ledger.consent_store import ConsentStore
from cohortd.ledger.database import Database
from cohortd.ledger.leader import leadership
from cohortd.ledger.memberships import Members
from cohortd.ledger.migrating import migrate
from cohortd.ledger.models import Models
from cohortd.ledger.outbox import Outbox
from cohortd.ledger.remotes import Remotes
from cohortd.ledger.removal_log import RemovalLog
from cohortd.ledger.runs import Runs

SECRET_BYTES: Final = 32


class Ledger:
    """Durable truth, in rooms of its own; use it as a context manager, from any thread."""

    def __init__(self, database: Database, *, secret: bytes, sealer: Sealer, state_dir: Path) -> None:
        self._database = database
        #: Names customers and subjects; without it no key of ours can be computed.
        self.secret = secret
        self.removals = RemovalLog(database, sealer=sealer, secret=secret, state_dir=state_dir)
        self.runs = Runs(database)
        self.models = Models(database)
        self.remotes = Remotes(database)
        self.members = Members(database)
        self.outbox = Outbox(database, self.removals)
        self.consent = ConsentStore(database, self.removals)

    @classmethod
    def open(cls, url: str, *, sealer: Sealer, state_dir: Path) -> "Ledger":
        """Open or make a ledger, and bring its tables up to date.

        Args:
            url: ``sqlite:///path``.
            sealer: Chains and signs the removal log.
            state_dir: Where the log's signed heads are witnessed outside the database.

        Raises:
            SettingsError: The URL names no SQLite file.
            LedgerError: The file cannot be used, or a newer cohortd made it.
        """
        database = Database.open(url)
        try:
            with database.write() as connection:
                migrate(connection)
                secret = _secret(connection)
            ledger = cls(database, secret=secret, sealer=sealer, state_dir=state_dir)
            ledger.removals.witness()
        except BaseException:
            database.close()
            raise
        return ledger

    def close(self) -> None:
        """Give back the connections."""
        self._database.close()

    def leadership(self) -> AbstractContextManager[int]:
        """Lead for the length of a block; yields the epoch that claims and settlements show.

        Raises:
            NotLeaderError: Another process leads.
        """
        return leadership(self._database)

    @contextmanager
    def compare(self) -> Iterator[Comparison]:
        """Compare what is desired with what was sent; the staged rows go with the block."""
        with self._database.scratch() as connection:
            yield Comparison(connection, database=self._database, outbox=self.outbox)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _secret(connection: Connection) -> bytes:
    """Read this installation's secret, or make it at the first opening."""
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO installation (id, secret, created_at) VALUES (1, ?, ?)",
        (secrets.token_bytes(SECRET_BYTES), format_time(now_utc())),
    )
    secret: bytes = connection.exec_driver_sql("SELECT secret FROM installation").scalar_one()
    return secret
