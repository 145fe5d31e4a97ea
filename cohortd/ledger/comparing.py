"""What is desired against what was sent: only the difference is ever written."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.identifiers import Family
from cohortd.core.planning import Delta, Target
from cohortd.core.times import format_time
from cohortd.ledger.batches import OPEN
from cohortd.ledger.database import Database
from cohortd.ledger.enqueueing import Order, enqueue
from cohortd.ledger.memberships import State
from cohortd.ledger.outbox import Outbox
from cohortd.ledger.staging import Row, Staging

_TABLES: Final = (
    "DROP TABLE IF EXISTS scratch.coming",
    "DROP TABLE IF EXISTS scratch.leaving",
    "DROP TABLE IF EXISTS scratch.changed",
    "DROP TABLE IF EXISTS scratch.forgotten",
    "DROP TABLE IF EXISTS scratch.taken_back",
    (
        "CREATE TABLE scratch.coming (target INTEGER, member BLOB, refresh INTEGER,"
        " PRIMARY KEY (target, member)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE scratch.leaving (target INTEGER, kind INTEGER, digest BLOB, member BLOB,"
        " PRIMARY KEY (target, kind, digest)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE scratch.changed (target INTEGER, kind INTEGER, digest BLOB, member BLOB,"
        " PRIMARY KEY (target, kind, digest)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE scratch.forgotten (target INTEGER, kind INTEGER, digest BLOB,"
        " PRIMARY KEY (target, kind, digest)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE scratch.taken_back (remote INTEGER, kind INTEGER, digest BLOB,"
        " PRIMARY KEY (remote, kind, digest)) WITHOUT ROWID"
    ),
)
#: A row that was written ahead for a batch that is over, and never confirmed: nobody knows, so it
#: counts as absent for an add and as there for a removal.
_LEFT_BEHIND: Final = (
    f"(m.state = {State.ADDING:d} AND m.batch NOT IN (SELECT b.id FROM batch b WHERE b.{OPEN}))"
)
_MISSING: Final = (
    f"(m.digest IS NULL OR m.state = {State.REMOVING:d}"
    f" OR (m.state = {State.REJECTED:d} AND m.payload != s.payload) OR {_LEFT_BEHIND})"
)
#: Members are sent again at half to nine tenths of the time after which the platform forgets them,
#: spread by the first byte of the digest. A row marked as sent at 0 is in doubt: at once.
_DUE: Final = f"""(m.state = {State.PRESENT:d} AND (m.payload != s.payload OR m.sent_at = 0 OR m.sent_at <=
    :now - t.refresh_s * (0.5 + 0.4 * (instr(:bytes, substr(m.digest, 1, 1)) - 1) / 255.0)))"""
_JOINED: Final = """
    FROM scratch.staged s CROSS JOIN scratch.staged_target t ON t.target = s.target
        LEFT JOIN membership m ON m.remote = s.target AND m.kind = s.kind AND m.digest = s.digest
"""
_COMING: Final = f"""
    INSERT INTO scratch.coming SELECT s.target, s.member, CASE WHEN {_MISSING} THEN 0 ELSE 1 END
    {_JOINED} WHERE {_MISSING} OR {_DUE}
    ON CONFLICT DO UPDATE SET refresh = min(refresh, excluded.refresh)
"""
_CHANGED: Final = """
    INSERT INTO scratch.changed SELECT s.target, s.kind, s.digest, s.member FROM scratch.staged s
        CROSS JOIN membership m ON m.remote = s.target AND m.kind = s.kind AND m.digest = s.digest
    WHERE m.member != s.member
"""
#: Who stays while an identifier leaves that they carry or carried is sent again, behind the removal: a
#: platform may take the whole person. So it is with what is being taken back at this moment; what waits
#: for its turn after a refusal would have them sent at every sync.
_STAYING: Final = f"""
    WITH going AS (
        SELECT l.target, l.kind, l.digest, l.member FROM scratch.leaving l
        UNION SELECT b.remote, i.kind, i.digest, i.member
            FROM batch b CROSS JOIN batch_item i ON i.batch = b.id
            WHERE b.{OPEN} AND b.lane = 'revocation' AND (b.state != 'pending' OR b.next_at <= :now))
    INSERT OR IGNORE INTO scratch.coming SELECT DISTINCT s.target, s.member, 1 FROM scratch.staged s
    WHERE (s.target, s.member) IN (
        SELECT g.target, g.member FROM going g
        UNION SELECT g.target, c.member FROM going g
            CROSS JOIN scratch.staged_target t ON t.target = g.target
            CROSS JOIN co_owner c ON c.family = t.family AND c.kind = g.kind AND c.digest = g.digest)
