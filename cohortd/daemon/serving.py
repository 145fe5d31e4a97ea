"""The process: from its start to its exit code."""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NoReturn

import structlog

import cohortd
from cohortd.bootstrap import open_pipeline, start_logs
from cohortd.core.errors import (
    CohortdError,
    LedgerError,
    LedgerUnreachableError,
    NotLeaderError,
    StoppedError,
)
from cohortd.daemon.breaking_off import BrokenOff
from cohortd.daemon.leading import Ending, Leader, Led
from cohortd.daemon.memory import spread_little
from cohortd.daemon.reloading import Reloading
from cohortd.daemon.running import Runner
from cohortd.daemon.signals import Signals
from cohortd.monitoring.opening import observing, open_monitoring
from cohortd.pipeline.wiring import Pipeline
from cohortd.receivers import open_receiver

#: How often a standby tries to lead; seconds, as below.
STANDBY_S: Final = 1.0
#: How long a daemon waits before it asks again for a ledger that did not answer.
UNREACHED_S: Final = 10.0
#: What closing may take where jobs were left to themselves.
CLOSING_S: Final = 5.0
#: So many jobs that were left to themselves may hang on in the process before a new one is better.
MOST_LEFT: Final = 8
log = structlog.get_logger()


def serve(config_file: str | None) -> NoReturn:
    """Run until SIGTERM or SIGINT, and end the process.

    The first signal lets batches in flight end as far as the grace allows, the second leaves at once: the
    ledger knows what was under way. SIGHUP re-reads the settings.
    """
    spread_little()
    signals = Signals(threading.Event())
    signals.listen()
    reloading = Reloading.begin(config_file, now=time.monotonic())
    start_logs(reloading.settings)
    log.info("daemon_started", version=cohortd.__version__, settings=str(reloading.file))
    try:
        led = _Serving(signals, reloading).serve()
    except Exception as error:
        # What was left to itself would keep a process that nobody else ends, and that does nothing.
        _leave_within(CLOSING_S, getattr(error, "exit_code", 1))
        raise
    code = code_of(led)
    log.info("daemon_stopped", code=code)
    _leave(code)


@dataclass(slots=True)
class _Serving:
    """Serves under one settings after the other; those that prove to be of no use give way to the last."""

    signals: Signals
    reloading: Reloading
    broken_off: BrokenOff = field(default_factory=BrokenOff)
    #: Whose jobs did not end when they should.
    _left: list[Runner] = field(default_factory=list)
    #: Whether it was told that another leads.
    _stands_by: bool = False

    def serve(self) -> Led:
        while True:
            try:
                led = self._serve_under()
            except CohortdError as error:
                if self.reloading.revert(str(error)):
                    start_logs(self.reloading.settings)
                    continue
                if not (self.reloading.is_proven and isinstance(error, LedgerUnreachableError)):
                    raise
                led = self._wait_for_ledger(error)
            if led.left is not None:
                self._left.append(led.left)
            if led.ending in {Ending.STOPPED, Ending.GAVE_UP} or self._has_left_too_many():
                return self._last(led)
            if led.ending is Ending.RELOAD:
                start_logs(self.reloading.adopt())
                log.info("settings_replaced")

    def _serve_under(self) -> Led:
        settings = self.reloading.settings
        self.signals.stop = stop = threading.Event()  # what was left to itself is stopped for good
        self.signals.grace_s = settings.schedule.grace.total_seconds()
        with (
            observing(settings, is_daemon=True) as observer,
            open_pipeline(
                settings, stop=stop, progress=_unless(stop), observer=observer, computes_apart=True
            ) as pipeline,
            open_receiver(settings.receiver, pipeline),
            open_monitoring(settings, pipeline),
        ):
            self.signals.looked = partial(observer.turned, "main")
            self.reloading.settle()
            try:
                return self._lead_when_possible(pipeline)
            finally:
                stop.set()  # nothing that goes on elsewhere holds up the closing

    def _lead_when_possible(self, pipeline: Pipeline) -> Led:
        while not self.signals.wait(0):
            led = self._try_to_lead(pipeline) or Led(Ending.LOST)
            if led.ending is not Ending.LOST:
                if led.left is not None and led.ending is not Ending.RELOAD:
                    _leave_within(CLOSING_S, code_of(led))
                return led
            if pipeline.stop.is_set() and not self.signals.received:
                return led  # what was left to itself stays stopped; all else is opened anew
            if self.reloading.look(is_asked=self.signals.take_reload(), now=time.monotonic()):
                return Led(Ending.RELOAD)
        return Led(Ending.STOPPED)

    def _try_to_lead(self, pipeline: Pipeline) -> Led | None:
        """Lead, if nobody else does, until there is a reason not to."""
        epoch = None
        try:
            with pipeline.ledger.leadership() as epoch:
                self._stands_by = False
                log.info("leadership_taken", epoch=epoch)
                return Leader(pipeline, epoch, self.signals, self.reloading, self.broken_off).lead()
        except NotLeaderError:
            if not self._stands_by:
                self._stands_by = True
                log.info("leadership_awaited")
            self.signals.wait(STANDBY_S)
        except LedgerError as error:
            if epoch is not None:
                log.warning("leadership_lost", epoch=epoch)
            log.warning("ledger_not_reached", reason=str(error))
            self.signals.wait(UNREACHED_S)
        return None

    def _wait_for_ledger(self, error: LedgerUnreachableError) -> Led:
        """Let a database that was there come back, by the old settings or those that are to follow."""
        log.warning("ledger_not_reached", reason=str(error))
        if self.signals.wait(UNREACHED_S):
            return Led(Ending.STOPPED)
        is_asked = self.signals.take_reload()
        is_new = self.reloading.look(is_asked=is_asked, now=time.monotonic()) or self.reloading.retry()
        return Led(Ending.RELOAD if is_new else Ending.LOST)

    def _has_left_too_many(self) -> bool:
        self._left = [each for each in self._left if each.under_way()]
        if sum(len(each.under_way()) for each in self._left) <= MOST_LEFT:
            return False
        log.critical("daemon_gave_up", reason="too many jobs that were left do not end")
        return True

    def _last(self, led: Led) -> Led:
        """Say how it all ended, what was left earlier included."""
        ending = led.ending if led.ending is Ending.STOPPED else Ending.GAVE_UP
        return Led(ending, next((each for each in self._left if each.under_way()), led.left))


def _unless(stop: threading.Event) -> Callable[[str], None]:
    """Between two steps of a run, break it off where the process was asked to stop."""

    def go_on(_step: str) -> None:
        if stop.is_set():
            raise StoppedError

    return go_on


def code_of(led: Led) -> int:
    """Say with which code the process ends: 1 has whatever runs it start it again."""
    return 1 if led.ending is Ending.GAVE_UP else 0


def _leave_within(seconds: float, code: int) -> None:
    """End the process also where a thread that was left to itself keeps something from closing."""
    timer = threading.Timer(seconds, os._exit, [code])
    timer.daemon = True
    timer.start()


def _leave(code: int) -> NoReturn:
    """End the process, although threads may go on: what they do is safe to lose, as with a crash.

    Everything is closed by now. Python would take everything apart once more, which takes seconds where
    the vendors' libraries are loaded and the machine is busy.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
