"""What is to be sent, is being sent, and was answered."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import Action, BatchState, Lane, Receipt
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.planning import Target
from cohortd.core.times import format_time
from cohortd.ledger import batches, outlook, refusing, replacing, settling
from cohortd.ledger.batches import OPEN, BatchRow, Claimed, PollDue, Work
from cohortd.ledger.claiming import Ask, claim, find_next
from cohortd.ledger.database import Database
from cohortd.ledger.journal import Journal
from cohortd.ledger.leader import check_epoch, check_lead
from cohortd.ledger.remotes import note_match_rate
from cohortd.ledger.removal_log import RemovalLog
from cohortd.ledger.renewing import renew
from cohortd.ledger.replacing import Replacement

#: After this a claimed batch counts as nobody's, should its sender have died inside the process.
OWNED_FOR: Final = timedelta(hours=1)

#: After this a replacement counts as nobody's, as above; Meta gives it 90 minutes.
REPLACED_WITHIN: Final = timedelta(hours=2)

_SENT: Final = (BatchState.SENDING, BatchState.ACCEPTED)


class Outbox:
    """The batches; every change by a sender shows its epoch and is refused once another leads."""

    def __init__(self, database: Database, log: RemovalLog) -> None:
        self._database = database
        self._log = log
        self._guard = threading.Lock()
        self._owned: dict[int, tuple[int, datetime]] = {}
        #: Remote audiences whose members this process replaces: nothing else is sent there meanwhile.
        self._replacing: dict[int, datetime] = {}

    def claim(
        self,
        *,
        now: datetime,
        epoch: int,
        destinations: Collection[str],
        lane: Lane | None = None,
        overlapping: Callable[[str], bool],
        urgent_only: Collection[str] = (),
        busy: Collection[int] = (),
    ) -> Claimed | None:
        """Take the next batch that may be sent; None when there is none.

        Whoever is suppressed now is left out, and what the batch may do is written down, in the
        transaction that marks it as sending. It is the caller's until it is settled, postponed,
        split or released.

        Args:
            overlapping: Whether a destination takes a second batch while the first is only accepted.
            urgent_only: Destinations to which nothing but revocations may be sent now.
            busy: Remote audiences to which the caller is sending something already.

        Raises:
            NotLeaderError: Another process leads.
        """
        check_lead(self._database)
        with self._guard:
            ask = self._ask(
                now=now,
                epoch=epoch,
                destinations=destinations,
                lane=lane,
                overlapping=overlapping,
                urgent_only=urgent_only,
                busy=busy,
            )
            with self._log.transaction() as (connection, journal):
                check_epoch(connection, epoch)
                claimed = claim(connection, journal, ask)
            if claimed is not None:
                self._owned[claimed.batch.id] = (epoch, now)
        return claimed

    def has_next(
        self,
        *,
        now: datetime,
        epoch: int,
        destinations: Collection[str],
        lane: Lane | None = None,
        overlapping: Callable[[str], bool],
    ) -> bool:
        """Tell whether ``claim`` would find a batch, though perhaps one of which nobody is left."""
        with self._guard, self._database.read() as connection:
            ask = self._ask(
                now=now, epoch=epoch, destinations=destinations, lane=lane, overlapping=overlapping
            )
            return find_next(connection, ask) is not None

    def settle(
        self, batch_id: int, receipt: Receipt, *, now: datetime, epoch: int, first_poll_s: float | None
    ) -> None:
        """Store what the platform said of a batch.

        An add at which the platform itself failed stays open and is sent again, later each time. A
        removal ends all the same: the next plan asks for it again, and a revoked person's is queued anew.
        A batch that was refused for some rows that the platform does not name is halved, as by ``split``.

        Args:
            first_poll_s: When to ask about a batch that was accepted; None for at once.

        Raises:
            NotLeaderError: Another process leads.
            LedgerError: The batch is not under way.
        """
        with self._changing(batch_id, epoch, states=_SENT) as (connection, journal, work):
            if receipt.state is BatchState.ACCEPTED:
                next_at = now + timedelta(seconds=first_poll_s or 0.0)
                settling.accept(connection, journal, work, receipt=receipt, now=now, next_at=next_at)
            elif receipt.fault and work.action is Action.ADD:
                refusing.put_off(connection, journal, work, receipt=receipt, now=now)
            elif refusing.is_for_a_part(connection, work, receipt):
                refusing.split(connection, journal, work, rows=receipt.rejected, now=now)
            else:
                settling.end(connection, journal, work, receipt=receipt, now=now)
            if receipt.match_rate:
                note_match_rate(connection, work.remote, receipt.match_rate)

    def split(self, batch_id: int, *, rows: Mapping[int, str], now: datetime, epoch: int) -> None:
        """Reject the named rows of a refused batch and try the rest again.

        Where none was named, halve the batch, until the row at fault is alone.
        """
        with self._changing(batch_id, epoch, states=_SENT) as (connection, journal, work):
            refusing.split(connection, journal, work, rows=rows, now=now)

    def postpone(self, batch_id: int, *, until: datetime, note: str, epoch: int) -> None:
        """Leave a batch whose outcome is unknown to be sent again, not before *until*."""
        with self._changing(batch_id, epoch, states=(BatchState.SENDING,)) as (connection, _, work):
            connection.exec_driver_sql(
                "UPDATE batch SET next_at = ?, note = ? WHERE id = ?", (format_time(until), note, work.id)
            )

    def put_off(self, batch_id: int, *, until: datetime, note: str, now: datetime, epoch: int) -> None:
        """Leave a batch that was refused for now, and of which nothing was done, to be sent again.

        Meanwhile it holds up no other batch of its audience.
        """
        with self._changing(batch_id, epoch, states=(BatchState.SENDING,)) as (connection, journal, work):
            refusing.wait(connection, journal, work, until=until, note=note, now=now)

    def repoll(self, batch_id: int, *, at: datetime, epoch: int) -> None:
        """Ask again about an accepted batch, not before *at*."""
        with self._changing(batch_id, epoch, states=(BatchState.ACCEPTED,)) as (connection, _, work):
            connection.exec_driver_sql(
                "UPDATE batch SET next_at = ?, polls = polls + 1 WHERE id = ?", (format_time(at), work.id)
            )

    def forget_acceptance(self, batch_id: int, now: datetime, epoch: int) -> None:
        """Send an accepted batch again that never came to an end."""
        with self._changing(batch_id, epoch, states=(BatchState.ACCEPTED,)) as (connection, _, work):
            connection.exec_driver_sql(
                "UPDATE batch SET state = 'sending', next_at = ?, note = 'accepted, but never ended'"
                " WHERE id = ?",
                (format_time(now), work.id),
            )

    def hasten_revocations(self, now: datetime) -> int:
        """Make removals of revoked people due that wait after a refusal; return how many there are."""
        with self._database.write() as connection:
            return connection.exec_driver_sql(
                "UPDATE batch SET next_at = ? WHERE lane = 'revocation' AND refresh = 0"
                " AND state = 'pending' AND next_at > ?",
                (format_time(now), format_time(now)),
            ).rowcount

    @contextmanager
    def alone(self, remote_pk: int, *, now: datetime, but: int = 0) -> Iterator[bool]:
        """Send nothing else to a remote audience for the length of the block, whose members are replaced.

        What would be added meanwhile would be lost with the others, and who is taken out might come back
        with a part that was made before.

        Args:
            but: The caller's own batch of it.

        Yields:
            False where another batch of it is being sent already.
        """
        with self._guard, self._database.read() as connection:
            others = self._under_way(connection, remote_pk, now=now, but=but)
            free = remote_pk not in self._replacing and not others
            if free:
                self._replacing[remote_pk] = now
        try:
            yield free
        finally:
            if free:
                with self._guard:
                    self._replacing.pop(remote_pk, None)

    def begin_replacement(
        self, batch_id: int, *, kinds: Collection[IdentifierKind], refusal: str, now: datetime, epoch: int
    ) -> Replacement | None:
        """Begin to replace an audience's members by those who stay, for a removal that was refused.

        The batch stays the caller's. Everybody in the audience is in doubt until the end is told.

        Args:
            kinds: What a replacement there may carry.
            refusal: What the platform said.

        Returns:
            Who stays; None where another batch of the audience is being sent by this process, which
            the replacement would undo.
        """
        with self._guard, self._log.transaction() as (connection, journal):
            check_epoch(connection, epoch)
            work = batches.load(connection, batch_id, states=(BatchState.SENDING,))
            if self._others_under_way(connection, work, now):
                return None
            return replacing.begin(connection, journal, work, kinds=kinds, refusal=refusal, now=now)

    def finish_replacement(
        self, replacement: Replacement, receipt: Receipt, *, now: datetime, epoch: int
    ) -> int:
        """Confirm what a replacement has done; return how many batches of removals that were."""
        batch_id = replacement.batches[0]
        with self._guard, self._log.transaction() as (connection, journal):
            check_epoch(connection, epoch)
            others = self.in_flight(now=now) - {batch_id}
            done = replacing.finish(
                connection, journal, replacement, receipt=receipt, under_way=others, now=now
            )
        self.release(batch_id)
        return done

    def begin_deletion(self, batch_id: int, *, refusal: str, now: datetime, epoch: int) -> bool:
        """Write down that a removal's whole audience is about to be deleted from the platform.

        Returns:
            False where another batch of the audience is being sent by this process.
        """
        with self._guard, self._log.transaction() as (connection, journal):
            check_epoch(connection, epoch)
            work = batches.load(connection, batch_id, states=(BatchState.SENDING,))
            if self._others_under_way(connection, work, now):
                return False
            replacing.refused(connection, journal, work, refusal=refusal, now=now)
            connection.exec_driver_sql(
                "UPDATE remote SET note = ? WHERE id = ?", (replacing.DELETING, work.remote)
            )
            return True

    def finish_deletion(self, batch_id: int, *, now: datetime, epoch: int) -> int | None:
        """Give up the deleted audience of a batch with everybody in it; see ``Ledger.renew``.

        Returns:
            How many members it had; None where another batch of it is being sent by this process.
        """
        with self._guard, self._log.transaction() as (connection, journal):
            check_epoch(connection, epoch)
            work = batches.load(connection, batch_id, states=(BatchState.SENDING,))
            if self._others_under_way(connection, work, now):
                return None
            members = renew(connection, journal, work.remote, now=now, detail=replacing.BY_DELETING)
        self.release(batch_id)
        return members

    def release(self, batch_id: int) -> None:
        """Give up a claimed batch without an answer: its outcome is unknown."""
        with self._guard:
            self._owned.pop(batch_id, None)

    def in_flight(self, *, now: datetime, epoch: int | None = None) -> frozenset[int]:
        """Return the batches that this process is sending; with *epoch*, under that one."""
        return frozenset(
            batch
            for batch, (owner, since) in list(self._owned.items())
            if now - since < OWNED_FOR and (epoch is None or owner == epoch)
        )

    def due_polls(self, *, now: datetime, destinations: Collection[str]) -> Sequence[PollDue]:
        """Return the accepted batches to ask about now, oldest first."""
        with self._database.read() as connection:
            return outlook.due_polls(connection, now=now, destinations=destinations)

    def next_due(
        self, destinations: Collection[str], *, lane: Lane | None = None, accepted: bool = False
    ) -> datetime | None:
        """Return when the next open batch of these destinations may be sent or asked about.

        A removal that only repeats another one is not waited for.

        Args:
            destinations: Which.
            lane: Only batches of this lane.
            accepted: Only when one may be asked about.
        """
        with self._database.read() as connection:
            return outlook.next_due(connection, destinations, lane=lane, accepted=accepted)

    def open_batches(self) -> Sequence[BatchRow]:
        """Return every batch that has not come to its end, oldest first."""
        with self._database.read() as connection:
            return batches.open_batches(connection)

    def forced(self, since: datetime) -> Mapping[Target, str]:
        """Say how refused removals were carried out from *since* on, a target; the newest one's way."""
        with self._database.read() as connection:
            return outlook.forced(connection, since)

    def summary(self, since: datetime) -> Mapping[Target, dict[str, int]]:
        """Count members of batches that ended from *since* on, a target: added, removed, rejected.

        ``pending`` counts those of open batches. Repeating members so that the platform does not
        forget them adds nobody.
        """
        with self._database.read() as connection:
            return outlook.summary(connection, since)

    def _ask(
        self,
        *,
        now: datetime,
        epoch: int,
        destinations: Collection[str],
        lane: Lane | None,
        overlapping: Callable[[str], bool],
        urgent_only: Collection[str] = (),
        busy: Collection[int] = (),
    ) -> Ask:
        replaced = [remote for remote, at in self._replacing.items() if now - at < REPLACED_WITHIN]
        return Ask(
            now=now,
            epoch=epoch,
            destinations=destinations,
            lane=lane,
            overlapping=[name for name in destinations if overlapping(name)],
            urgent_only=urgent_only,
            owned=self.in_flight(now=now, epoch=epoch),
            closed=[*replaced, *busy],
        )

    def _others_under_way(self, connection: Connection, work: Work, now: datetime) -> bool:
        return self._under_way(connection, work.remote, now=now, but=work.id)

    def _under_way(self, connection: Connection, remote_pk: int, *, now: datetime, but: int = 0) -> bool:
        opened = connection.exec_driver_sql(
            f"SELECT id FROM batch WHERE remote = ? AND {OPEN} AND id != ?", (remote_pk, but)
        )
        return not self.in_flight(now=now).isdisjoint(opened.scalars())

    @contextmanager
    def _changing(
        self, batch_id: int, epoch: int, *, states: Sequence[BatchState]
    ) -> Iterator[tuple[Connection, Journal, Work]]:
        """Change one batch under the caller's epoch, and give it up when the change is committed."""
        with self._log.transaction() as (connection, journal):
            check_epoch(connection, epoch)
            yield connection, journal, batches.load(connection, batch_id, states=states)
        self.release(batch_id)
