"""What a daemon does while it leads."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import structlog

from cohortd.core.errors import LedgerError
from cohortd.daemon.breaking_off import BrokenOff
from cohortd.daemon.jobs import jobs_of, lookouts_of
from cohortd.daemon.reloading import Reloading
from cohortd.daemon.running import Runner
from cohortd.daemon.signals import LOOK_S, Signals
from cohortd.daemon.threads import asks_platform
from cohortd.daemon.timer import Timer
from cohortd.daemon.watchdog import Watchdog
from cohortd.daemon.work import Work
from cohortd.ledger import INTERRUPTED
from cohortd.pipeline.approving import forget_old
from cohortd.pipeline.turns import DAEMON, SETTINGS
from cohortd.pipeline.wiring import Pipeline

#: How often the leader looks whether anything is asked of it; seconds, as below.
WATCH_S: Final = 1.0
#: How often it looks whether it leads still, and whether a job is stuck.
LEADS_S: Final = 5.0
#: How long jobs that are broken off are waited for while none of them waits for a platform: what they
#: compute, the next run computes again.
COMPUTING_S: Final = 5.0
#: Which share of the grace platforms get for their answers; the rest is for closing.
ANSWERING: Final = 0.8
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
class Led:
    """How a time of leading ended."""

    ending: Ending
    #: Whose jobs have not all ended: they were left to themselves.
    left: Runner | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether every job has ended; else only the end of the process is sure to end them."""
        return self.left is None


@dataclass(slots=True)
class Leader:
    """One time of leading, from the taking of an epoch to its end."""

    pipeline: Pipeline
    epoch: int
    signals: Signals
    reloading: Reloading
    broken_off: BrokenOff

    def lead(self) -> Led:
        """Do the jobs by the schedule until asked to stop, or until there is another reason to."""
        work, runner = Work(self.pipeline, self.epoch), Runner(self.pipeline)
        jobs, clock = self.pipeline.ledger.jobs, self.pipeline.clock
        forget_old(self.pipeline)
        jobs.interrupt_open(clock())
        timer = Timer(runner, jobs_of(work), lookouts_of(work))
        limits = self.reloading.settings.schedule.watchdog
        watchdog = Watchdog(runner, limits.give_up, long=limits.long, short=limits.short)
        jobs.begin(DAEMON, at=clock())
        timer.start()
        self.pipeline.observer.led(leads=True)
        try:
            ending = self._watch(timer, runner, watchdog)
        except BaseException:
            runner.over.set()
            self.pipeline.stop.set()  # else what runs would hold up the end of the process
            raise
        finally:
            timer.shutdown(wait=False)
            self.pipeline.observer.led(leads=False)
        return self._end(runner, ending)

    def _end(self, runner: Runner, ending: Ending) -> Led:
        """Break off what runs, between two batches or steps, and leave what does not end soon.

        What is left can neither send nor write: its epoch is over as soon as somebody leads again, and its
        ledger is closed.
        """
        runner.over.set()
        if ending is Ending.LOST:
            runner.left.set()  # whoever leads now notes its own jobs
        self.pipeline.stop.set()
        grace_s = ANSWERING * self.signals.grace_s - self.signals.since_s
        is_quiet = settle(runner, longest_s=max(grace_s, 0.0), looked=self.signals.looked)
        if self.signals.wait(0) and ending is not Ending.GAVE_UP:
            ending = Ending.STOPPED
        if not is_quiet:
            self._note_left(runner, ending)
            return Led(ending, runner)
        if ending is Ending.STOPPED:
            self._note(DAEMON, "stopped")
        elif ending is Ending.LOST:
            self.pipeline.stop.clear()
        return Led(ending)

    def _note_left(self, runner: Runner, ending: Ending) -> None:
        """Note what was broken off on purpose: nobody need fear that it is what ends processes."""
        if ending in {Ending.STOPPED, Ending.RELOAD}:
            for each in runner.under_way():
                if each.job.turn is not None:
                    self._note(each.job.name, INTERRUPTED)

    def _watch(self, timer: Timer, runner: Runner, watchdog: Watchdog) -> Ending:
        """Wait until there is a reason to end."""
        looked_at, told = time.monotonic(), None
        while not self.signals.wait(WATCH_S):
            now = time.monotonic()
            timer.keep_up(time.time() - now)
            is_waiting = self.reloading.look(is_asked=self.signals.take_reload(), now=now)
            if self.reloading.fault != told:
                told = self.reloading.fault
                self._note_settings(told)
            if is_waiting and self._may_break_off(runner):
                return Ending.RELOAD
            if not is_waiting:
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

    def _may_break_off(self, runner: Runner) -> bool:
        """Tell whether new settings may be used now; else hold back what is not urgent until they may."""
        jobs = self.broken_off.waited_for(runner)
        if not jobs:
            self.broken_off.note(runner)
            return True
        if not runner.holds.is_set():
            runner.holds.set()
            log.info("settings_held_up", jobs=jobs)
        return False

    def _note_settings(self, fault: str) -> None:
        """Let ``status`` tell what keeps newer settings from being used."""
        self._note(SETTINGS, "failed" if fault else "done", fault, is_new=True)

    def _note(self, name: str, outcome: str, detail: str = "", *, is_new: bool = False) -> None:
        """Note something for people; nothing waits for a ledger that takes no note."""
        jobs, at = self.pipeline.ledger.jobs, self.pipeline.clock()
        try:
            if is_new:
                jobs.begin(name, at=at)
            jobs.end(name, at=at, outcome=outcome, detail=detail)
        except LedgerError as error:
            log.warning("job_not_noted", job=name, reason=str(error))

    def _leads_still(self) -> bool:
        """Tell whether to go on; without the ledger nothing can be sent, and another may lead meanwhile."""
        try:
            return self.pipeline.ledger.leads(self.epoch)
        except LedgerError as error:
            log.warning("ledger_not_reached", reason=str(error))
            return False


def settle(runner: Runner, *, longest_s: float, looked: Callable[[], None] = lambda: None) -> bool:
    """Wait for the jobs under way; tell whether all have ended.

    A request that was sent is waited for, so that its answer is stored; else the batch is sent again, as
    after a crash. Whatever only computes is left: nothing of it is half-done in the ledger.
    """
    began = asked_at = time.monotonic()
    while runner.under_way():
        looked()  # a grace may be longer than a loop may be silent
        now = time.monotonic()
        if asks_platform():
            asked_at = now
        if now - asked_at > COMPUTING_S or now - began > longest_s:
            runner.left.set()
            log.info("jobs_left", jobs=sorted(each.job.name for each in runner.under_way()))
            return False
        time.sleep(LOOK_S)
    return True
