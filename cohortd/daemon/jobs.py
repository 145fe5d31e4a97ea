"""The daemon's jobs, as data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from cohortd.core.errors import CohortdError
from cohortd.daemon.work import Work
from cohortd.logs import place_of
from config.settings import Schedule

#: How often the leader looks for revocations and approvals that came through another process; seconds.
WATCH_S: Final = 1.0
#: How often it looks which removals are due soon or late.
DUE_S: Final = 60.0
#: How often it forgets what was kept long enough.
FORGET_S: Final = 3600.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done again and again."""

    name: str
    do: Callable[[], None]
    #: As the settings have it; None where it is switched off, or only looks now and then.
    when: str | None = None
    #: How often it looks, where it does; seconds.
    every_s: float = WATCH_S


def jobs_of(work: Work, schedule: Schedule) -> Sequence[Job]:
    """List what is done by the schedule."""
    has_export = work.pipeline.sources.consent_export is not None
    return (
        Job("revocations", work.revocations, schedule.revocations),
        Job("recluster", work.recluster, schedule.recluster),
        Job("sync", work.sync, schedule.sync),
        Job("polling", work.polling, schedule.polling),
        Job("reconciliation", work.reconciliation, schedule.reconciliation if has_export else None),
    )


def lookouts_of(work: Work) -> Sequence[Job]:
    """List what looks now and then whether there is anything to do, whatever the schedule says."""
    return (
        Job("watch", work.watch),
        Job("approvals", work.approvals),
        Job("due", work.due, every_s=DUE_S),
        Job("forget", work.forget, every_s=FORGET_S),
    )


def run_guarded(job: Job) -> None:
    """Run one job; whatever fails is told and the daemon goes on: the next run makes up for it."""
    try:
        job.do()
    except CohortdError as error:
        log.warning("job_failed", job=job.name, reason=str(error))
    except Exception as error:  # noqa: BLE001 - the run boundary: a job's fault must not end the daemon
        log.critical("job_broke", job=job.name, error=type(error).__name__, place=place_of(error))
