"""The process: from its start to its exit code."""

import threading
from typing import Final

import structlog

from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.errors import LedgerUnreachableError, NotLeaderError
from cohortd.daemon.leading import lead
from cohortd.daemon.signals import Signals
from cohortd.logs import set_up_logs
from cohortd.receivers import open_receiver

#: How often a standby tries to lead; seconds, as below.
STANDBY_S: Final = 1.0
#: How long a daemon waits before it asks again for a ledger that did not answer.
UNREACHED_S: Final = 10.0
log = structlog.get_logger()


def serve(config_file: str | None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code.

    The first signal lets the batch in flight end, the second leaves at once: the ledger knows
    what was under way.
    """
    settings = load_settings(config_file)
    set_up_logs(settings.log_level)
    signals = Signals(threading.Event())
    signals.listen()
    with (
        open_pipeline(settings, stop=signals.stop) as pipeline,
        open_receiver(settings.receiver, pipeline),
    ):
        while not signals.wait(0):
            try:
                with pipeline.ledger.leadership() as epoch:
                    log.info("leadership_taken", epoch=epoch)
                    lead(pipeline, settings.schedule, epoch, signals)
            except NotLeaderError:
                signals.wait(STANDBY_S)
            except LedgerUnreachableError as error:
                log.warning("ledger_out_of_reach", reason=str(error))
                signals.wait(UNREACHED_S)
    log.info("daemon_stopped")
    return 0
