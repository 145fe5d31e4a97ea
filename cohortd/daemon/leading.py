"""What a daemon does while it leads."""

from datetime import datetime
from typing import Final

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from cohortd.core.errors import LedgerUnreachableError
from cohortd.daemon.jobs import Job, jobs_of, lookouts_of, run_guarded
from cohortd.daemon.signals import Signals
from cohortd.daemon.work import Work
from cohortd.pipeline.approving import forget_old
from cohortd.pipeline.wiring import Pipeline
from config.cron import trigger_fields
from config.settings import Schedule

#: How often the leader looks whether it leads still; seconds.
LEADS_S: Final = 5.0
log = structlog.get_logger()


def lead(pipeline: Pipeline, schedule: Schedule, epoch: int, signals: Signals) -> None:
    """Do the jobs by the schedule until asked to stop, or until another leads."""
    scheduler = BackgroundScheduler(
        timezone=schedule.timezone,
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    work = Work(pipeline, epoch)
    lookouts = lookouts_of(work)
    quiet = frozenset(job.name for job in lookouts)
    scheduler.add_listener(
        lambda event: _tell_trouble(event, quiet),
        EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR,
    )
    forget_old(pipeline)
    for job in lookouts:
        scheduler.add_job(run_guarded, "interval", seconds=job.every_s, args=[job], id=job.name)
    for job in jobs_of(work, schedule):
        _add(scheduler, job, schedule, pipeline)
    scheduler.start()
    try:
        while not signals.wait(LEADS_S):
            if not _leads_still(pipeline, epoch):
                log.warning("leadership_lost", epoch=epoch)
                break
    finally:
        scheduler.shutdown(wait=True)


def _add(scheduler: BackgroundScheduler, job: Job, schedule: Schedule, pipeline: Pipeline) -> None:
    """Schedule a job; what is overdue is done once at start: revocations always, a sync too."""
    if job.when is not None:
        scheduler.add_job(run_guarded, _trigger(job.when, schedule), args=[job], id=job.name)
    if job.name == "revocations" or (job.name == "sync" and job.when and _sync_overdue(pipeline, schedule)):
        scheduler.add_job(run_guarded, args=[job], id=f"{job.name}-at-start")


def _trigger(crontab: str, schedule: Schedule) -> CronTrigger:
    return CronTrigger(**trigger_fields(crontab), timezone=schedule.timezone)


def _leads_still(pipeline: Pipeline, epoch: int) -> bool:
    """Tell whether to go on; without the ledger nothing can be sent, and another may lead meanwhile."""
    try:
        return pipeline.ledger.leads(epoch)
    except LedgerUnreachableError as error:
        log.warning("ledger_out_of_reach", reason=str(error))
        return False


def _sync_overdue(pipeline: Pipeline, schedule: Schedule) -> bool:
    """Tell whether the schedule would have run a sync since the last one that finished."""
    last = pipeline.ledger.runs.last(kind="sync", status=("done", "partial", "stopped"))
    if last is None or last.finished_at is None or schedule.sync is None:
        return True
    due: datetime | None = _trigger(schedule.sync, schedule).get_next_fire_time(None, last.finished_at)
    return due is not None and due <= pipeline.clock()


def _tell_trouble(event: JobEvent, quiet: frozenset[str]) -> None:
    if getattr(event, "job_id", "") in quiet:
        return  # it looks again in a second; what it found is being done
    log.warning("job_not_run", job=getattr(event, "job_id", ""), code=event.code)