"""
#: What a revocation takes back anyway is no part of a plan, and no guard counts it.
_TAKEN_BACK: Final = f"""
    INSERT OR IGNORE INTO scratch.taken_back SELECT b.remote, i.kind, i.digest
    FROM batch b CROSS JOIN batch_item i ON i.batch = b.id WHERE b.{OPEN} AND b.lane = 'revocation'
"""
_LEAVING: Final = f"""
    INSERT INTO scratch.leaving SELECT m.remote, m.kind, m.digest, m.member FROM membership m
    WHERE m.remote IN (SELECT target FROM scratch.staged_target)
      AND (m.state IN ({State.ADDING:d}, {State.PRESENT:d})
        OR (m.state = {State.REJECTED:d} AND m.doubt = 1))
      AND NOT EXISTS (SELECT 1 FROM scratch.staged s WHERE s.target = m.remote AND s.kind = m.kind
        AND s.digest = m.digest)
      AND NOT EXISTS (SELECT 1 FROM scratch.taken_back k WHERE k.remote = m.remote AND k.kind = m.kind
        AND k.digest = m.digest)
"""
#: What a platform did not take and nobody wants any more.
_FORGOTTEN: Final = f"""
    INSERT INTO scratch.forgotten SELECT m.remote, m.kind, m.digest FROM membership m
    WHERE m.remote IN (SELECT target FROM scratch.staged_target)
      AND m.state = {State.REJECTED:d} AND m.doubt = 0
      AND NOT EXISTS (SELECT 1 FROM scratch.staged s WHERE s.target = m.remote AND s.kind = m.kind
        AND s.digest = m.digest)
"""
_ADDED: Final = """
    SELECT s.target, s.kind, s.digest FROM scratch.staged s
        CROSS JOIN scratch.coming c ON c.target = s.target AND c.member = s.member WHERE c.refresh = 0
