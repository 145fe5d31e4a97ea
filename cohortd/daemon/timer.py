"""The scheduler: APScheduler, held to never lose a turn and never to do two of a kind at once."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from cohortd.core.turns import Turn
from cohortd.daemon.jobs import Job
from cohortd.daemon.running import Runner
from cohortd.pipeline.turns import is_due, last_rows, next_at

#: A clock that is set back by less does no harm; seconds.
SET_BACK_S: Final = 2.0
log = structlog.get_logger()


class Timer(BackgroundScheduler):  # type: ignore[misc]
    """Begins jobs in threads of its own."""

    def __init__(self, runner: Runner, jobs: Sequence[Job], lookouts: Sequence[Job]) -> None:
        """Schedule everything; begin nothing before ``start``."""
        # What it warns of is told by us, once a job.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        super().__init__(
            timezone="UTC",
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            executors={"default": {"type": "threadpool", "max_workers": len(jobs) + len(lookouts)}},
        )
        self._ahead_s: float | None = None
        self.add_listener(_missed(runner), EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        for job in lookouts:
            self.add_job(runner.run, "interval", seconds=job.every_s, args=[job], id=job.name)
        for job, at in first_turns(runner, jobs):
            assert job.turn is not None
            self.add_job(runner.run, _Turns(job.turn), next_run_time=at, args=[job], id=job.name)

    def keep_up(self, ahead_s: float) -> None:
        """Begin jobs in time also where the machine's clock was set back: it said when they come next.

        Args:
            ahead_s: How far the clock is before the one that only goes forward.
        """
        before, self._ahead_s = self._ahead_s, ahead_s
        if before is None or before - ahead_s < SET_BACK_S:
            return
        log.warning("clock_turned_back", by_s=round(before - ahead_s))
        now = datetime.now(UTC)
        for job in self.get_jobs():
            comes = job.trigger.get_next_fire_time(None, now) if isinstance(job.trigger, _Turns) else now
            if comes is not None and comes < job.next_run_time:
                self.modify_job(job.id, next_run_time=comes)

    @property
    def is_alive(self) -> bool:
        """Whether its thread goes on; without it nothing would ever begin again."""
        thread = getattr(self, "_thread", None)
        return thread is not None and thread.is_alive()


def first_turns(runner: Runner, jobs: Sequence[Job]) -> list[tuple[Job, datetime]]:
    """When each job comes first: what is overdue at once, in the jobs' order."""
    now, rows = runner.pipeline.clock(), last_rows(runner.pipeline)
    dues = {job.name for job in jobs if job.turn is not None and is_due(job.turn, rows.get(job.name), now)}
    dues.add("revocations")  # whatever was read before
    if "sync" in dues:
        dues.discard("expiry")  # a sync does all that it would do
    found = []
    for place, job in enumerate(jobs):
        if job.turn is None:
            continue
        later = next_at(job.turn, rows.get(job.name), now)
        if later is not None and later <= now:
            later = job.turn.after(now)
        at = now + timedelta(milliseconds=place) if job.name in dues else later
        if at is not None:
            found.append((job, at))
    return found


class _Turns(BaseTrigger):  # type: ignore[misc]
    """Our timetables, as APScheduler asks for them."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """Find the turn after the last one; what was missed counts as one turn."""
        return self._turn.after(previous or now)


def _missed(runner: Runner) -> Callable[[JobEvent], None]:
    def tell(event: JobEvent) -> None:
        runner.missed(event.job_id)

    return tell
