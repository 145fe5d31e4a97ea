"""``run --once``: whatever is due, done by one process that then leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cohortd.core.errors import CohortdError
from cohortd.core.reporting import RunReport
from cohortd.daemon.jobs import Job, jobs_of, lookouts_of
from cohortd.daemon.running import Runner
from cohortd.daemon.work import Work
from cohortd.pipeline.syncing import SyncCall, sync
from cohortd.pipeline.turns import is_due, last_rows
from cohortd.pipeline.wiring import Pipeline

#: What a sync that may refit does on its way.
_BY_SYNC: Final = ("revocations", "polling", "recluster", "sync", "expiry")


#: Looks that tell somebody.
_TOLD_BY: Final = ("due", "alerts")


@dataclass(frozen=True, slots=True)
class Once:
    """What was done."""

    report: RunReport
    jobs: Sequence[str]


def run_once(pipeline: Pipeline, call: SyncCall, *, epoch: int) -> Once:
    """Send revocations, re-cluster if due and sync; then do what else is due, and note it all.

    A rehearsal at another time does the former alone: it says nothing of when jobs really ran.

    Raises:
        CohortdError: The sync failed; everything else that is due was done all the same.
    """
    if call.as_of is not None:
        return Once(sync(pipeline, call, epoch=epoch), ("sync",))
    pipeline.ledger.jobs.interrupt_open(pipeline.clock())
    others = _others_due(pipeline, epoch)
    try:
        report = _noted_sync(pipeline, call, epoch=epoch)
    finally:
        runner = Runner(pipeline)
        for job in (*others, *_looks(pipeline, epoch)):
            runner.run(job)
    return Once(report, (*_by_sync(pipeline), *(job.name for job in others)))


def _looks(pipeline: Pipeline, epoch: int) -> list[Job]:
    """What people are told of how it went, as the daemon would tell them within a minute."""
    return [look for look in lookouts_of(Work(pipeline, epoch)) if look.name in _TOLD_BY]


def _noted_sync(pipeline: Pipeline, call: SyncCall, *, epoch: int) -> RunReport:
    """Sync, and note of each job that a sync does on its way that it was done, once it was."""
    jobs = pipeline.ledger.jobs
    began = pipeline.clock()
    jobs.begin("sync", at=began)
    outcome, detail = "broke", ""
    try:
        report = sync(pipeline, call, epoch=epoch)
        outcome = report.status
    except CohortdError as error:
        outcome, detail = "failed", str(error)
        raise
    finally:
        jobs.end("sync", at=pipeline.clock(), outcome=outcome, detail=detail)
    for name in _by_sync(pipeline):
        jobs.begin(name, at=began)
        jobs.end(name, at=pipeline.clock(), outcome=outcome)
    return report


def _by_sync(pipeline: Pipeline) -> list[str]:
    return [name for name in _BY_SYNC if name in pipeline.turns]


def _others_due(pipeline: Pipeline, epoch: int) -> list[Job]:
    rows, now = last_rows(pipeline), pipeline.clock()
    return [
        job
        for job in jobs_of(Work(pipeline, epoch))
        if job.name not in _BY_SYNC and job.turn is not None and is_due(job.turn, rows.get(job.name), now)
    ]
