"""The process: from its start to its exit code."""

import os
import sys
import threading
from collections.abc import Callable
from typing import Final, NoReturn

import structlog

from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.errors import LedgerUnreachableError, NotLeaderError, StoppedError
from cohortd.daemon.leading import Ending, Led, Patience, lead
from cohortd.daemon.signals import Signals
from cohortd.logs import set_up_logs
from cohortd.pipeline.wiring import Pipeline
from cohortd.receivers import open_receiver
from config.settings import Settings

#: How often a standby tries to lead; seconds, as below.
STANDBY_S: Final = 1.0
#: How long a daemon waits before it asks again for a ledger that did not answer.
UNREACHED_S: Final = 10.0
#: For what has no request time of its own.
_REQUEST_S: Final = 30.0
log = structlog.get_logger()


def serve(config_file: str | None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code.

    The first signal lets the batch in flight end, the second leaves at once: the ledger knows
    what was under way.
    """
    signals = Signals(threading.Event())
    signals.listen()
    settings = load_settings(config_file)
    set_up_logs(settings.log_level)
    led = _serve_under(settings, signals)
    code = 1 if led is not None and led.ending is Ending.GAVE_UP else 0
    log.info("daemon_stopped", code=code)
    if led is not None and not led.is_quiet:
        _leave(code)
    return code


def _serve_under(settings: Settings, signals: Signals) -> Led | None:
    with (
        open_pipeline(settings, stop=signals.stop, progress=_unless(signals.stop)) as pipeline,
        open_receiver(settings.receiver, pipeline),
    ):
        while not signals.wait(0):
            led = _try_to_lead(pipeline, signals, _patience(settings))
            if led is not None and led.ending is not Ending.LOST:
                return led
    return None


def _try_to_lead(pipeline: Pipeline, signals: Signals, patience: Patience) -> Led | None:
    """Lead, if nobody else does, until there is a reason not to."""
    try:
        with pipeline.ledger.leadership() as epoch:
            log.info("leadership_taken", epoch=epoch)
            return lead(pipeline, epoch, signals, patience)
    except NotLeaderError:
        signals.wait(STANDBY_S)
    except LedgerUnreachableError as error:
        log.warning("ledger_out_of_reach", reason=str(error))
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


def _leave(code: int) -> NoReturn:
    """End the process although threads go on: what they do is safe to lose, as with a crash."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
