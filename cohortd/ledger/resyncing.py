"""Remote audiences that are sent anew as a whole: who was not sent since then is to be forgotten there.

Whom the platform is to forget is not in the ledger: strangers, put there by another tool or before the
ledger was restored. It is told to once everybody whom the ledger holds there was added after the moment,
and confirmed. Before that everybody is in doubt (``sent_at = 0``), so that any plan sends them again.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Row

from cohortd.core.delivery import Part, Receipt
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.planning import Target
from cohortd.core.times import format_time, parse_time
from cohortd.ledger import carrying
from cohortd.ledger.batches import OPEN
from cohortd.ledger.database import Database
from cohortd.ledger.late import BLIND, LANDS_WITHIN
from cohortd.ledger.leader import check_epoch
from cohortd.ledger.memberships import State
from cohortd.ledger.remotes import COLUMNS, Remote, remote_of
from cohortd.ledger.removal_log import RemovalLog
from cohortd.ledger.replacing import clear_doubt, doubt, doubt_coming, next_members

_BEGIN: Final = """
    INSERT INTO resync (remote, since, next_at, after) VALUES (?, ?, ?, ?)
    ON CONFLICT (remote) DO UPDATE SET since = excluded.since, request = '', next_at = excluded.next_at,
        polls = 0, began_at = NULL, next_part = 0, after = excluded.after
"""
#: Everybody there was sent and confirmed, and nobody is on the way.
_ALL_SENT: Final = f"""
    NOT EXISTS (SELECT 1 FROM batch b WHERE b.remote = remote.id AND b.{OPEN} AND b.action = 'add'
        AND b.by_resync = 0)
"""
_OPEN: Final = f"""
    SELECT y.since, y.request, y.next_at, y.polls, y.began_at, y.next_part, y.after, {COLUMNS} FROM resync y
        JOIN remote ON remote.id = y.remote
    WHERE remote.destination IN (SELECT value FROM json_each(?)) AND remote.remote_id IS NOT NULL
      AND remote.state = 'ready' AND (y.request != '' OR {_ALL_SENT})
"""
#: Somebody who stays; whom the resync takes off need not be sent again.
_NOT_SENT: Final = f"""
    SELECT 1 FROM membership
    WHERE remote = :remote AND state = {State.PRESENT:d} AND sent_at < :since AND (kind, digest) NOT IN (
        SELECT i.kind, i.digest FROM batch b CROSS JOIN batch_item i ON i.batch = b.id
        WHERE b.remote = :remote AND b.{OPEN} AND b.by_resync = 1 AND b.action = 'remove') LIMIT 1
"""
#: Adds that may be carried out yet.
_MAY_LAND: Final = f"""
    SELECT r.audience, r.destination FROM batch b JOIN remote r ON r.id = b.remote
    WHERE b.action = 'add' AND (b.{OPEN} AND b.attempts > 0 OR {BLIND})
"""
_ANYBODY: Final = f"SELECT 1 FROM membership WHERE remote = ? AND state = {State.PRESENT:d} LIMIT 1"
_HASTEN: Final = """
    UPDATE batch SET next_at = :now WHERE remote = :remote AND lane = 'revocation' AND refresh = 0
      AND state IN ('pending', 'sending') AND next_at > :now
