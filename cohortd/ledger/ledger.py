"""The ledger: everything that was decided, sent, answered and taken back."""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from copy import copy
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from sqlalchemy import Connection

from cohortd.core.deadlines import NO_DEADLINES, Deadlines
from cohortd.core.errors import NotLeaderError
from cohortd.core.removals import Sealer
from cohortd.core.times import format_time, now_utc
from cohortd.ledger.alerts import Alerts
from cohortd.ledger.clocks import Clocks
from cohortd.ledger.consent_store import ConsentStore
from cohortd.ledger.database import Database
from cohortd.ledger.dialects import open_database
from cohortd.ledger.erasures import Erasures
from cohortd.ledger.examining import Examined, newest_time, open_work
from cohortd.ledger.history import History
from cohortd.ledger.jobs import Jobs
from cohortd.ledger.leader import leadership, leads
from cohortd.ledger.memberships import Members
from cohortd.ledger.migrating import migrate
from cohortd.ledger.models import Models
from cohortd.ledger.outbox import Outbox
from cohortd.ledger.overview import Overview
from cohortd.ledger.putting_back import COPIED, EpochFile
from cohortd.ledger.readings import Readings
from cohortd.ledger.received_events import ReceivedEvents
from cohortd.ledger.remotes import Remotes
from cohortd.ledger.removal_log import RemovalLog
from cohortd.ledger.renewing import renew
from cohortd.ledger.request_counts import RequestCounts
from cohortd.ledger.resyncing import Resyncs
from cohortd.ledger.runs import Runs
from cohortd.ledger.turns import ROWS_A_TURN, ROWS_AT_ONCE

if TYPE_CHECKING:
    from cohortd.ledger.comparing import Comparison

SECRET_BYTES: Final = 32
#: Enough that two ledgers which share an account never have the same.
CODE_BYTES: Final = 4


class Ledger:
    """Durable truth, in rooms of its own; use it as a context manager, from any thread."""

    def __init__(
        self,
        database: Database,
        *,
        secret: bytes,
        code: str,
        sealer: Sealer,
        state_dir: Path,
        deadlines: Deadlines = NO_DEADLINES,
    ) -> None:
        self._database = database
        self._epochs = EpochFile(state_dir, ledger=code)
        #: Which database it is, for people.
        self.place = database.name
        #: Stands in the marker of every remote audience that was made for this ledger.
        self.code = code
        #: Names customers and subjects; without it no key of ours can be computed.
        self.secret = secret
        self.removals = RemovalLog(
            database, sealer=sealer, secret=secret, state_dir=state_dir, deadlines=deadlines
        )
        self.runs = Runs(database)
        self.jobs = Jobs(database)
        self.models = Models(database)
        self.remotes = Remotes(database)
        self.readings = Readings(database)
        self.members = Members(database)
        self.outbox = Outbox(database, self.removals)
        self.history = History(database)
        self.resyncs = Resyncs(database, self.removals)
        self.request_counts = RequestCounts(database)
        self.clocks = Clocks(database)
        self.alerts = Alerts(database)
        self.overview = Overview(database)
        self.consent = ConsentStore(database, self.removals)
        self.erasures = Erasures(database, self.removals)
        self.received = ReceivedEvents(database, self.removals, self.consent)

    def of_model(self, model: str) -> "Ledger":
        """The same ledger, but with the versions and the assignment of another model."""
        seen = copy(self)
        seen.models = self.models.of(model)
        return seen

    @classmethod
    def open(
        cls, url: str, *, sealer: Sealer, state_dir: Path, deadlines: Deadlines = NO_DEADLINES
    ) -> "Ledger":
        """Open or make a ledger, and bring its tables up to date.

        Args:
            url: ``sqlite:///path`` or ``postgresql://...``.
            sealer: Chains and signs the removal log.
            state_dir: Where the log's signed heads are witnessed outside the database.
            deadlines: By when removals must be confirmed.

        Raises:
            SettingsError: The URL names neither a SQLite file nor a PostgreSQL database.
            LedgerError: It cannot be reached or used, or a newer cohortd made it.
        """
        database = open_database(url, folder=state_dir)
        try:
            with database.write() as connection:
                migrate(connection)
                secret, code = _identity(connection)
            ledger = cls(
                database,
                secret=secret,
                code=code,
                sealer=sealer,
                state_dir=state_dir,
                deadlines=deadlines,
            )
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
        return leadership(self._database, self._epochs)

    def leads(self, epoch: int) -> bool:
        """Tell whether whoever took this epoch leads still."""
        return leads(self._database, epoch)

    def is_led(self) -> bool:
        """Tell whether a process leads; whoever tries to lead at this very moment tries once more."""
        try:
            with self._database.lead():
                return False
        except NotLeaderError:
            return True

    def copy(self, folder: Path, *, name: str) -> bool:
        """Write a copy of the database and of what says of it that it is one; False without a database.

        Others go on working meanwhile. Whoever leads with the copy later learns that it was put back.

        Raises:
            LedgerError: It could not be written.
        """
        is_whole = self._database.copy(folder / name)
        with self._database.read() as connection:
            epoch: int = connection.exec_driver_sql("SELECT epoch FROM leader").scalar_one()
        EpochFile(folder, ledger=self.code).write(epoch + COPIED)
        return is_whole

    def examine(self, *, deep: bool = False) -> Examined:
        """Look whether the database is sound and what in it nobody works on; changes nothing."""
        server = self._database.server_time()
        ahead = None if server is None else server - now_utc().timestamp()
        with self._database.read() as connection:
            newest, work = newest_time(connection), open_work(connection)
        return Examined(
            tuple(self._database.faults(deep=deep)),
            self._database.size_bytes(),
            newest,
            ahead,
            *work,
        )

    def renew(self, remote_pk: int, *, now: datetime, detail: str) -> int:
        """Give a remote audience up that is gone, with everybody in it; the next plan makes another.

        Args:
            detail: What the removal log says of revocations that were still open.

        Returns:
            How many members it had.
        """
        with self.removals.transaction() as (connection, journal):
            return renew(connection, journal, remote_pk, now=now, detail=detail)

    @contextmanager
    def compare(
        self, *, rows_at_once: int = ROWS_AT_ONCE, rows_a_turn: int = ROWS_A_TURN
    ) -> Iterator["Comparison"]:
        """Compare what is desired with what was sent; the staged rows go with the block."""
        from cohortd.ledger.comparing import Comparison  # noqa: PLC0415 - needs numpy and Arrow

        with (
            self._database.scratch() as connection,
            closing(
                Comparison(
                    connection,
                    database=self._database,
                    outbox=self.outbox,
                    rows_at_once=rows_at_once,
                    rows_a_turn=rows_a_turn,
                )
            ) as comparison,
        ):
            yield comparison

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _identity(connection: Connection) -> tuple[bytes, str]:
    """Read this installation's secret and code, or make them at the first opening."""
    connection.exec_driver_sql(
        "INSERT INTO installation (id, secret, created_at, code) VALUES (1, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (secrets.token_bytes(SECRET_BYTES), format_time(now_utc()), secrets.token_hex(CODE_BYTES)),
    )
    row = connection.exec_driver_sql("SELECT secret, code FROM installation").one()
    return row.secret, row.code
