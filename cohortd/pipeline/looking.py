"""What is, what was done, is all well: read from the ledger alone, without any platform."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from cohortd.core.delivery import AccessCheck, Lane
from cohortd.core.health import Health
from cohortd.ledger import RemovalTiming, RunRow
from cohortd.pipeline.drifting import drifts_of
from cohortd.pipeline.due import due_lines
from cohortd.pipeline.keeping_heads import heads_lines
from cohortd.pipeline.leftovers import LEFTOVERS_CURE
from cohortd.pipeline.open_erasures import erasure_lines
from cohortd.pipeline.reconciled import reconciliation_line
from cohortd.pipeline.stability import stability_line
from cohortd.pipeline.staleness import stale_lines
from cohortd.pipeline.turns import job_lines, job_rows
from cohortd.pipeline.wiring import Pipeline

#: How a sync ends.
_ENDED: Final = ("done", "partial", "stopped", "failed", "abandoned")
#: After this long without a confirmation, too: Google may take a day, and is then asked once more.
OVERDUE_AFTER = timedelta(hours=36)
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


def status_of(pipeline: Pipeline, *, more: Sequence[AccessCheck] = ()) -> Health:
    """What a person should know, with lines of what the ledger does not know."""
    lines = (*standing_lines(pipeline), *_revocations(pipeline), *more)
    return Health(lines, job_rows(pipeline))


def standing_lines(pipeline: Pipeline) -> list[AccessCheck]:
    """All but the removals: those are counted from the whole removal log, the rest is read in no time."""
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
        "stopped": "Look at cohortd plan, then approve it with cohortd sync --approve.",
        "partial": "See its report for what fell short; the next sync tries again.",
        "failed": "See its notes in cohortd runs --json.",
    }
    cure = cures.get(last.status, "") if last.status != "done" else "Is the daemon running?"
    return AccessCheck(
        "last sync",
        ok=ok,
        detail=f"{last.status}, {_text(last.finished_at)}",
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
            detail=f"model version {waiting.version.id} waits since {_text(waiting.version.created_at)}:"
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
                    detail=f"paused since {_text(since)}: {reason}",
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
            f"audience {r.target.audience} on {r.target.destination}", ok=False, detail=r.note or "paused"
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


def _revocations(pipeline: Pipeline) -> list[AccessCheck]:
    timings = pipeline.ledger.removals.timings()
    waiting = [timing for timing in timings if timing.confirmed_at is None]
    detail = f"{len(timings):,} removals asked for, {len(waiting):,} not yet confirmed"
    bad = [
        *_nowhere(pipeline, waiting),
        *due_lines(pipeline, waiting),
        *_overdue(pipeline, waiting),
        *_refused(pipeline),
    ]
    return [AccessCheck("revocations", ok=not bad, detail=detail), *_forced(pipeline), *bad]


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


def _nowhere(pipeline: Pipeline, waiting: Sequence[RemovalTiming]) -> list[AccessCheck]:
    """Removals from destinations that are no longer set: nothing sends them."""
    counts = Counter(each.destination for each in waiting if each.destination not in pipeline.destinations)
    return [
        AccessCheck(
            f"revocations on {name}",
            ok=False,
            detail=f"{count:,} removals are open, and this destination is no longer in the settings",
            cure=f"Put {name} back until they are confirmed.",
        )
        for name, count in sorted(counts.items())
    ]


def _overdue(pipeline: Pipeline, waiting: Sequence[RemovalTiming]) -> list[AccessCheck]:
    now = pipeline.clock()
    late = [each for each in waiting if each.destination in pipeline.destinations]
    counts = Counter(each.destination for each in late if now - each.recorded_at > OVERDUE_AFTER)
    return [
        AccessCheck(
            f"revocations on {name}",
            ok=False,
            detail=f"{count:,} removals are not confirmed {OVERDUE_AFTER.total_seconds() / 3600:.0f} hours"
            " after they were recorded",
            cure="See what cohortd log show says of them, and whether the destination is paused.",
        )
        for name, count in sorted(counts.items())
    ]


def _refused(pipeline: Pipeline) -> list[AccessCheck]:
    refused = [
        batch
        for batch in pipeline.ledger.outbox.open_batches()
        if batch.lane is Lane.REVOCATION and batch.refusals and not batch.repeats
    ]
    counts: Counter[tuple[str, str]] = Counter()
    for batch in refused:
        counts[batch.target.destination, batch.target.audience] += batch.rows
    return [
        AccessCheck(
            f"revocations on {destination}",
            ok=False,
            detail=f"the platform refused {count:,} removals from {audience}; they are tried again",
            cure="cohortd log show has the platform's reason; the audience may have to go as a whole.",
        )
        for (destination, audience), count in sorted(counts.items())
    ]


def _text(at: object) -> str | None:
    return None if at is None else str(at)
