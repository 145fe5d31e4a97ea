"""Batches out of the outbox to the platforms, and their answers back into the ledger."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from structlog.contextvars import bound_contextvars

from cohortd.core.delivery import Hold, Lane, Receipt
from cohortd.core.errors import CohortdError, SyncError
from cohortd.core.modelling import Segment
from cohortd.core.planning import Target
from cohortd.ledger import Claimed
from cohortd.pipeline import resyncing
from cohortd.pipeline.crew import LOOK_S, Crew
from cohortd.pipeline.leftovers import look_for_leftovers
from cohortd.pipeline.polling import Polling
from cohortd.pipeline.renaming import remote_name, spec_of
from cohortd.pipeline.sending import Answers
from cohortd.pipeline.standing import Standing
from cohortd.pipeline.wiring import Destination, Pipeline

#: A drain waits for a quota or its turn no longer than this at a time; whoever has to wait longer is
#: left to a later run.
LONGEST_TURN: Final = timedelta(seconds=90)
#: How often it looks meanwhile whether there is something more urgent; seconds.
_TURN_LOOK_S: Final = 5.0

log = structlog.get_logger()


@dataclass(slots=True)
class Delivery:
    """Sends under one leadership epoch.

    Everything that changes the ledger is done by the caller's thread; only connectors are asked in
    others, where a destination takes several batches at once.
    """

    pipeline: Pipeline
    epoch: int
    #: Sentences for people about what fell short.
    notes: list[str] = field(default_factory=list)
    #: The same about what was done in another way than by a batch.
    remarks: list[str] = field(default_factory=list)
    #: Destinations at which an audience was made.
    _made: set[str] = field(default_factory=set)
    _standing: Standing = field(init=False)
    _answers: Answers = field(init=False)
    _polling: Polling = field(init=False)

    @property
    def said(self) -> list[str]:
        """Everything that people should read."""
        return [*self.remarks, *self.notes, *self._answers.told.values()]

    def __post_init__(self) -> None:
        """Keep to what the platforms asked of an earlier process; note whom we ask now."""
        destinations = self.pipeline.destinations
        self.pipeline.ledger.remotes.note_platforms(
            {name: each.platform for name, each in destinations.items()}
        )
        self._standing = Standing(self.pipeline, self.notes)
        self._answers = Answers(self.pipeline, self.epoch, self._standing, self.notes, self.remarks)
        self._polling = Polling(self.pipeline, self.epoch, self._standing, self._answers, self.notes)

    def drain(self, *, lane: Lane | None = None, only: Collection[str] | None = None) -> int:
        """Send every batch that is due; stop early when the process is asked to stop.

        What is under way then comes to its end first.

        Args:
            lane: Only batches of this lane.
            only: Only these destinations.

        Returns:
            How many batches were sent.
        """
        sent = 0
        alone_before = self._standing.left_alone
        with Crew(self.pipeline.destinations, stop=self.pipeline.stop) as crew:
            try:
                while True:
                    # Whoever fell silent in this drain is not asked again in it: two that are down
                    # would otherwise take turns for ever.
                    alone = self._standing.left_alone
                    names = [
                        name
                        for name in self._standing.open(only)
                        if alone.get(name) == alone_before.get(name)
                    ]
                    if (claimed := self._claim(names, lane, crew)) is not None:
                        self._begin(claimed, crew)
                        sent += 1
                    elif not self._hear(crew) and not self._wait_for_turn(names, lane):
                        return sent
            except Exception:  # whatever it is: what platforms have answered by now must not be lost
                self._hear_rest(crew)
                raise

    def poll(self, *, only: Collection[str] | None = None) -> int:
        """Ask what became of accepted batches that are due; return how many came to an end."""
        ended = 0
        names = self._standing.open(only)
        for due in self.pipeline.ledger.outbox.due_polls(now=self.pipeline.clock(), destinations=names):
            if self.pipeline.stop.is_set():
                break
            if not self._standing.is_stopped(due.remote.target.destination):
                ended += self._polling.ask(due)
        for target, became in resyncing.advance_due(self.pipeline, names, epoch=self.epoch):
            if isinstance(became, SyncError):
                self._standing.fell_short(self.pipeline.destinations[target.destination], target, became)
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
            due = self._standing.next_due(only, lane)
            now = self.pipeline.clock()
            if due is None:
                return self._standing.all_went_on
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
        if self._standing.is_stopped(target.destination):
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
            with bound_contextvars(audience=target.audience, destination=target.destination):
                remote_id = destination.connector.ensure(spec_of(self.pipeline, remote, segment))
        except SyncError as error:
            self._standing.fell_short(destination, target, error)
            return False
        remotes.attach(remote.id, remote_id, at=self.pipeline.clock())
        self._made.add(destination.name)
        log.info("remote_audience_ensured", audience=target.audience, destination=target.destination)
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

    def _claim(self, names: Collection[str], lane: Lane | None, crew: Crew) -> Claimed | None:
        """Take the next batch that may be sent now; none once the process is asked to stop."""
        free = [name for name in names if crew.has_room(name)]
        free = [name for name in free if self._standing.hold(name, urgent=True) is None]
        if not free or self.pipeline.stop.is_set():
            return None
        return self.pipeline.ledger.outbox.claim(
            now=self.pipeline.clock(),
            epoch=self.epoch,
            destinations=free,
            lane=lane,
            overlapping=self._overlapping,
            urgent_only=[name for name in free if self._standing.hold(name, urgent=False)],
            busy=crew.remotes,
        )

    def _begin(self, claimed: Claimed, crew: Crew) -> None:
        destination = self.pipeline.destinations[claimed.remote.target.destination]
        crew.begin(claimed, partial(_apply, destination, claimed))

    def _hear(self, crew: Crew) -> bool:
        """Store the next answer, if there comes one soon; tell whether anything is under way."""
        if crew.is_idle:
            return False
        answered = crew.answered(within_s=LOOK_S)
        if answered is not None:
            self._answers.take(*answered)
        return True

    def _hear_rest(self, crew: Crew) -> None:
        """Store what can be stored of the other batches when something went wrong with one."""
        for claimed, answer in crew.rest():
            with suppress(CohortdError):
                self._answers.take(claimed, answer)
            self.pipeline.ledger.outbox.release(claimed.batch.id)

    def _wait_for_turn(self, names: Collection[str], lane: Lane | None) -> bool:
        """Wait for destinations that may be sent to in a moment; tell people of those that may not."""
        held = self._held(names, lane)
        now = self.pipeline.clock()
        if not held or self.pipeline.stop.is_set():
            return False
        soonest = min(hold.until for hold in held.values())
        if soonest - now <= LONGEST_TURN:
            self.pipeline.stop.wait(min(max((soonest - now).total_seconds(), 0.001), _TURN_LOOK_S))
            return True
        for name, hold in held.items():
            self._standing.tell_held(name, hold)
        return False

    def _held(self, names: Collection[str], lane: Lane | None) -> Mapping[str, Hold]:
        """Find which destinations wait for their turn with something to send."""
        holds = {name: self._standing.hold(name, urgent=lane is Lane.REVOCATION) for name in names}
        return {
            name: hold
            for name, hold in holds.items()
            if hold is not None
            and self.pipeline.ledger.outbox.has_next(
                now=self.pipeline.clock(),
                epoch=self.epoch,
                destinations=[name],
                lane=lane,
                overlapping=self._overlapping,
            )
        }

    def _overlapping(self, destination: str) -> bool:
        return self.pipeline.destinations[destination].connector.limits.overlapping_batches


def _apply(destination: Destination, claimed: Claimed) -> Receipt:
    """Send a batch; whatever is said on the way is said of its audience."""
    target = claimed.remote.target
    with bound_contextvars(
        audience=target.audience, destination=target.destination, batch=claimed.batch.id
    ):
        return destination.connector.apply(claimed.batch)
