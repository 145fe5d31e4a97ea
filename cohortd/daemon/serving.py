"""The process: from its start to its exit code."""

import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final, NoReturn

import structlog

from cohortd.bootstrap import open_pipeline, start_logs
from cohortd.core.errors import CohortdError, LedgerUnreachableError, NotLeaderError, StoppedError
from cohortd.daemon.leading import Ending, Leader, Led, Patience
from cohortd.daemon.reloading import Reloading
from cohortd.daemon.signals import Signals
from cohortd.monitoring.opening import observing, open_monitoring
from cohortd.pipeline.wiring import Pipeline
from cohortd.receivers import open_receiver
from config.settings import Settings

#: How often a standby tries to lead; seconds, as below.
STANDBY_S: Final = 1.0
#: How long a daemon waits before it asks again for a ledger that did not answer.
UNREACHED_S: Final = 10.0
#: What closing may take where jobs were left to themselves.
CLOSING_S: Final = 5.0
#: For what has no request time of its own.
_REQUEST_S: Final = 30.0
log = structlog.get_logger()


def serve(config_file: str | None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code.

    The first signal lets the batch in flight end, the second leaves at once: the ledger knows
    what was under way. SIGHUP re-reads the settings.
    """
    signals = Signals(threading.Event())
    signals.listen()
    reloading = Reloading.begin(config_file, now=time.monotonic())
    led = _serve_all(signals, reloading)
    code = code_of(led)
    log.info("daemon_stopped", code=code)
    if not led.is_quiet:
        _leave(code)
    return code


def _serve_all(signals: Signals, reloading: Reloading) -> Led:
    """Serve under one settings after the other; those that prove to be of no use give way to the last."""
    while True:
        start_logs(reloading.settings)
        try:
            led = _serve_under(reloading, signals)
        except CohortdError as error:
            if not reloading.revert(str(error)):
                raise
            continue
        if led.ending is not Ending.RELOAD:
            return led
        reloading.adopt()
        log.info("settings_replaced")


def _serve_under(reloading: Reloading, signals: Signals) -> Led:
    settings = reloading.settings
    with (
        observing(settings, is_daemon=True) as observer,
        open_pipeline(
            settings, stop=signals.stop, progress=_unless(signals.stop), observer=observer
        ) as pipeline,
        open_receiver(settings.receiver, pipeline),
        open_monitoring(settings, pipeline),
    ):
        signals.looked = partial(observer.turned, "main")
        reloading.settle()
        while not signals.wait(0):
            led = _try_to_lead(pipeline, signals, reloading)
            if led is not None and led.ending is not Ending.LOST:
                if not led.is_quiet:
                    _leave_within(CLOSING_S, code_of(led))
                return led
            if reloading.look(is_asked=signals.take_reload(), now=time.monotonic()):
                return Led(Ending.RELOAD)
    return Led(Ending.STOPPED)


def _try_to_lead(pipeline: Pipeline, signals: Signals, reloading: Reloading) -> Led | None:
    """Lead, if nobody else does, until there is a reason not to."""
    try:
        with pipeline.ledger.leadership() as epoch:
            log.info("leadership_taken", epoch=epoch)
            return Leader(pipeline, epoch, signals, reloading, _patience(reloading.settings)).lead()
    except NotLeaderError:
        signals.wait(STANDBY_S)
    except LedgerUnreachableError as error:
        log.warning("ledger_not_reached", reason=str(error))
        signals.wait(UNREACHED_S)
    return None


def _unless(stop: threading.Event) -> Callable[[str], None]:
    """Between two steps of a run, break it off where the process was asked to stop."""

    def go_on(_step: str) -> None:
        if stop.is_set():
            raise StoppedError

    return go_on


def _patience(settings: Settings) -> Patience:
    longest = max((getattr(each, "timeout_s", 0.0) for each in settings.destinations), default=0.0)
    return Patience(longest or _REQUEST_S, settings.schedule.watchdog.give_up)


def code_of(led: Led) -> int:
    """Say with which code the process ends: 1 has whatever runs it start it again."""
    return 1 if led.ending is Ending.GAVE_UP else 0


def _leave_within(seconds: float, code: int) -> None:
    """End the process also where a thread that was left to itself keeps something from closing."""
    timer = threading.Timer(seconds, os._exit, [code])
    timer.daemon = True
    timer.start()


def _leave(code: int) -> NoReturn:
    """End the process although threads go on: what they do is safe to lose, as with a crash."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
