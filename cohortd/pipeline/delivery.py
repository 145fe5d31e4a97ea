"""Batches out of the outbox to the platforms, and their answers back into the ledger."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from cohortd.core.delivery import BatchState, Lane, Receipt
from cohortd.core.errors import (
    FatalError,
    GoneError,
    NotYetError,
    RejectedError,
    RetryableError,
    SyncError,
    TooSmallError,
)
from cohortd.core.modelling import Segment
from cohortd.core.planning import Target
from cohortd.ledger import Claimed, PollDue
from cohortd.pipeline import resyncing
from cohortd.pipeline.insisting import give_up_deleted, insist, is_deleted
from cohortd.pipeline.leftovers import look_for_leftovers
from cohortd.pipeline.renaming import remote_name, spec_of
from cohortd.pipeline.wiring import Destination, Pipeline

#: Wait before an unknown outcome is sent again, where the platform named no time; seconds.
RESEND_AFTER_S = 60.0
#: Batches in a row without an answer after which a destination is left alone for that long: one bad
#: batch holds nobody up, and a platform that is down is not knocked at for ever.
MOST_SILENCES = 2
_BY_HAND = (
    "{}: confirmed means that files were written; the platform has nothing of it before somebody uploads"
    " them, in their order"
)
#: Longest a platform's word is taken for when to come again.
BLOCKED_AT_MOST = timedelta(days=1)

log = structlog.get_logger()


@dataclass(slots=True)
class Delivery:
    """Sends under one leadership epoch.

    A destination that failed for good is left alone for the rest of the run; its batches stay and
    are tried again by the next one.
    """

    pipeline: Pipeline
    epoch: int
    #: Sentences for people about what fell short.
    notes: list[str] = field(default_factory=list)
    #: Destination -> what people should know of what was done; nothing fell short.
    told: dict[str, str] = field(default_factory=dict)
    #: The same about what was done in another way than by a batch.
    remarks: list[str] = field(default_factory=list)
    _stopped: set[str] = field(default_factory=set)
    #: Destinations at which an audience was made.
    _made: set[str] = field(default_factory=set)
    #: Destination -> batches in a row without an answer, and until when it is left alone.
    _silences: Counter[str] = field(default_factory=Counter)
    _alone_until: dict[str, datetime] = field(default_factory=dict)

    @property
    def said(self) -> list[str]:
        """Everything that people should read."""
        return [*self.remarks, *self.notes, *self.told.values()]

    def __post_init__(self) -> None:
        """Keep to what the platforms asked of an earlier process; note whom we ask now."""
        remotes, destinations = self.pipeline.ledger.remotes, self.pipeline.destinations
        remotes.note_platforms({name: each.platform for name, each in destinations.items()})
        now = self.pipeline.clock()
        for name in destinations:
            until = remotes.blocked_until(name)
            if until is not None and until > now:
                self._alone_until[name] = until
                self.notes.append(
                    f"{name}: asked to be left alone; nothing is sent until {until:%H:%M:%S} UTC"
                )

    def drain(self, *, lane: Lane | None = None, only: Collection[str] | None = None) -> int:
        """Send every batch that is due; stop early when the process is asked to stop.

        Args:
            lane: Only batches of this lane.
            only: Only these destinations.

        Returns:
            How many batches were sent.
        """
        sent = 0
        alone_before = dict(self._alone_until)
        while not self.pipeline.stop.is_set():
            # Whoever fell silent in this drain is not asked again in it: two that are down would
            # otherwise take turns for ever.
            names = [
                name
                for name in self._open_destinations(only)
                if self._alone_until.get(name) == alone_before.get(name)
            ]
            claimed = self.pipeline.ledger.outbox.claim(
                now=self.pipeline.clock(),
                epoch=self.epoch,
                destinations=names,
                lane=lane,
                overlapping=self._overlapping,
            )
            if claimed is None:
                break
            self._send(claimed)
            sent += 1
        return sent

    def poll(self, *, only: Collection[str] | None = None) -> int:
        """Ask what became of accepted batches that are due; return how many came to an end."""
        ended = 0
        names = self._open_destinations(only)
        for due in self.pipeline.ledger.outbox.due_polls(now=self.pipeline.clock(), destinations=names):
            if self.pipeline.stop.is_set():
                break
            if due.remote.target.destination not in self._stopped:
                ended += self._poll_one(due)
        for target, became in resyncing.advance_due(self.pipeline, names, epoch=self.epoch):
            if isinstance(became, SyncError):
                self._fell_short(self.pipeline.destinations[target.destination], target, became)
            elif became:
                self.remarks.append(became)
        return ended

    def until_settled(
        self, *, timeout_s: float, lane: Lane | None = None, only: Collection[str] | None = None
    ) -> bool:
        """Send and poll until nothing is open or the time is up; tell whether nothing is open.

        Args:
            timeout_s: Seconds to give it.
            lane: Send and wait for batches of this lane alone.
            only: Only these destinations.
        """
        deadline = self.pipeline.clock() + timedelta(seconds=timeout_s)
        while not self.pipeline.stop.is_set():
            self.drain(lane=lane, only=only)
            self.poll(only=only)
            due = self._next_due(only, lane)
            now = self.pipeline.clock()
            if due is None:
                return not self._stopped
            if due >= deadline:
                return False
            self.pipeline.stop.wait(min(max((due - now).total_seconds(), 0.01), 5.0))
            if self.pipeline.clock() >= deadline:
                return False
        return False

    def ensure(self, target: Target, segment: Segment) -> bool:
        """See that the target's remote audience exists; tell whether it does."""
        destination = self.pipeline.destinations[target.destination]
        remotes = self.pipeline.ledger.remotes
        known = remotes.get(target)
        if known is not None and known.remote_id is not None and known.state != "retired":
            return True
        if target.destination in self._stopped:
            return False
        remote = remotes.intend(
            target,
            platform=destination.platform,
            account=destination.account,
            name=remote_name(self.pipeline, segment),
            at=self.pipeline.clock(),
            family=destination.family,
        )
        try:
            remote_id = destination.connector.ensure(spec_of(self.pipeline, remote, segment))
        except SyncError as error:
            self._fell_short(destination, target, error)
            return False
        remotes.attach(remote.id, remote_id, at=self.pipeline.clock())
        self._made.add(destination.name)
        log.info("remote_audience_ready", audience=target.audience, destination=target.destination)
        return True

    def tell_leftovers(self) -> None:
        """Say which audiences another ledger made, where one was made now or some were left before."""
        for name in sorted(self._made | set(self.pipeline.ledger.remotes.leftovers())):
            destination = self.pipeline.destinations.get(name)
            told = look_for_leftovers(self.pipeline, destination) if destination else ""
            if told:
                self.notes.append(told)

    def resume(self) -> None:
        """Give what is paused, and removals that were refused, another try: a person may have acted."""
        for name in self.pipeline.ledger.remotes.paused_destinations():
            self.pipeline.ledger.remotes.resume_destination(name)
        for remote in self.pipeline.ledger.remotes.all():
            if remote.state == "paused":
                self.pipeline.ledger.remotes.resume(remote.id)
        self.pipeline.ledger.outbox.hasten_revocations(self.pipeline.clock())

    def _send(self, claimed: Claimed) -> None:
        destination = self.pipeline.destinations[claimed.remote.target.destination]
        outbox = self.pipeline.ledger.outbox
        batch = claimed.batch
        try:
            receipt = self._apply(claimed, destination)
        except NotYetError as error:
            self._put_off(claimed, error)
            return
        except RetryableError as error:
            self._postpone(claimed, error)
            return
        except RejectedError as error:
            self._silences[destination.name] = 0
            outbox.split(batch.id, rows=error.rows, now=self.pipeline.clock(), epoch=self.epoch)
            if claimed.lane is Lane.REVOCATION:
                self.notes.append(
                    f"{destination.name}: a removal was refused ({error}); the next run tries again"
                )
            self._log("batch_refused", claimed, rows=len(error.rows))
            return
        except FatalError as error:
            outbox.postpone(batch.id, until=self.pipeline.clock(), note=str(error), epoch=self.epoch)
            self._fell_short(destination, claimed.remote.target, error)
            return
        self._silences[destination.name] = 0
        if receipt is None:
            return
        self._settle(batch.id, receipt, destination)
        if is_deleted(claimed):  # by the settings of then; it is there after all
            self.pipeline.ledger.remotes.keep(claimed.remote.id)
        self._log("batch_sent", claimed, state=receipt.state.value, rejected=len(receipt.rejected))

    def _apply(self, claimed: Claimed, destination: Destination) -> Receipt | None:
        """Send a batch; None where it is settled already, since it was carried out in another way."""
        try:
            return destination.connector.apply(claimed.batch)
        except TooSmallError as error:
            self.remarks.append(insist(self.pipeline, claimed, error, epoch=self.epoch))
        except GoneError:
            if not is_deleted(claimed):
                raise
            self.remarks.append(give_up_deleted(self.pipeline, claimed, epoch=self.epoch))
        return None

    def _poll_one(self, due: PollDue) -> int:
        destination = self.pipeline.destinations[due.remote.target.destination]
        outbox = self.pipeline.ledger.outbox
        now = self.pipeline.clock()
        try:
            receipt = destination.connector.poll(due.request)
        except RetryableError as error:
            wait_s = error.after_s or destination.poll.next_s(due.polls + 1)
            outbox.repoll(due.batch_id, at=now + timedelta(seconds=wait_s), epoch=self.epoch)
            return 0
        except RejectedError as error:
            # The platform no longer knows the request, or lost it: what it did is unknown.
            outbox.forget_acceptance(due.batch_id, now=now, epoch=self.epoch)
            self.notes.append(f"{destination.name}: {error}")
            return 0
        except SyncError as error:
            outbox.repoll(
                due.batch_id,
                at=now + timedelta(seconds=destination.poll.next_s(due.polls + 1)),
                epoch=self.epoch,
            )
            self._fell_short(destination, due.remote.target, error)
            return 0
        if receipt.state is not BatchState.ACCEPTED:
            self._settle(due.batch_id, receipt, destination)
            return 1
        self._ask_again(due, destination, now)
        return 0

    def _ask_again(self, due: PollDue, destination: Destination, now: datetime) -> None:
        if now - due.accepted_at > timedelta(seconds=destination.poll.give_up_s):
            self.pipeline.ledger.outbox.forget_acceptance(due.batch_id, now=now, epoch=self.epoch)
            self.notes.append(
                f"{due.remote.target.destination}: no end of a request after"
                f" {destination.poll.give_up_s / 3600:.0f} hours; it is sent again"
            )
            return
        at = now + timedelta(seconds=destination.poll.next_s(due.polls + 1))
        self.pipeline.ledger.outbox.repoll(due.batch_id, at=at, epoch=self.epoch)

    def _settle(self, batch_id: int, receipt: Receipt, destination: Destination) -> None:
        self.pipeline.ledger.outbox.settle(
            batch_id,
            receipt,
            now=self.pipeline.clock(),
            epoch=self.epoch,
            first_poll_s=destination.poll.first_s,
        )
        if receipt.fault:
            self.notes.append(f"{destination.name}: {receipt.fault}; the same members are sent again later")
        for reason, count in receipt.unattributed.items():
            self.notes.append(
                f"{destination.name}: {count:,} rows not taken ({reason}); the platform does not say which"
            )
        if receipt.handed:
            self.told[destination.name] = _BY_HAND.format(destination.name)
        if receipt.note:
            log.info("platform_said", destination=destination.name, batch=batch_id, note=receipt.note)

    def _put_off(self, claimed: Claimed, error: NotYetError) -> None:
        """Let a batch wait of which nothing was done; its audience goes on without it."""
        now = self.pipeline.clock()
        until = now + timedelta(seconds=error.after_s or RESEND_AFTER_S)
        self.pipeline.ledger.outbox.put_off(
            claimed.batch.id, until=until, note=str(error), now=now, epoch=self.epoch
        )
        self.notes.append(f"{claimed.remote.target.destination}: {error}")
        self._log("batch_put_off", claimed, reason=str(error))

    def _postpone(self, claimed: Claimed, error: RetryableError) -> None:
        """Leave an unknown outcome to be sent again, and the destination alone until then."""
        destination = claimed.remote.target.destination
        until = self.pipeline.clock() + timedelta(seconds=error.after_s or RESEND_AFTER_S)
        self.pipeline.ledger.outbox.postpone(
            claimed.batch.id, until=until, note=str(error), epoch=self.epoch
        )
        if error.scope == "destination":
            self._silences[destination] += 1
            if error.after_s is not None or self._silences[destination] >= MOST_SILENCES:
                self._alone_until[destination] = until
            if error.after_s is not None:  # the platform's own word outlives this process
                most = self.pipeline.clock() + BLOCKED_AT_MOST
                self.pipeline.ledger.remotes.block_destination(destination, min(until, most))
        self.notes.append(f"{destination}: {error}; sent again after {until:%H:%M:%S} UTC")
        self._log("batch_postponed", claimed, reason=str(error))

    def _fell_short(self, destination: Destination, target: Target, error: SyncError) -> None:
        note = f"{destination.name}: {error}"
        if isinstance(error, FatalError):
            note = f"{note} {error.cure}"
            self._pause(destination, target, error)
        self.notes.append(note)
        log.warning("destination_fell_short", destination=destination.name, reason=str(error))

    def _pause(self, destination: Destination, target: Target, error: FatalError) -> None:
        remotes = self.pipeline.ledger.remotes
        remote = remotes.get(target)
        if error.scope == "audience" and remote is not None:
            remotes.pause(remote.id, note=f"{error} {error.cure}")
            return
        self._stopped.add(destination.name)
        remotes.pause_destination(
            destination.name, reason=str(error), cure=error.cure, at=self.pipeline.clock()
        )

    def _open_destinations(self, only: Collection[str] | None) -> list[str]:
        now = self.pipeline.clock()
        return [name for name in self._usable(only) if self._alone_until.get(name, now) <= now]

    def _usable(self, only: Collection[str] | None) -> list[str]:
        """List the destinations that nothing but time keeps from being sent to."""
        paused = self.pipeline.ledger.remotes.paused_destinations()
        return [
            name
            for name in self.pipeline.destinations
            if name not in self._stopped and name not in paused and (only is None or name in only)
        ]

    def _next_due(self, only: Collection[str] | None, lane: Lane | None) -> datetime | None:
        """Find when there is something to do again, or None if nothing is open."""
        dues = []
        for name in self._usable(only):
            resync = None if lane is Lane.REVOCATION else self.pipeline.ledger.resyncs.next_due([name])
            due = min(
                filter(None, (self.pipeline.ledger.outbox.next_due([name], lane=lane), resync)),
                default=None,
            )
            if due is not None:
                dues.append(max(due, self._alone_until.get(name, due)))
        return min(dues, default=None)

    def _overlapping(self, destination: str) -> bool:
        return self.pipeline.destinations[destination].connector.limits.overlapping_batches

    def _log(self, event: str, claimed: Claimed, **counts: object) -> None:
        log.info(
            event,
            audience=claimed.remote.target.audience,
            destination=claimed.remote.target.destination,
            action=claimed.batch.action.value,
            lane=claimed.lane.value,
            batch=claimed.batch.id,
            members=len(claimed.batch.members),
            **counts,
        )
