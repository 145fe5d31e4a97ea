"""A sync: revocations first, then what the plan says, then what the platforms answered."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from shutil import copyfile

import structlog
from structlog.contextvars import bound_contextvars

from cohortd.core.delivery import Lane
from cohortd.core.errors import CohortdError, GuardError, SettingsError, StoppedError
from cohortd.core.observing import RunEnd
from cohortd.core.planning import Target
from cohortd.core.reporting import RunReport
from cohortd.core.times import format_time
from cohortd.engine import Engine
from cohortd.identity import NORMALIZATION_VERSION
from cohortd.ledger import ABANDONED, Comparison
from cohortd.pipeline import resyncing
from cohortd.pipeline.clusters import Clustered
from cohortd.pipeline.delivery import Delivery
from cohortd.pipeline.dropping import take_all_in
from cohortd.pipeline.erasing import finish_erasures
from cohortd.pipeline.outcome import finish_run
from cohortd.pipeline.planning import Plan, planned
from cohortd.pipeline.renaming import rename
from cohortd.pipeline.retiring import close_emptied, leave
from cohortd.pipeline.wiring import Pipeline

log = structlog.get_logger()

_UNSETTLED = "not everything was confirmed in time; the next sync or poll goes on"


@dataclass(frozen=True, slots=True)
class SyncCall:
    """What the caller of a sync asked for."""

    as_of: datetime | None = None
    #: A plan id whose guards a person has looked at and approved.
    approve: str | None = None
    wait_s: float | None = None
    destinations: Collection[str] = ()
    audiences: Collection[str] = ()
    #: Whether everybody is sent anew, and the platforms forget all others.
    replace: bool = False
    #: Whether a model version that is due may be replaced before.
    refit: bool = False
    #: Called when everybody has a segment, before anything is compared or sent; for rehearsals.
    observe: Callable[[Engine, Clustered], None] | None = None


def sync(pipeline: Pipeline, call: SyncCall, *, epoch: int) -> RunReport:
    """Bring the platforms to what the sources and consent say now; guards may stop it.

    Args:
        epoch: The leadership under which this process sends.

    Raises:
        CohortdError: A source could not be read; revocations were sent before.
    """
    _check_names(pipeline, call)
    with pipeline.observer.trace("sync"):
        return _synced(pipeline, call, epoch=epoch)


def _synced(pipeline: Pipeline, call: SyncCall, *, epoch: int) -> RunReport:
    started = pipeline.clock()
    as_of = pipeline.at(call.as_of)
    pipeline.ledger.runs.abandon_open(started)
    run_id = pipeline.ledger.runs.start("sync", as_of=as_of, at=started)
    run = _Run(pipeline, call, run_id, as_of, started, Delivery(pipeline, epoch))
    with bound_contextvars(run_id=run_id):
        return _told(run)


def _told(run: "_Run") -> RunReport:
    log.info("run_started")
    try:
        report = run.go()
    except GuardError as error:
        report = run.stopped_early(error)
    except BaseException as error:
        note = str(error) if isinstance(error, CohortdError) else type(error).__name__
        status = ABANDONED if isinstance(error, StoppedError) else "failed"
        run.observed(status)
        run.pipeline.ledger.runs.finish(
            run.run_id, status=status, summary={"notes": [note]}, at=run.pipeline.clock()
        )
        if status == ABANDONED:
            log.info("run_abandoned")
        else:
            log.warning("run_failed", status=status, error=type(error).__name__)
        raise
    guards = [stop.guard for stop in report.guards]
    run.observed(report.status, guards)
    log.info("run_finished", status=report.status, guards=guards)
    return report


@dataclass(slots=True)
class _Run:
    """One sync under way."""

    pipeline: Pipeline
    call: SyncCall
    run_id: str
    as_of: datetime
    started: datetime
    delivery: Delivery

    def go(self) -> RunReport:
        trace = self.pipeline.observer.trace
        self.delivery.resume()
        with trace("revocations"):
            # What is queued already goes first: not even a consent table that is gone may hold it up.
            self.delivery.drain(lane=Lane.REVOCATION)
            intake = take_all_in(self.pipeline, as_of=self.as_of)
            self.delivery.drain(lane=Lane.REVOCATION)
            self.delivery.poll()
        decisions = self.pipeline.data_dir / "decisions" / f"{self.run_id}.parquet"
        with planned(
            self.pipeline,
            as_of=self.as_of,
            refit=self.call.refit,
            intake=intake,
            decisions=decisions,
            observe=self.call.observe,
            anew=self._is_anew,
            may_replace=lambda target: self._wanted(target) and not self.call.replace,
        ) as (plan, comparison):
            self._check_audiences(plan)
            stopped = bool(plan.stops(self.call.approve))
            if not stopped:
                with trace("queue"):
                    self._queue(plan, comparison)
        if not stopped:
            self.pipeline.progress("sending")
        with trace("send"):
            settled = self._deliver(stopped=stopped)
        if not stopped:
            self.delivery.notes += close_emptied(self.pipeline, plan.segments)
            self.delivery.notes += rename(self.pipeline, plan.segments, self._wanted)
        finish_erasures(self.pipeline)
        report = self._report(plan, stopped=stopped, settled=settled)
        with trace("report"):
            return finish_run(self.pipeline, plan, report, since=self.started)

    def observed(self, status: str, guards: Collection[str] = ()) -> None:
        """Tell whoever watches how it ended."""
        took = (self.pipeline.clock() - self.started).total_seconds()
        self.pipeline.observer.run_ended(RunEnd("sync", status, took, guards))

    def _check_audiences(self, plan: Plan) -> None:
        known = {target.audience for target in plan.deltas}
        unknown = sorted(set(self.call.audiences) - known)
        if unknown:
            raise SettingsError(f"no audience {', '.join(unknown)}; there are {', '.join(sorted(known))}")

    def stopped_early(self, error: GuardError) -> RunReport:
        """Close a run that a guard stopped before there was a plan."""
        notes = [] if self._deliver(stopped=True) else [_UNSETTLED]
        report = RunReport(
            run_id=self.run_id,
            kind="sync",
            status="stopped",
            as_of=format_time(self.as_of),
            started_at=format_time(self.started),
            finished_at=format_time(self.pipeline.clock()),
            guards=list(error.stops),
            notes=[str(error), *self.delivery.said, *notes],
        )
        self.pipeline.ledger.runs.finish(
            self.run_id, status=report.status, summary=report.as_json(), at=self.pipeline.clock()
        )
        return report

    def _queue(self, plan: Plan, comparison: Comparison) -> None:
        """Make durable what was planned: remote audiences, batches, the assignment."""
        targets = [t for t in plan.deltas if self._wanted(t)]
        segments = {segment.id: segment for segment in plan.segments}
        fed = [t for t in targets if t not in plan.held and plan.deltas[t].adds and t.audience in segments]
        missing = [t for t in fed if not self.delivery.ensure(t, segments[t.audience])]
        self.delivery.tell_leftovers()
        if self.call.replace:
            self._begin_resync(plan, {target for target in targets if target not in missing})
        destinations, replaced = self.pipeline.destinations, plan.replaced.difference(missing)
        comparison.enqueue(
            [t for t in targets if t.destination in destinations],
            hold_adds=[*plan.held, *missing],
            rows_per_batch=lambda name: destinations[name].connector.limits.rows_per_batch,
            version=NORMALIZATION_VERSION,
            at=self.pipeline.clock(),
            epoch=self.delivery.epoch,
            replaced={target: resyncing.keeps_since(self.pipeline, target) for target in replaced},
            carried=[target for target in replaced if resyncing.is_carried(self.pipeline, target)],
        )
        resyncing.begin(self.pipeline, replaced, epoch=self.delivery.epoch)
        leave(self.pipeline, [target for target in plan.left if self._wanted(target)])
        for name, clustered in plan.models.items():
            self._keep_assignment(name, clustered)

    def _is_anew(self, target: Target) -> bool:
        return self.call.replace and self._wanted(target) and resyncing.is_sent_anew(self.pipeline, target)

    def _begin_resync(self, plan: Plan, targets: set[Target]) -> None:
        """Only where members may be sent: else nobody would be there in the end."""
        fed = [target for target in targets if target not in plan.held and plan.deltas[target].eligible]
        self.delivery.remarks += resyncing.begin(self.pipeline, fed, epoch=self.delivery.epoch)
        for target in sorted(targets - set(fed), key=lambda t: (t.audience, t.destination)):
            self.delivery.remarks.append(
                f"{target.audience} on {target.destination} is not sent anew: nobody may be sent there now"
            )

    def _keep_assignment(self, model: str, clustered: Clustered) -> None:
        """Remember who is where: hysteresis and the moved share compare with the last applied run.

        And by which model, unless only some audiences follow it yet.
        """
        staged = clustered.assignment.path
        narrowed = self.call.destinations or self.call.audiences
        folder = self.pipeline.data_dir / "assignments"
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{'-'.join(filter(None, (self.run_id, model)))}.parquet"
        part = kept.with_suffix(".part")
        copyfile(staged, part)
        part.replace(kept)
        models = self.pipeline.ledger.models.of(model)
        before = models.assignment()
        models.set_assignment(
            kept.name,
            run_id=self.run_id,
            at=self.pipeline.clock(),
            model_version=None if narrowed else clustered.version.id,
        )
        if before is not None and before != kept.name:
            (folder / before).unlink(missing_ok=True)

    def _deliver(self, *, stopped: bool) -> bool:
        """Send what was queued, and wait for it if asked to; a stopped run sends revocations alone."""
        if stopped and self.call.wait_s is not None:
            return self.delivery.until_settled(timeout_s=self.call.wait_s, lane=Lane.REVOCATION)
        if stopped:
            self.delivery.drain(lane=Lane.REVOCATION)
            return True
        only = set(self.call.destinations) or None
        if self.call.wait_s is not None:
            return self.delivery.until_settled(timeout_s=self.call.wait_s, only=only)
        self.delivery.drain(lane=Lane.REVOCATION)
        self.delivery.drain(only=only)
        self.delivery.poll(only=only)
        self.delivery.drain(only=only)
        return True

    def _wanted(self, target: Target) -> bool:
        return (not self.call.destinations or target.destination in self.call.destinations) and (
            not self.call.audiences or target.audience in self.call.audiences
        )

    def _report(self, plan: Plan, *, stopped: bool, settled: bool) -> RunReport:
        notes = [*plan.notes, *self.delivery.said]
        if not settled:
            notes.append(_UNSETTLED)
        intake = [told for told in (plan.intake.lost, plan.intake.put_back) if told]
        notes += intake
        fell_short = bool(self.delivery.notes or intake) or not settled
        return RunReport(
            run_id=self.run_id,
            kind="sync",
            status="stopped" if stopped else "partial" if fell_short else "done",
            as_of=format_time(self.as_of),
            started_at=format_time(self.started),
            finished_at=format_time(self.pipeline.clock()),
            model_version=plan.clustered.version.id,
            moved_share=plan.clustered.moved_share,
            plan_id=plan.plan_id,
            sources=list(plan.sources),
            quality=list(plan.quality),
            guards=list(plan.stops(self.call.approve)),
            stability=plan.clustered.stability.as_json(),
            lineage=list(plan.fates),
            notes=notes,
        )


def _check_names(pipeline: Pipeline, call: SyncCall) -> None:
    unknown = sorted(set(call.destinations) - set(pipeline.destinations))
    if unknown:
        known = ", ".join(pipeline.destinations)
        raise SettingsError(f"no destination {', '.join(unknown)}; the settings have {known or 'none'}")
