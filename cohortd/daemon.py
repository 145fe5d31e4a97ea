"""The daemon: jobs by the schedule, one leader, a clean end."""

import math
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.delivery import Lane
from cohortd.core.errors import CohortdError, LedgerUnreachableError, NotLeaderError
from cohortd.logs import place_of, set_up_logs
from cohortd.pipeline.approving import first_waiting, forget_old, taking
from cohortd.pipeline.delivery import Delivery
from cohortd.pipeline.dropping import take_all_in
from cohortd.pipeline.erasing import finish_erasures
from cohortd.pipeline.keeping_heads import keep_heads
from cohortd.pipeline.reading_back import is_due, read_back
from cohortd.pipeline.reclustering import recluster
from cohortd.pipeline.syncing import SyncCall, sync
from cohortd.pipeline.wiring import Pipeline
from cohortd.receivers import open_receiver
from config.cron import trigger_fields
from config.settings import Schedule

#: How often the main thread looks whether it was asked to stop; seconds, as below.
LOOK_S = 0.1
#: How often a standby tries to lead.
STANDBY_S = 1.0
#: How often the leader looks whether it leads still.
LEADS_S = 5.0
#: How long a daemon waits before it asks again for a ledger that did not answer.
UNREACHED_S = 10.0
#: How often the leader looks for revocations and approvals that came through another process.
WATCH_S = 1.0
#: How long a platform that does not tell of its audiences is left alone.
READ_S = 3600.0
#: Jobs that look every WATCH_S whether there is anything to do.
_LOOKOUTS = frozenset({"watch", "approvals"})
log = structlog.get_logger()


@dataclass(slots=True)
class Daemon:
    """Jobs under one leadership; at most one of a kind, and syncs never beside re-clusterings."""

    pipeline: Pipeline
    schedule: Schedule
    epoch: int
    _heavy: threading.Lock = field(default_factory=threading.Lock)
    _light: threading.Lock = field(default_factory=threading.Lock)
    #: When platforms were last asked for sizes outside of a sync.
    _asked_at: float = -math.inf

    def jobs(self) -> Mapping[str, tuple[str | None, Callable[[], None]]]:
        """Name -> crontab and work."""
        return {
            "revocations": (self.schedule.revocations, self.revocations),
            "recluster": (self.schedule.recluster, self.recluster),
            "sync": (self.schedule.sync, self.sync),
            "polling": (self.schedule.polling, self.polling),
        }

    def revocations(self) -> None:
        """Read consent and send removals, also beside a sync under way.

        Reading a large table takes a while, in which ``watch`` must be free to send what
        ``cohortd revoke`` recorded: only the sending is locked.
        """
        try:
            take_all_in(self.pipeline, as_of=self.pipeline.clock())
        finally:
            with self._light:
                delivery = Delivery(self.pipeline, self.epoch)
                if any(
                    batch.lane is Lane.REVOCATION for batch in self.pipeline.ledger.outbox.open_batches()
                ):
                    # A pause must not hold a revocation up for longer than until the next look.
                    delivery.resume()
                delivery.drain(lane=Lane.REVOCATION)

    def watch(self) -> None:
        """Send removals that another process queued, such as ``cohortd revoke``."""
        if self._light.acquire(blocking=False):
            try:
                Delivery(self.pipeline, self.epoch).drain(lane=Lane.REVOCATION)
            finally:
                self._light.release()

    def recluster(self) -> None:
        """Make a new model version if one is due."""
        with self._heavy:
            recluster(self.pipeline, as_of=None, force=False)

    def sync(self) -> None:
        """Bring the platforms up to date."""
        with self._heavy:
            sync(self.pipeline, SyncCall(), epoch=self.epoch)

    def approvals(self) -> None:
        """Apply a plan that somebody approved from another process."""
        plan_id = first_waiting(self.pipeline)
        if plan_id is None or not self._heavy.acquire(blocking=False):
            return
        try:
            with taking(self.pipeline, plan_id) as is_wanted:
                if is_wanted:
                    sync(self.pipeline, SyncCall(approve=plan_id), epoch=self.epoch)
        finally:
            self._heavy.release()

    def polling(self) -> None:
        """Ask what became of accepted batches, send what had to wait for them; once a day read sizes."""
        with self._light:
            delivery = Delivery(self.pipeline, self.epoch)
            delivery.poll()
            delivery.drain()
        # Outside the lock: a revocation must not wait for what is only looked at.
        keep_heads(self.pipeline)
        finish_erasures(self.pipeline)
        now = time.monotonic()
        if now - self._asked_at >= READ_S and is_due(self.pipeline):
            self._asked_at = now
            read_back(self.pipeline)


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
                    _lead(Daemon(pipeline, settings.schedule, epoch), signals)
            except NotLeaderError:
                signals.wait(STANDBY_S)
            except LedgerUnreachableError as error:
                log.warning("ledger_out_of_reach", reason=str(error))
                signals.wait(UNREACHED_S)
    log.info("daemon_stopped")
    return 0


