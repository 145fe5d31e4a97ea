"""Jobs as they are done: one of a kind, noted in the ledger, whatever fails told."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import structlog
from structlog.contextvars import bound_contextvars

from cohortd.core.errors import CohortdError, StoppedError
from cohortd.daemon.jobs import Job
from cohortd.daemon.memory import give_back
from cohortd.ledger import INTERRUPTED
from cohortd.logs import place_of
from cohortd.pipeline.wiring import Pipeline

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A job that is being done."""

    job: Job
    #: By the clock that only goes forward; seconds.
    since: float
    thread: int


@dataclass(slots=True)
class Runner:
    """Does jobs, each in a thread of the scheduler's."""

    pipeline: Pipeline
    #: Set while new settings wait: only what is urgent begins.
    holds: threading.Event = field(default_factory=threading.Event)
    #: Set when the time of leading ends: nothing begins any more.
    over: threading.Event = field(default_factory=threading.Event)
    #: Set when what still runs is left to itself: it may tell and note nothing any more.
    left: threading.Event = field(default_factory=threading.Event)
    _under_way: dict[str, UnderWay] = field(default_factory=dict)
    #: Jobs of which it was told that their turn came while they were still at the last one.
    _told: set[str] = field(default_factory=set)
    #: Jobs that were not broken off since it was asked for them.
    _ended: set[str] = field(default_factory=set)

    def under_way(self) -> list[UnderWay]:
        """What is being done now."""
        return list(self._under_way.values())

    def take_ended(self) -> set[str]:
        """Which jobs came to an end of their own since this was asked last."""
        ended = self._ended.copy()  # threads of jobs add to it meanwhile
        self._ended -= ended
        return ended

    def run(self, job: Job) -> None:
        """Do one job; the daemon goes on whatever becomes of it: the next run makes up for it."""
        with job.lock or nullcontext():
            if self._is_kept_back(job):
                return
            with self._listed(job), bound_contextvars(job=job.name):
                if job.turn is None:
                    outcome, _ = self._guarded(job)
                    if not self.left.is_set():
                        self.pipeline.observer.job_ended(job.name, outcome)
                else:
                    self._noted(job)

    def missed(self, name: str) -> None:
        """Tell, once a run, that a job's turn came while it was still at the last one."""
        running = self._under_way.get(name)
        if name not in self._told and (running is None or running.job.turn is not None):
            self._told.add(name)
            log.warning("job_turn_skipped", job=name, waits=running is None)

    def _is_kept_back(self, job: Job) -> bool:
        is_over = self.over.is_set() or self.pipeline.stop.is_set()
        return is_over or (self.holds.is_set() and not job.is_urgent)

    @contextmanager
    def _listed(self, job: Job) -> Iterator[None]:
        self._under_way[job.name] = UnderWay(job, time.monotonic(), threading.get_ident())
        try:
            yield
        finally:
            del self._under_way[job.name]
            self._told.discard(job.name)

    def _noted(self, job: Job) -> None:
        """Note beginning and end; a revocation does not fail for want of a note."""
        jobs, clock = self.pipeline.ledger.jobs, self.pipeline.clock
        try:
            jobs.begin(job.name, at=clock())
        except CohortdError as error:
            log.warning("job_not_noted", job=job.name, reason=str(error))
        with self.pipeline.observer.trace("job", job=job.name):
            outcome, detail = self._guarded(job)
        if outcome != INTERRUPTED:
            self._ended.add(job.name)
        if self.left.is_set():
            return
        self.pipeline.observer.job_ended(job.name, outcome)
        try:
            jobs.end(job.name, at=clock(), outcome=outcome, detail=detail)
        except CohortdError as error:
            log.warning("job_not_noted", job=job.name, reason=str(error))
        give_back()

    def _guarded(self, job: Job) -> tuple[str, str]:
        """Do a job; say how it ended, and why."""
        try:
            outcome = job.do()
        except StoppedError:
            return INTERRUPTED, ""
        except CohortdError as error:
            if not self.left.is_set():
                log.warning("job_failed", job=job.name, reason=str(error))
            return "failed", str(error)
        except Exception as error:  # noqa: BLE001 - the run boundary: a job's fault must not end the daemon
            if not self.left.is_set():
                log.critical("job_broke", job=job.name, error=type(error).__name__, place=place_of(error))
            return "broke", f"{type(error).__name__} at {place_of(error)}"
        return (INTERRUPTED, "") if self.pipeline.stop.is_set() else (outcome, "")
