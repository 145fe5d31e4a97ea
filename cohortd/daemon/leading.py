"""What a daemon does while it leads."""

import time
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Final

import structlog

from cohortd.core.errors import LedgerUnreachableError
from cohortd.daemon.jobs import jobs_of, lookouts_of
from cohortd.daemon.running import Runner
from cohortd.daemon.signals import LOOK_S, Signals
from cohortd.daemon.threads import asks_platform
from cohortd.daemon.timer import Timer
from cohortd.daemon.watchdog import Watchdog
from cohortd.daemon.work import Work
from cohortd.pipeline.approving import forget_old
from cohortd.pipeline.turns import DAEMON
from cohortd.pipeline.wiring import Pipeline

#: How often the leader looks whether it leads still, and whether a job is stuck; seconds, as below.
LEADS_S: Final = 5.0
#: How long a stopped daemon waits for jobs while none of them waits for a platform: what they compute,
#: the next run computes again.
COMPUTING_S: Final = 5.0
#: What a request may take longer than it may, for its answer to be stored.
STORING_S: Final = 5.0
log = structlog.get_logger()


class Ending(Enum):
    """Why a daemon leads no longer."""

    STOPPED = auto()
    LOST = auto()
    #: Something hangs: only a new process helps.
    GAVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what runs is waited for."""

    #: The longest request; seconds.
    request_s: float
    #: See the watchdog's setting.
    give_up: timedelta | None


@dataclass(frozen=True, slots=True)
class Led:
    """How a time of leading ended."""

    ending: Ending
    #: Whether every job has ended; else only the end of the process ends them.
    is_quiet: bool


def lead(pipeline: Pipeline, epoch: int, signals: Signals, patience: Patience) -> Led:
    """Do the jobs by the schedule until asked to stop, or until another leads."""
    work, runner = Work(pipeline, epoch), Runner(pipeline)
    forget_old(pipeline)
    pipeline.ledger.jobs.interrupt_open(pipeline.clock())
    timer = Timer(runner, jobs_of(work), lookouts_of(work))
    pipeline.ledger.jobs.begin(DAEMON, at=pipeline.clock())
    timer.start()
    ending = _watch(timer, runner, epoch, signals, patience)
    timer.shutdown(wait=False)
    if ending is Ending.LOST:
        while runner.under_way() and not signals.wait(LOOK_S):
            continue
        if not signals.wait(0):
            return Led(ending, is_quiet=True)
        ending = Ending.STOPPED
    pipeline.stop.set()
    is_quiet = _settle(runner, longest_s=patience.request_s + STORING_S)
    if is_quiet:
        pipeline.ledger.jobs.end(DAEMON, at=pipeline.clock(), outcome="stopped")
    return Led(ending, is_quiet)


def _watch(timer: Timer, runner: Runner, epoch: int, signals: Signals, patience: Patience) -> Ending:
    watchdog = Watchdog(runner, patience.give_up)
    while not signals.wait(LEADS_S):
        if not _leads_still(runner.pipeline, epoch):
            log.warning("leadership_lost", epoch=epoch)
            return Ending.LOST
        if watchdog.look():
            log.critical("daemon_gives_up", reason="a job is stuck")
            return Ending.GAVE_UP
        if not timer.is_alive:
            log.critical("daemon_gives_up", reason="the scheduler ended")
            return Ending.GAVE_UP
    return Ending.STOPPED


def _settle(runner: Runner, *, longest_s: float) -> bool:
    """Wait for the jobs under way; tell whether all have ended.

    A request that was sent is waited for, so that its answer is stored. Whatever only computes is left:
    nothing of it is half-done in the ledger.
    """
    began = asked_at = time.monotonic()
    while runner.under_way():
        now = time.monotonic()
        if asks_platform():
            asked_at = now
        if now - asked_at > COMPUTING_S or now - began > longest_s:
            runner.left.set()
            log.info("jobs_left", jobs=sorted(each.job.name for each in runner.under_way()))
            return False
        time.sleep(LOOK_S)
    return True


def _leads_still(pipeline: Pipeline, epoch: int) -> bool:
    """Tell whether to go on; without the ledger nothing can be sent, and another may lead meanwhile."""
    try:
        return pipeline.ledger.leads(epoch)
    except LedgerUnreachableError as error:
        log.warning("ledger_out_of_reach", reason=str(error))
        return False