"""
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, repr=False)
class Resync:
    """A remote audience of which everybody who stays was sent again since a moment."""

    remote: Remote
    since: datetime
    #: What to ask the platform by; blank where it was not told to forget anybody yet.
    request: str
    #: How often it was asked.
    polls: int
    #: Where members are replaced part by part, in the session ``request``: since when.
    began_at: datetime | None = None
    #: The next part's number, and the last member's key of the one before.
    next_part: int = 0
    after: bytes = b""


class Resyncs:
    """The resyncs that are not at their end."""

    def __init__(self, database: Database, log: RemovalLog) -> None:
        self._database = database
        self._log = log

    def begin(self, remotes: Collection[int], *, since: datetime | None, now: datetime, epoch: int) -> None:
        """Remember to have forgotten there whoever was not sent since a moment.

        Args:
            since: Puts everybody in doubt who was sent before; None where members are replaced, as soon
                as nobody is on the way.

        Raises:
            NotLeaderError: Another process leads.
        """
        with self._database.write() as connection:
            check_epoch(connection, epoch)
            for remote in remotes:
                if since is not None:
                    doubt(connection, remote)
                at = format_time(since or _NEVER)
                connection.exec_driver_sql(_BEGIN, (remote, at, format_time(now), b""))

    def due(self, *, now: datetime, destinations: Collection[str]) -> Sequence[Resync]:
        """Return those of which everybody was sent, and whose platform is to be told or asked now."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                f"{_OPEN} AND y.next_at <= ? ORDER BY y.remote",
                (json.dumps(list(destinations)), format_time(now)),
            ).all()
            found = [_resync_of(row) for row in rows]
            return [
                each
                for each in found
                if each.request or _is_all_sent(connection, each.remote.id, each.since)
            ]

    def next_due(self, destinations: Collection[str]) -> datetime | None:
        """Return when the next platform is to be told or asked, of those where everybody was sent."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(_OPEN, (json.dumps(list(destinations)),)).all()
            ready = [
                parse_time(row.next_at)
                for row in rows
                if row.request or _is_all_sent(connection, row.id, parse_time(row.since))
            ]
        return min(ready, default=None)

    def open(self) -> Sequence[int]:
        """Return the remote audiences that have not come to the end of theirs."""
        with self._database.read() as connection:
            return connection.exec_driver_sql("SELECT remote FROM resync ORDER BY remote").scalars().all()

    def targets(self) -> Sequence[Target]:
        """Return whose remote audiences those are."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT r.audience, r.destination FROM resync y JOIN remote r ON r.id = y.remote"
            ).all()
        return [Target(row.audience, row.destination) for row in rows]

    def unsettled(self, now: datetime) -> frozenset[Target]:
        """Return the targets for which an add may be carried out yet: whom it names, nobody knows when."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(_MAY_LAND, {"since": format_time(now - LANDS_WITHIN)}).all()
        return frozenset(Target(row.audience, row.destination) for row in rows)

    def has_anybody(self, resync: Resync) -> bool:
        """Whether somebody would stay."""
        with self._database.read() as connection:
            found = connection.exec_driver_sql(_ANYBODY, (resync.remote.id,)).scalar()
        return found is not None

    def requested(self, resync: Resync, request: str, *, at: datetime, epoch: int) -> None:
        """Keep that the platform was told, and ask it what became of it not before *at*."""
        self._change(resync, "request = ?, next_at = ?, polls = 0", (request, format_time(at)), epoch=epoch)

    def ask_again(self, resync: Resync, *, at: datetime, epoch: int) -> None:
        """Tell or ask the platform again, not before *at*."""
        self._change(resync, "next_at = ?, polls = polls + 1", (format_time(at),), epoch=epoch)

    def open_session(self, resync: Resync, session: str, *, now: datetime, epoch: int) -> Resync:
        """Put everybody in doubt, and begin to replace them part by part in a session.

        Whose add the session carries is written ahead, without who is suppressed at this moment.
        """
        with self._database.write() as connection:
            check_epoch(connection, epoch)
            carrying.begin(connection, resync.remote.id, now=now, epoch=epoch)
            doubt(connection, resync.remote.id)
            doubt_coming(connection, resync.remote.id)
            connection.exec_driver_sql(
                "UPDATE resync SET request = ?, began_at = ?, next_part = 1, after = ? WHERE remote = ?",
                (session, format_time(now), b"", resync.remote.id),
            )
        return replace(resync, request=session, began_at=now, next_part=1, after=b"")

    def next_part(
        self, resync: Resync, *, kinds: Collection[IdentifierKind], rows: int, epoch: int
    ) -> Part:
        """Make the next part of a session, without who is suppressed at this moment.

        The first part of many is made under the number 1 and afterwards under 2, since nobody may send
        the first one twice.

        Args:
            kinds: What a replacement may carry.
            rows: The most in one part.
        """
        with self._database.write() as connection:
            check_epoch(connection, epoch)
            members, is_last = next_members(
                connection, resync.remote.id, kinds=kinds, after=resync.after, rows=rows
            )
            if resync.next_part == 1 and not is_last:
                connection.exec_driver_sql(
                    "UPDATE resync SET next_part = 2 WHERE remote = ?", (resync.remote.id,)
                )
        return Part(resync.remote.remote_id or "", resync.request, resync.next_part, is_last, members)

    def closing_part(self, resync: Resync, *, kinds: Collection[IdentifierKind], epoch: int) -> Part:
        """Make a last part of somebody who was in one before, for where nobody is left to be in it.

        A session cannot be ended without a part; nobody is in it where nobody may stay at all.
        """
        with self._database.write() as connection:
            check_epoch(connection, epoch)
            members, _ = next_members(connection, resync.remote.id, kinds=kinds, after=b"", rows=1)
        return Part(
            resync.remote.remote_id or "", resync.request, resync.next_part, is_last=True, members=members
        )

    def part_taken(
        self, resync: Resync, part: Part, receipt: Receipt, *, now: datetime, epoch: int
    ) -> Resync:
        """Keep that the platform took a part; its members are in doubt no more."""
        number, after = part.number + 1, max(resync.after, part.members[-1].key)
        with self._database.write() as connection:
            check_epoch(connection, epoch)
            if not receipt.unattributed:
                clear_doubt(connection, resync.remote.id, part.members, refused=receipt.rejected, now=now)
            connection.exec_driver_sql(
                "UPDATE resync SET next_part = ?, after = ? WHERE remote = ?",
                (number, after, resync.remote.id),
            )
        return replace(resync, next_part=number, after=after)

    def end(self, resync: Resync, *, now: datetime, epoch: int) -> None:
        """Forget a resync that is given up; what waited for it goes at once, and by name."""
        with self._database.write() as connection:
            check_epoch(connection, epoch)
            self._forget(connection, resync, now=now)

    def done(self, resync: Resync, *, how: str, now: datetime, epoch: int) -> int:
        """Confirm a resync, with whom it has taken off; return how many members those are.

        Args:
            how: What the removal log and the batches say of it.
        """
        since = resync.began_at or resync.since
        with self._log.transaction() as (connection, journal):
            check_epoch(connection, epoch)
            left = carrying.end(connection, journal, resync.remote.id, since=since, how=how, now=now)
            self._forget(connection, resync, now=now)
        return left

    def carries(self, resync: Resync) -> bool:
        """Whether anybody comes or leaves by this resync rather than by name."""
        with self._database.read() as connection:
            return carrying.is_any(connection, resync.remote.id)

    def by_name(self, resync: Resync, *, epoch: int) -> None:
        """Have taken off by name whom the resync was to take off: its platform does not do it now."""
        with self._database.write() as connection:
            check_epoch(connection, epoch)
            carrying.go_by_name(connection, resync.remote.id)

    def _forget(self, connection: Connection, resync: Resync, *, now: datetime) -> None:
        carrying.go_by_name(connection, resync.remote.id)
        connection.exec_driver_sql(_HASTEN, {"remote": resync.remote.id, "now": format_time(now)})
        connection.exec_driver_sql("DELETE FROM resync WHERE remote = ?", (resync.remote.id,))

    def _change(self, resync: Resync, change: str, values: tuple[str, ...], *, epoch: int) -> None:
        with self._database.write() as connection:
            check_epoch(connection, epoch)
            connection.exec_driver_sql(
                f"UPDATE resync SET {change} WHERE remote = ?", (*values, resync.remote.id)
            )


def _is_all_sent(connection: Connection, remote: int, since: datetime) -> bool:
    """Whether everybody who stays was sent since a moment."""
    values = {"remote": remote, "since": int(since.timestamp())}
    return connection.exec_driver_sql(_NOT_SENT, values).scalar() is None


def _resync_of(row: Row[tuple[object, ...]]) -> Resync:
    return Resync(
        remote_of(row),
        parse_time(row.since),
        row.request,
        row.polls,
        began_at=parse_time(row.began_at) if row.began_at else None,
        next_part=row.next_part,
        after=bytes(row.after),
    )
