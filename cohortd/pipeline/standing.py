"""Which destinations may be asked now: none that failed for good, fell silent or asked to be left alone."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from cohortd.core.delivery import Hold, Lane
from cohortd.core.errors import FatalError, RetryableError, SyncError
from cohortd.core.planning import Target
from cohortd.pipeline.wiring import Destination, Pipeline
from connectors.protocol import hold_of

#: Batches in a row without an answer after which a destination is left alone for that long: one bad
#: batch holds nobody up, and a platform that is down is not knocked at for ever.
MOST_SILENCES: Final = 2
#: Longest a platform's word is taken for when to come again.
BLOCKED_AT_MOST: Final = timedelta(days=1)

log = structlog.get_logger()


class Standing:
    """How each destination stands with us, for the length of a run."""

    def __init__(self, pipeline: Pipeline, notes: list[str]) -> None:
        """Keep to what the platforms asked of an earlier process.

        Args:
            pipeline: What is asked, and by which clock.
            notes: Where to put sentences for people about what fell short.
        """
        self._pipeline = pipeline
        self._notes = notes
        #: Destinations that failed for good; their batches stay and are tried again by the next run.
        self._stopped: set[str] = set()
        #: Destination -> batches in a row without an answer, and until when it is left alone.
        self._silences: Counter[str] = Counter()
        self._alone_until: dict[str, datetime] = {}
        self._told: set[tuple[str, str]] = set()
        now = pipeline.clock()
        for name in pipeline.destinations:
            until = pipeline.ledger.remotes.blocked_until(name)
            if until is not None and until > now:
                self._alone_until[name] = until
                notes.append(f"{name}: asked to be left alone; nothing is sent until {until:%H:%M:%S} UTC")

    @property
    def all_went_on(self) -> bool:
        """Whether no destination failed for good."""
        return not self._stopped

    @property
    def left_alone(self) -> Mapping[str, datetime]:
        """Destination -> until when; a copy."""
        return dict(self._alone_until)

    def is_stopped(self, name: str) -> bool:
        """Whether a destination failed for good."""
        return name in self._stopped

    def usable(self, only: Collection[str] | None) -> list[str]:
        """List the destinations that nothing but time keeps from being sent to."""
        paused = self._pipeline.ledger.remotes.paused_destinations()
        return [
            name
            for name in self._pipeline.destinations
            if name not in self._stopped and name not in paused and (only is None or name in only)
        ]

    def open(self, only: Collection[str] | None) -> list[str]:
        """List the destinations that may be asked now."""
        now = self._pipeline.clock()
        return [name for name in self.usable(only) if self._alone_until.get(name, now) <= now]

    def hold(self, name: str, *, urgent: bool) -> Hold | None:
        """Tell until when its connector sends nothing; a platform's own word is kept beyond the process."""
        hold = hold_of(self._pipeline.destinations[name].connector, urgent=urgent)
        if hold is not None and hold.is_told and self._alone_until.get(name) != hold.until:
            self._block(name, hold.until)
            self.tell_held(name, hold)
        return hold

    def tell_held(self, name: str, hold: Hold) -> None:
        """Tell people once why nothing is sent."""
        if (name, hold.why) not in self._told:
            self._told.add((name, hold.why))
            self._notes.append(f"{name}: {hold.why}; it goes on after {_named(hold.until)}")
            log.info("destination_held", destination=name, reason=hold.why)

    def answered(self, name: str) -> None:
        """Note that a destination answered, whatever it said."""
        self._silences[name] = 0

    def did_not_take(self, name: str, error: RetryableError, *, until: datetime) -> None:
        """Note that a batch is to be sent again, and whether the destination is left alone until then."""
        if error.scope != "destination":
            return
        self._silences[name] += 1
        if error.after_s is not None:  # the platform's own word outlives this process
            self._block(name, until)
        elif self._silences[name] >= MOST_SILENCES:
            self._alone_until[name] = until

    def fell_short(self, destination: Destination, target: Target, error: SyncError) -> None:
        """Tell of an error, and pause what nobody but a person can mend."""
        note = f"{destination.name}: {error}"
        if isinstance(error, FatalError):
            note = f"{note} {error.cure}"
            self._pause(destination, target, error)
        self._notes.append(note)
        log.warning("destination_fell_short", destination=destination.name, reason=str(error))

    def next_due(self, only: Collection[str] | None, lane: Lane | None) -> datetime | None:
        """Find when there is something to do again, or None if nothing is open."""
        dues = [self._due_at(name, lane) for name in self.usable(only)]
        return min(filter(None, dues), default=None)

    def _due_at(self, name: str, lane: Lane | None) -> datetime | None:
        ledger = self._pipeline.ledger
        sent = ledger.outbox.next_due([name], lane=lane)
        hold = self.hold(name, urgent=lane is Lane.REVOCATION) if sent is not None else None
        if sent is not None and hold is not None and sent < hold.until:
            polled = ledger.outbox.next_due([name], lane=lane, accepted=True)
            sent = min(filter(None, (hold.until, polled)))
        resync = None if lane is Lane.REVOCATION else ledger.resyncs.next_due([name])
        due = min(filter(None, (sent, resync)), default=None)
        return None if due is None else max(due, self._alone_until.get(name, due))

    def _block(self, name: str, until: datetime) -> None:
        self._alone_until[name] = until
        most = self._pipeline.clock() + BLOCKED_AT_MOST
        self._pipeline.ledger.remotes.block_destination(name, min(until, most))

    def _pause(self, destination: Destination, target: Target, error: FatalError) -> None:
        remotes = self._pipeline.ledger.remotes
        remote = remotes.get(target)
        if error.scope == "audience" and remote is not None:
            remotes.pause(remote.id, note=f"{error} {error.cure}")
            return
        self._stopped.add(destination.name)
        remotes.pause_destination(
            destination.name, reason=str(error), cure=error.cure, at=self._pipeline.clock()
        )


def _named(until: datetime) -> str:
    return f"{until:%Y-%m-%d %H:%M:%S} UTC"
