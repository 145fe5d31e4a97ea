"""What a daemon does while it leads."""

import time
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Final

import structlog

from cohortd.core.errors import LedgerUnreachableError
from cohortd.daemon.jobs import jobs_of, lookouts_of
from cohortd.daemon.reloading import Reloading
from cohortd.daemon.running import Runner
from cohortd.daemon.signals import LOOK_S, Signals
from cohortd.daemon.threads import asks_platform
from cohortd.daemon.timer import Timer
from cohortd.daemon.watchdog import Watchdog
from cohortd.daemon.work import Work
from cohortd.pipeline.approving import forget_old
from cohortd.pipeline.turns import DAEMON, SETTINGS
from cohortd.pipeline.wiring import Pipeline

#: How often the leader looks whether anything is asked of it; seconds, as below.
WATCH_S: Final = 1.0
#: How often it looks whether it leads still, and whether a job is stuck.
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
    #: New settings wait.
    RELOAD = auto()
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
    is_quiet: bool = True


@dataclass(slots=True)
class Leader:
    """One time of leading, from the taking of an epoch to its end."""

    pipeline: Pipeline
    epoch: int
    signals: Signals
    reloading: Reloading
    patience: Patience

    def lead(self) -> Led:
        """Do the jobs by the schedule until asked to stop, or until there is another reason to."""
        work, runner = Work(self.pipeline, self.epoch), Runner(self.pipeline)
        jobs, clock = self.pipeline.ledger.jobs, self.pipeline.clock
        forget_old(self.pipeline)
        jobs.interrupt_open(clock())
        timer = Timer(runner, jobs_of(work), lookouts_of(work))
        watchdog = Watchdog(runner, self.patience.give_up)
        jobs.begin(DAEMON, at=clock())
        timer.start()
        self.pipeline.observer.led(leads=True)
        try:
            ending = self._watch(timer, runner, watchdog)
        except BaseException:
            self.pipeline.stop.set()  # else what runs would hold up the end of the process
            raise
        finally:
            timer.shutdown(wait=False)
            self.pipeline.observer.led(leads=False)
        if ending in {Ending.LOST, Ending.RELOAD}:
            while runner.under_way() and not self.signals.wait(LOOK_S):
                if watchdog.look():  # it would keep this process from leading for good
                    log.critical("daemon_gave_up", reason="a job is stuck")
                    runner.left.set()
                    return Led(Ending.GAVE_UP, is_quiet=False)
            if not self.signals.wait(0):
                return Led(ending)
            ending = Ending.STOPPED
        self.pipeline.stop.set()
        is_quiet = settle(runner, longest_s=self.patience.request_s + STORING_S)
        if is_quiet:
            jobs.end(DAEMON, at=clock(), outcome="stopped")
        return Led(ending, is_quiet)

    def _watch(self, timer: Timer, runner: Runner, watchdog: Watchdog) -> Ending:
        """Wait until there is a reason to end."""
        looked_at, told = time.monotonic(), None
        while not self.signals.wait(WATCH_S):
            now = time.monotonic()
            is_waiting = self.reloading.look(is_asked=self.signals.take_reload(), now=now)
            if self.reloading.fault != told:
                told = self.reloading.fault
                self._note_settings(told)
            if is_waiting:
                runner.holds.set()
                if not runner.under_way():
                    return Ending.RELOAD
            else:
                runner.holds.clear()
            if now - looked_at >= LEADS_S:
                looked_at = now
                ending = self._look(timer, watchdog)
                if ending is not None:
                    return ending
        return Ending.STOPPED

    def _look(self, timer: Timer, watchdog: Watchdog) -> Ending | None:
        """Find a reason to end that nobody asked for."""
        if not self._leads_still():
            log.warning("leadership_lost", epoch=self.epoch)
            return Ending.LOST
        is_stuck = watchdog.look()
        if is_stuck or not timer.is_alive:
            log.critical("daemon_gave_up", reason="a job is stuck" if is_stuck else "the scheduler ended")
            return Ending.GAVE_UP
        return None

    def _note_settings(self, fault: str) -> None:
        """Let ``status`` tell what keeps newer settings from being used."""
        jobs, at = self.pipeline.ledger.jobs, self.pipeline.clock()
        try:
            jobs.begin(SETTINGS, at=at)
            jobs.end(SETTINGS, at=at, outcome="failed" if fault else "done", detail=fault)
        except LedgerUnreachableError as error:
            log.warning("ledger_not_reached", reason=str(error))

    def _leads_still(self) -> bool:
        """Tell whether to go on; without the ledger nothing can be sent, and another may lead meanwhile."""
        try:
            return self.pipeline.ledger.leads(self.epoch)
        except LedgerUnreachableError as error:
            log.warning("ledger_not_reached", reason=str(error))
            return False


def settle(runner: Runner, *, longest_s: float) -> bool:
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