def _lead(daemon: Daemon, signals: "Signals") -> None:
    timezone = daemon.schedule.timezone
    scheduler = BackgroundScheduler(
        timezone=timezone, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    )
    scheduler.add_listener(_tell_trouble, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR)
    for name, (crontab, work) in daemon.jobs().items():
        if crontab is not None:
            trigger = CronTrigger(**trigger_fields(crontab), timezone=timezone)
            scheduler.add_job(_guarded, trigger, args=[name, work], id=name)
    forget_old(daemon.pipeline)
    for name, work in (("watch", daemon.watch), ("approvals", daemon.approvals)):
        scheduler.add_job(_guarded, "interval", seconds=WATCH_S, args=[name, work], id=name)
    # Whatever is overdue is done once at start: revocations always, a sync unless one just ended.
    scheduler.add_job(_guarded, args=["revocations", daemon.revocations], id="revocations-at-start")
    if daemon.schedule.sync is not None and _sync_overdue(daemon):
        scheduler.add_job(_guarded, args=["sync", daemon.sync], id="sync-at-start")
    scheduler.start()
    try:
        while not signals.wait(LEADS_S):
            if not _leads_still(daemon):
                log.warning("leadership_lost", epoch=daemon.epoch)
                break
    finally:
        scheduler.shutdown(wait=True)


def _leads_still(daemon: Daemon) -> bool:
    """Tell whether to go on; without the ledger nothing can be sent, and another may lead meanwhile."""
    try:
        return daemon.pipeline.ledger.leads(daemon.epoch)
    except LedgerUnreachableError as error:
        log.warning("ledger_out_of_reach", reason=str(error))
        return False


def _sync_overdue(daemon: Daemon) -> bool:
    """Tell whether the schedule would have run a sync since the last one that finished."""
    last = daemon.pipeline.ledger.runs.last(kind="sync", status=("done", "partial", "stopped"))
    if last is None or last.finished_at is None or daemon.schedule.sync is None:
        return True
    trigger = CronTrigger(**trigger_fields(daemon.schedule.sync), timezone=daemon.schedule.timezone)
    due = trigger.get_next_fire_time(None, last.finished_at)
    return due is not None and due <= daemon.pipeline.clock()


def _guarded(name: str, work: Callable[[], None]) -> None:
    """Run one job; whatever fails is told and the daemon goes on: the next run makes up for it."""
    try:
        work()
    except CohortdError as error:
        log.warning("job_failed", job=name, reason=str(error))
    except Exception as error:  # noqa: BLE001 - the run boundary: a job's fault must not end the daemon
        log.critical("job_broke", job=name, error=type(error).__name__, place=place_of(error))


def _tell_trouble(event: JobEvent) -> None:
    if getattr(event, "job_id", "") in _LOOKOUTS:
        return  # it looks again in a second; what it found is being done
    log.warning("job_not_run", job=getattr(event, "job_id", ""), code=event.code)


@dataclass(slots=True)
class Signals:
    """What the process was asked by signals.

    A handler only counts: it may interrupt anything, so taking a lock in it, as an event does,
    could wait for the very code it interrupted.
    """

    stop: threading.Event
    received: list[int] = field(default_factory=list)

    def listen(self) -> None:
        """Take SIGTERM and SIGINT; a second one leaves at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until asked to stop, or for *seconds*; tell whether asked."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self.received and (until is None or time.monotonic() < until):
            time.sleep(LOOK_S)
        if self.received:
            self.stop.set()
        return bool(self.received)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(number)
        if len(self.received) > 1:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
