"""What a run came to: counted from the ledger, read back from the platforms, written for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from cohortd.core.apart import run_here
from cohortd.core.consenting import Reason
from cohortd.core.delivery import RemoteStatus
from cohortd.core.modelling import Segment
from cohortd.core.planning import Target
from cohortd.core.reporting import AudienceReport, RevocationReport, RunReport
from cohortd.ledger import Remote
from cohortd.pipeline.drifting import Drift, drifts_of, sentences
from cohortd.pipeline.planning import Plan
from cohortd.pipeline.portraits import page_of
from cohortd.pipeline.reading_back import Counts, read_back
from cohortd.pipeline.wiring import Pipeline
from cohortd.report import write_run_report


def finish_run(pipeline: Pipeline, plan: Plan, report: RunReport, *, since: datetime) -> RunReport:
    """Complete *report* with audiences and revocations, write it, and close the run in the ledger.

    Rejected members make a run partial: somebody must look at the platform's reason.
    """
    counts = pipeline.ledger.members.counts()
    read_back(pipeline, counts)
    drifts = drifts_of(pipeline)
    audiences = audience_reports(pipeline, plan, since=since, counts=counts, drifts=drifts)
    status = report.status
    if status == "done" and any(audience.rejected for audience in audiences):
        status = "partial"
    whole = replace(
        report,
        status=status,
        audiences=audiences,
        notes=[*report.notes, *sentences(drifts)],
        revocations=revocation_reports(pipeline, since=_last_end(pipeline)),
    )
    page = page_of(pipeline, plan.clustered.version)
    movement = plan.clustered.movement if pipeline.plots else None
    has_plots = movement is not None and movement.moved
    (pipeline.draw if has_plots else run_here)(
        write_run_report,
        pipeline.data_dir / "reports",
        whole,
        plan.segments,
        plan.traits,
        movement=movement,
        segments_page=page.name if page is not None else "",
    )
    rows = {source.table: source.kept + source.later for source in plan.sources}
    summary = {
        **whole.as_json(),
        "rows": rows,
        "figures": [each.as_json() for each in plan.figures],
        # Counted once a sync: whoever watches asks more often than anybody could count.
        "members": [
            {"audience": target.audience, "destination": target.destination, "states": dict(states)}
            for target, states in counts.items()
        ],
    }
    pipeline.ledger.runs.finish(whole.run_id, status=status, summary=summary, at=pipeline.clock())
    return whole


def _last_end(pipeline: Pipeline) -> datetime | None:
    """When the last finished sync ended: a report tells of the revocations since then."""
    last = pipeline.ledger.runs.last(kind="sync", status=("done", "partial", "stopped"))
    return last.finished_at if last is not None else None


def audience_reports(
    pipeline: Pipeline,
    plan: Plan,
    *,
    since: datetime,
    counts: Counts,
    drifts: Mapping[Target, Sequence[Drift]],
) -> list[AudienceReport]:
    """One report a target, in the order of audience and destination."""
    done = pipeline.ledger.outbox.summary(since)
    remotes = {remote.target: remote for remote in pipeline.ledger.remotes.all()}
    segments = {segment.id: segment for segment in plan.segments}
    reports = []
    for target, delta in plan.ordered():
        remote = remotes.get(target)
        states = counts.get(target, {})
        settled = done.get(target, {})
        base = _describe(pipeline, target, segments.get(target.audience), remote)
        reports.append(
            replace(
                base,
                eligible=delta.eligible,
                adds=delta.adds,
                removes=delta.removes,
                refreshes=delta.refreshes,
                added=settled.get("added", 0),
                removed=settled.get("removed", 0),
                pending=settled.get("pending", 0),
                rejected=settled.get("rejected", 0),
                rejected_reasons=dict(pipeline.ledger.members.rejections(target)),
                size=states.get("adding", 0) + states.get("present", 0),
                held=plan.held.get(target),
                drift=[each.sentence for each in drifts.get(target, ())],
                left_out=_left_out(pipeline, plan, target),
            )
        )
    return reports


def revocation_reports(pipeline: Pipeline, *, since: datetime | None) -> list[RevocationReport]:
    """What became of withdrawals a destination; with *since*, of those recorded from then on."""
    revoked: Counter[str] = Counter()
    confirmed: Counter[str] = Counter()
    slowest: dict[str, float] = {}
    for timing in pipeline.ledger.removals.timings(since):
        revoked[timing.destination] += 1
        if timing.confirmed_at:
            confirmed[timing.destination] += 1
            took = (timing.confirmed_at - timing.recorded_at).total_seconds()
            slowest[timing.destination] = max(took, slowest.get(timing.destination, 0.0))
    return [
        RevocationReport(name, revoked[name], confirmed[name], slowest.get(name))
        for name in sorted(revoked)
    ]


def _describe(
    pipeline: Pipeline, target: Target, segment: Segment | None, remote: Remote | None
) -> AudienceReport:
    destination = pipeline.destinations.get(target.destination)
    status = remote.status if remote is not None and remote.status is not None else RemoteStatus()
    return AudienceReport(
        audience=target.audience,
        name=segment.name if segment else _former_name(pipeline, target, remote),
        description=segment.description if segment else "This segment is gone; its members leave.",
        destination=target.destination,
        platform=destination.platform if destination else (remote.platform if remote else ""),
        remote_id=remote.remote_id if remote is not None else None,
        platform_size=platform_size(status),
        platform_state=status.state,
        by_hand=destination.by_hand if destination else False,
    )


def _left_out(pipeline: Pipeline, plan: Plan, target: Target) -> dict[str, int]:
    destination = pipeline.destinations.get(target.destination)
    if destination is None:
        return {}
    reasons = dict(plan.desired.left_out.get((destination.family, target.audience), {}))
    if target in plan.held and plan.deltas[target].adds:
        reasons[Reason.SEGMENT_HELD.value] = plan.deltas[target].adds
    if target in plan.desired.over_limit:
        reasons[Reason.OVER_LIMIT.value] = plan.desired.over_limit[target]
    return reasons


def _former_name(pipeline: Pipeline, target: Target, remote: Remote | None) -> str:
    return remote.name.removeprefix(pipeline.audiences.name_prefix) if remote else target.audience


def platform_size(status: RemoteStatus) -> str:
    """Say how large the platform says an audience is; blank where it does not."""
    if status.size_lower is None and status.size_upper is None:
        return ""
    if status.size_lower == status.size_upper:
        return f"{status.size_lower:,}"
    return f"{status.size_lower or 0:,} to {status.size_upper or 0:,}"
