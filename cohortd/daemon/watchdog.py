"""Jobs that take far longer than they should."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from cohortd.core.errors import CohortdError
from cohortd.daemon.jobs import Job
from cohortd.daemon.running import Runner, UnderWay
from cohortd.daemon.threads import places_of

log = structlog.get_logger()


@dataclass(slots=True)
class Watchdog:
    """Tells of a stuck job once, with the places where it is; says when to give up."""

    runner: Runner
    #: How much longer than it may take; None for ever.
    give_up: timedelta | None
    #: What a job without a timetable may take: an approved plan's sync, and what only looks now and then.
    long: timedelta = timedelta.max
    short: timedelta = timedelta.max
    clock: Callable[[], float] = time.monotonic
    _told: set[tuple[str, float]] = field(default_factory=set)

    def look(self) -> bool:
        """Tell of what is stuck; return whether to give up."""
        looks = [self._look_at(each) for each in self.runner.under_way()]
        return any(looks)

    def _look_at(self, running: UnderWay) -> bool:
        took = self.clock() - running.since
        over = took - self._at_most(running.job).total_seconds()
        if over <= 0:
            return False
        if (running.job.name, running.since) not in self._told:
            self._told.add((running.job.name, running.since))
            self._tell(running, took)
        return self.give_up is not None and over > self.give_up.total_seconds()

    def _at_most(self, job: Job) -> timedelta:
        if job.turn is not None:
            return job.turn.at_most
        return self.short if job.is_urgent else self.long

    def _tell(self, running: UnderWay, took: float) -> None:
        places = places_of(running.thread)
        log.error("job_stuck", job=running.job.name, for_s=round(took), at=places)
        try:
            self.runner.pipeline.ledger.jobs.tell(running.job.name, f"stuck at {' < '.join(places)}")
        except CohortdError as error:
            log.warning("job_not_noted", job=running.job.name, reason=str(error))