"""
#: This SQLite sorts in memory: members are counted a part of the key space at a time.
_ROWS_AT_ONCE: Final = 2_000_000
_COUNT_MEMBERS: Final = (
    "SELECT {0}, count(DISTINCT member) FROM {1} AND member >= :low AND (:high IS NULL OR member < :high)"
    " GROUP BY {0}"
)
_STAGED: Final = "scratch.staged WHERE true"
_THERE: Final = f"membership WHERE state IN ({State.ADDING:d}, {State.PRESENT:d})"
_BYTES: Final = bytes(range(256))


class Comparison:
    """One comparison: staged rows lie beside the ledger; nothing durable before ``enqueue``."""

    def __init__(self, connection: Connection, *, database: Database, outbox: Outbox) -> None:
        self._connection = connection
        self._database = database
        self._outbox = outbox
        self._staging = Staging(connection)
        self._compared = False

    def stage(self, target: Target, family: Family, rows: Iterable[Row]) -> None:
        """Say who is desired: (identifier kind, digest, member key, payload); may be repeated.

        A target staged without any row is known, and nobody is desired there.
        """
        self._staging.add(target, family, rows)
        self._compared = False

    def deltas(
        self, *, now: datetime, refresh_after: Callable[[Target], int | None]
    ) -> Mapping[Target, Delta]:
        """Say what would change: for every staged target and every remote audience not retired.

        Args:
            refresh_after: Days after which a target's platform forgets a member; None for never.
        """
        with self._connection.begin():
            self._staging.flush()
            self._staging.include_remotes()
            self._staging.drop_suppressed()
            for number, target in self._staging.targets():
                days = refresh_after(target)
                self._connection.exec_driver_sql(
                    "UPDATE scratch.staged_target SET refresh_s = ? WHERE target = ?",
                    (None if days is None else days * 86_400, number),
                )
            for statement in _TABLES:
                self._connection.exec_driver_sql(statement)
            values = {"now": int(now.timestamp()), "bytes": _BYTES}
            self._connection.exec_driver_sql(_COMING, values)
            for statement in (_CHANGED, _TAKEN_BACK, _LEAVING, _FORGOTTEN):
                self._connection.exec_driver_sql(statement)
            self._connection.exec_driver_sql(_STAYING, {"now": format_time(now)})
            self._compared = True
            return self._count()

    def leaving(self) -> frozenset[bytes]:
        """Return the member keys of whom at least one identifier would leave."""
        self._compare_once()
        with self._connection.begin():
            return frozenset(
                row[0]
                for row in self._connection.exec_driver_sql("SELECT DISTINCT member FROM scratch.leaving")
            )

    def fingerprint(self) -> str:
        """Name the difference: the same adds and removals make the same text; refreshes do not count."""
        self._compare_once()
        with self._connection.begin():
            marks = {number: hashlib.sha256() for number, _ in self._staging.targets()}
            for sign, query in (
                (b"+", _ADDED),
                (b"-", "SELECT target, kind, digest FROM scratch.leaving ORDER BY target, kind, digest"),
            ):
                for target, kind, digest in self._connection.exec_driver_sql(query):
                    marks[target].update(b"%b%d:%b" % (sign, kind, digest))
            whole = hashlib.sha256()
            for number, target in self._staging.targets():
                whole.update(
                    f"{target.audience}\n{target.destination}\n{marks[number].hexdigest()}\n".encode()
                )
        return whole.hexdigest()

    def enqueue(
        self,
        targets: Collection[Target],
        *,
        hold_adds: Collection[Target],
        rows_per_batch: Callable[[str], int],
        version: int,
        at: datetime,
    ) -> int:
        """Queue the difference of these targets in one transaction; what waited unsent is replaced.

        Args:
            hold_adds: Targets from which members only leave.
            rows_per_batch: Destination -> most members in one batch.
            version: Of the normalization that made the staged digests.

        Returns:
            How many batches were queued.

        Raises:
            LedgerError: A target is to get members, but no remote audience was ever intended for it.
        """
        self._compare_once()
        order = Order(
            targets=frozenset(targets),
            held=frozenset(hold_adds),
            rows_per_batch=rows_per_batch,
            version=version,
            at=at,
            in_flight=self._outbox.in_flight(now=at),
        )
        with self._database.write_from(self._connection) as connection:
            return enqueue(connection, self._staging.targets(), order)

    def _compare_once(self) -> None:
        if not self._compared:
            self.deltas(
                now=datetime.fromisoformat("1970-01-01T00:00:00+00:00"), refresh_after=lambda _: None
            )

    def _count(self) -> dict[Target, Delta]:
        eligible = self._members("target", _STAGED)
        present = self._members("remote", _THERE)
        adds = self._numbers(
            "SELECT target, count(*) FROM scratch.coming WHERE refresh = 0 GROUP BY target"
        )
        refreshes = self._numbers(
            "SELECT target, count(*) FROM scratch.coming WHERE refresh = 1 GROUP BY target"
        )
        removes = self._members("target", "scratch.leaving WHERE true")
        return {
            target: Delta(
                eligible=eligible.get(number, 0),
                adds=adds.get(number, 0),
                removes=removes.get(number, 0),
                refreshes=refreshes.get(number, 0),
                present=present.get(number, 0),
            )
            for number, target in self._staging.targets()
        }

    def _members(self, column: str, rows: str) -> Counter[int]:
        """Count distinct members of each target in memory that does not grow with them."""
        total = self._connection.exec_driver_sql(f"SELECT count(*) FROM {rows}").scalar_one()
        parts = min(256, total // _ROWS_AT_ONCE + 1)
        bounds = [bytes([256 * part // parts]) for part in range(parts)]
        found: Counter[int] = Counter()
        for low, high in zip(bounds, [*bounds[1:], None], strict=True):
            query = _COUNT_MEMBERS.format(column, rows)
            for target, members in self._connection.exec_driver_sql(query, {"low": low, "high": high}):
                found[target] += members
        return found

    def _numbers(self, query: str) -> dict[int, int]:
        return {row[0]: row[1] for row in self._connection.exec_driver_sql(query)}
