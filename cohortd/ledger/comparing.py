"""What is desired against what was sent: only the difference is ever written."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from cohortd.core.identifiers import Family
from cohortd.core.planning import Delta, Target
from cohortd.ledger import upgrading
from cohortd.ledger.database import Database
from cohortd.ledger.enqueueing import Order, enqueue
from cohortd.ledger.finding import Finding
from cohortd.ledger.leader import check_epoch
from cohortd.ledger.outbox import Outbox
from cohortd.ledger.rows import Rows
from cohortd.ledger.staging import Staging
from cohortd.ledger.turns import ROWS_A_TURN, ROWS_AT_ONCE, Turns

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Comparison:
    """One comparison: staged rows lie beside the ledger; nothing durable before ``enqueue``."""

    def __init__(
        self,
        connection: Connection,
        *,
        database: Database,
        outbox: Outbox,
        rows_at_once: int = ROWS_AT_ONCE,
        rows_a_turn: int = ROWS_A_TURN,
    ) -> None:
        """Compare so many rows at a time; what does not fit in memory lies beside the ledger."""
        self._connection = connection
        self._database = database
        self._outbox = outbox
        self._folder = database.folder
        self._rows_at_once = rows_at_once
        self._rows_a_turn = rows_a_turn
        self._staging = Staging(connection, self._folder)
        self._finding: Finding | None = None

    def close(self) -> None:
        """Give back what lies on disk."""
        self._forget()
        self._staging.spill.close()

    def stage(self, target: Target, family: Family, rows: pa.Table | pa.RecordBatch | None) -> None:
        """Say who is desired, in the columns of ``STAGED``; may be repeated, in any order.

        A target staged without any row is known, and nobody is desired there. An identifier that is
        staged more than once for a target goes with the smallest member key, and its smallest payload.
        """
        self._forget()
        with self._connection.begin():
            self._staging.add(target, family, rows)

    def deltas(
        self,
        *,
        now: datetime,
        refresh_after: Callable[[Target], int | None],
        version: int | None = None,
    ) -> Mapping[Target, Delta]:
        """Say what would change: for every staged target and every remote audience not retired.

        Args:
            refresh_after: Days after which a target's platform forgets a member; None for never.
            version: Of the normalization that made the staged digests: those that replace digests of
                an older one come over a week. Where it is not given, all at once.
        """

        def refresh_s(target: Target) -> int | None:
            days = refresh_after(target)
            return None if days is None else days * 86_400

        self._forget()
        finding = Finding(
            self._connection, self._staging, rows_at_once=self._rows_at_once, folder=self._folder
        )
        try:
            with self._connection.begin():
                self._staging.include_remotes()
                finding.run(now=int(now.timestamp()), refresh_s=refresh_s, version=version)
        except BaseException:
            finding.close()
            raise
        self._finding = finding
        return {target: found.delta for target, found in finding.found.items()}

    def waiting(self) -> Mapping[Target, int]:
        """Count the members whose digests changed with the rules, and whose turn is yet to come."""
        return {target: found.waiting for target, found in self._found().found.items() if found.waiting}

    def leaving(self) -> frozenset[bytes]:
        """Return the member keys of whom at least one identifier would leave."""
        self._found()
        with self._connection.begin():
            return frozenset(
                row[0]
                for row in self._connection.exec_driver_sql("SELECT DISTINCT member FROM scratch.leaving")
            )

    def fingerprint(self) -> str:
        """Name the difference: the same adds and removals make the same text; refreshes do not count."""
        finding = self._found()
        whole = hashlib.sha256()
        with self._connection.begin():
            for target, found in finding.found.items():
                mark = hashlib.sha256()
                for coming in finding.coming(target):
                    mark.update(_text(coming.rows.take(np.flatnonzero(coming.refresh == 0))))
                mark.update(b"-")
                for kind, digest in self._connection.exec_driver_sql(
                    "SELECT kind, digest FROM scratch.leaving WHERE target = ? ORDER BY kind, digest",
                    (found.place.number,),
                ):
                    mark.update(b"%d:%b" % (kind, digest))
                whole.update(f"{target.audience}\n{target.destination}\n{mark.hexdigest()}\n".encode())
        return whole.hexdigest()

    def enqueue(
        self,
        targets: Collection[Target],
        *,
        hold_adds: Collection[Target],
        rows_per_batch: Callable[[str], int],
        version: int,
        at: datetime,
        epoch: int,
        replaced: Mapping[Target, datetime] | None = None,
        carried: Collection[Target] = (),
    ) -> int:
        """Queue the difference of these targets; what waited unsent is replaced.

        Nothing of it is sent before all is queued. A large difference is written in turns, so that
        revocations, and other processes, can write in between.

        Args:
            hold_adds: Targets from which members only leave.
            rows_per_batch: Destination -> most members in one batch.
            version: Of the normalization that made the staged digests.
            replaced: Targets that a resync is about to replace: whoever leaves and was last sent before
                the moment is taken off by it, and by name only if it does not come to its end.
            carried: Those of them whose new members come by it too.

        Returns:
            How many batches were queued.

        Raises:
            LedgerError: A target is to get members, but no remote audience was ever intended for it.
            NotLeaderError: Another process leads.
        """
        finding = self._found()
        order = Order(
            targets=frozenset(targets),
            held=frozenset(hold_adds),
            rows_per_batch=rows_per_batch,
            version=version,
            at=at,
            in_flight=self._outbox.in_flight(now=at),
            replaced=replaced or {},
            carried=carried,
        )

        @contextmanager
        def begin() -> Iterator[Connection]:
            with self._database.write_from(self._connection) as connection:
                check_epoch(connection, epoch)
                yield connection

        with Turns(begin, rows=self._rows_a_turn) as turns:
            upgrading.note(turns.connection(), version, now=int(at.timestamp()))
            return enqueue(turns, finding, order)

    def _found(self) -> Finding:
        if self._finding is None:
            self.deltas(now=_EPOCH, refresh_after=lambda _: None)
        assert self._finding is not None
        return self._finding

    def _forget(self) -> None:
        if self._finding is not None:
            self._finding.close()
            self._finding = None


def _text(rows: Rows) -> bytes:
    """Return kind and digest of every row, one after another."""
    digests = np.ascontiguousarray(rows.digest).view(np.uint8)
    return np.column_stack([rows.kind, digests]).tobytes()
