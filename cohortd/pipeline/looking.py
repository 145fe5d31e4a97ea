"""What is, what was done, is all well: read from the ledger alone, without any platform."""

from datetime import datetime, timedelta
from typing import Final

from cohortd.core.conditions import Condition, conditions_of
from cohortd.core.delivery import AccessCheck
from cohortd.core.health import Health
from cohortd.core.times import minute_of
from cohortd.ledger import RunRow
from cohortd.pipeline.channels import channel_lines
from cohortd.pipeline.drifting import drifts_of
from cohortd.pipeline.keeping_heads import heads_lines
from cohortd.pipeline.leftovers import LEFTOVERS_CURE
from cohortd.pipeline.open_erasures import erasure_lines
from cohortd.pipeline.open_removals import removal_lines
from cohortd.pipeline.reconciled import reconciliation_line
from cohortd.pipeline.stability import stability_line
from cohortd.pipeline.staleness import stale_lines
from cohortd.pipeline.turns import job_lines, job_rows
from cohortd.pipeline.wiring import Pipeline

#: How a sync ends.
_ENDED: Final = ("done", "partial", "stopped", "failed", "abandoned")
#: For so long it is told that members were replaced, or an audience deleted, for a revocation's sake.
TOLD_FOR = timedelta(days=7)


def run_rows(pipeline: Pipeline, limit: int) -> list[dict[str, object]]:
    """The newest runs, newest first."""
    rows: list[dict[str, object]] = []
    for run in pipeline.ledger.runs.list(limit):
        report = pipeline.data_dir / "reports" / f"{run.id}.html"
        rows.append(
            {
                "run_id": run.id,
                "kind": run.kind,
                "status": run.status,
                "as_of": _text(run.as_of),
                "started_at": _text(run.started_at),
                "finished_at": _text(run.finished_at),
                "report": str(report) if report.exists() else None,
                "notes": run.summary.get("notes", []),
            }
        )
    return rows


def ledger_line(pipeline: Pipeline) -> AccessCheck:
    """Say which database holds the ledger; that it was opened is the check."""
    return AccessCheck("ledger", ok=True, detail=f"{pipeline.ledger.place}: opened, migrated and writable")


def status_of(pipeline: Pipeline) -> Health:
    """What a person should know: what needs one, and what the removal log comes to."""
    return Health((*standing_lines(pipeline), *_removals(pipeline)), job_rows(pipeline))


def current_conditions(pipeline: Pipeline) -> tuple[Condition, ...]:
    """Everything that needs a person now: what alerts and metrics tell, and what is BAD in ``status``."""
    return conditions_of(standing_lines(pipeline))


def standing_lines(pipeline: Pipeline) -> list[AccessCheck]:
    """Everything that may need a person, by what is read quickly: it is asked for every minute.

    Nothing here may hang: while it does, nobody is told of anything.
    """
    last = pipeline.ledger.runs.last(kind="sync", status=_ENDED)
    return [
        ledger_line(pipeline),
        _last_sync(pipeline, last),
        *stale_lines(pipeline, last),
        *stability_line(pipeline),
        *_held_back(pipeline),
        *_destinations(pipeline),
        *_terms(pipeline),
        *_drifts(pipeline),
        *_resyncs(pipeline),
        *_parked(pipeline),
        *erasure_lines(pipeline),
        *reconciliation_line(pipeline),
        *heads_lines(pipeline),
        *job_lines(pipeline),
        *removal_lines(pipeline),
        *channel_lines(pipeline),
        *pipeline.alerts.more(),
    ]


def _last_sync(pipeline: Pipeline, last: RunRow | None) -> AccessCheck:
    if last is None:
        return AccessCheck("last sync", ok=True, detail="none yet", cure="")
    old = (
        last.finished_at is not None
        and pipeline.clock() - last.finished_at > pipeline.alerts.sync_silent_for
    )
    ok = last.status == "done" and not old
    cures = {
        "done": "Is the daemon running?",
        "stopped": "Look at cohortd plan, then approve it with cohortd sync --approve.",
        "partial": f"cohortd runs --run {last.id} says what fell short; the next sync tries again.",
        "failed": f"cohortd runs --run {last.id} says why; the next sync tries again.",
        "abandoned": "Its process ended in the middle; the daemon, or cohortd sync, goes on from there.",
    }
    cure = cures.get(last.status, "")
    return AccessCheck(
        "last sync",
        ok=ok,
        detail=f"{last.status}, {_minute(last.finished_at)}",
        cure="" if ok else cure,
        kind=f"sync_{last.status}" if last.status != "done" else "sync_silent",
    )


def _held_back(pipeline: Pipeline) -> list[AccessCheck]:
    """A model version that the churn budget keeps from coming into force."""
    waiting = pipeline.ledger.models.waiting()
    if waiting is None:
        return []
    return [
        AccessCheck(
            "re-clustering",
            ok=False,
            detail=f"model version {waiting.version.id} waits since {_minute(waiting.version.created_at)}:"
            f" {waiting.held_back}",
            cure="cohortd recluster --history shows it; --accept puts it in force if the move is wanted.",
        )
    ]


def _parked(pipeline: Pipeline) -> list[AccessCheck]:
    """Consent events and files that could not be read and that nobody has looked at."""
    count = pipeline.ledger.received.count_parked()
    if not count:
        return []
    return [
        AccessCheck(
            "consent events",
            ok=False,
            detail=f"{count:,} could not be read; whoever they name is kept out meanwhile",
            cure="cohortd consent parked lists them; mend the mapping or the file, then say --seen.",
            kind="consent_unread",
        )
    ]


def _destinations(pipeline: Pipeline) -> list[AccessCheck]:
    paused = pipeline.ledger.remotes.paused_destinations()
    lines = []
    for name, destination in pipeline.destinations.items():
        if name in paused:
            reason, cure, since = paused[name]
            lines.append(
                AccessCheck(
                    f"destination {name}",
                    ok=False,
                    detail=f"paused since {_minute(since)}: {reason}",
                    cure=cure,
                )
            )
        else:
            what = "; confirmed means written for upload by hand" if destination.by_hand else ""
            lines.append(AccessCheck(f"destination {name}", ok=True, detail=f"not paused{what}"))
    lines += [
        AccessCheck(f"destination {name}: leftovers", ok=False, detail=told, cure=LEFTOVERS_CURE)
        for name, told in pipeline.ledger.remotes.leftovers().items()
        if name in pipeline.destinations
    ]
    lines += [
        AccessCheck(
            f"audience {r.target.audience} on {r.target.destination}",
            ok=False,
            detail=r.note or "paused",
            cure="docs/audiences.md says what to do; cohortd audiences --renew makes a deleted one anew",
        )
        for r in pipeline.ledger.remotes.all()
        if r.state == "paused"
    ]
    return lines


def _terms(pipeline: Pipeline) -> list[AccessCheck]:
    """Destinations whose platform said, when it was read last, that its terms are not accepted."""
    open_at = {
        remote.target.destination
        for remote in pipeline.ledger.remotes.all()
        if remote.state != "retired" and remote.status is not None and remote.status.terms is False
    }
    return [
        AccessCheck(
            f"destination {name}: terms",
            ok=False,
            detail="the platform says that its terms for audiences are not accepted",
            cure="cohortd check says where to accept them.",
        )
        for name in sorted(open_at & set(pipeline.destinations))
    ]


def _drifts(pipeline: Pipeline) -> list[AccessCheck]:
    """What somebody must look at."""
    return [
        AccessCheck(
            f"audience {target.audience} on {target.destination}",
            ok=False,
            detail=drift.sentence,
            cure=drift.cure,
        )
        for target, found in drifts_of(pipeline).items()
        for drift in found
        if drift.needs_person
    ]


def _resyncs(pipeline: Pipeline) -> list[AccessCheck]:
    opened = len(pipeline.ledger.resyncs.open())
    detail = f"{opened:,} audiences are sent anew; whoever is not sent is taken off once all is confirmed"
    return [AccessCheck("replacing", ok=True, detail=detail)] if opened else []


def _removals(pipeline: Pipeline) -> list[AccessCheck]:
    """How many are open; what of them needs a person is said by lines of its own."""
    waiting = sum(each.count for each in pipeline.ledger.overview.open_removals())
    detail = f"{waiting:,} removals are not confirmed yet" if waiting else "none waits to be confirmed"
    return [AccessCheck("revocations", ok=True, detail=detail), *_forced(pipeline)]


def _forced(pipeline: Pipeline) -> list[AccessCheck]:
    """Removals that a platform did not make by name, and what was done instead."""
    done = pipeline.ledger.outbox.forced(pipeline.clock() - TOLD_FOR)
    return [
        AccessCheck(
            f"revocations on {target.destination}",
            ok=True,
            detail=f"carried out {how}, lately ({target.audience}): the platform takes nobody out of an"
            " audience this small",
        )
        for target, how in sorted(done.items(), key=lambda item: (item[0].destination, item[0].audience))
    ]


def _minute(at: datetime | None) -> str:
    return "at an unknown time" if at is None else minute_of(at)


def _text(at: object) -> str | None:
    return None if at is None else str(at)
