"""When each job's turn comes, by its timetable and by what it did last."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.core.turns import Turn
from cohortd.ledger import INTERRUPTED, RUNNING, JobRow
from cohortd.pipeline import reconciled
from cohortd.pipeline.wiring import Pipeline

#: A job that its process did not survive so often in a row waits for its turn instead of being begun
#: at the next start: it may be what ends the process.
MOST_CUT_OFF: Final = 3
#: Outcomes after which a job is begun again at the next start of the daemon.
FAILED: Final = frozenset({"failed", "broke"})
#: Jobs that a person may do as well: the kind of run that each is, and how it may have ended to count.
_BY_HAND: Final = (
    ("sync", "sync", ("done", "partial", "stopped")),
    ("reconciliation", reconciled.KIND, reconciled.WHOLE),
)
#: Under this name the ledger knows how re-reading the settings went.
SETTINGS: Final = "settings"
#: Under this name the ledger knows since when somebody leads.
DAEMON: Final = "daemon"
#: What the daemon looks for besides its jobs, whatever the schedule says; nothing of it is noted.
LOOKOUTS: Final = ("pulse", "watch", "approvals", "due", "alerts", "forget")
#: So many turns may be missed before somebody should look.
MISSED_TURNS: Final = 2
#: A job that began a moment late is not overdue.
_SLACK: Final = timedelta(minutes=2)


def last_rows(pipeline: Pipeline) -> Mapping[str, JobRow]:
    """Return what each job did last; a sync or a new model that a person asked for counts."""
    rows = dict(pipeline.ledger.jobs.all())
    for name, kind, ended in _BY_HAND:
        run = pipeline.ledger.runs.last(kind=kind, status=ended)
        if run is not None and _is_newer(run.started_at, rows.get(name)):
            rows[name] = JobRow(name, run.started_at, run.finished_at, run.status)
    version = pipeline.ledger.models.current()
    if version is not None and _is_newer(version.created_at, rows.get("recluster")):
        rows["recluster"] = JobRow("recluster", version.created_at, version.created_at, "done")
    return rows


def _is_newer(at: datetime, row: JobRow | None) -> bool:
    return row is None or row.started_at < at


def is_due(turn: Turn, row: JobRow | None, now: datetime) -> bool:
    """Tell whether a job is to be done at the start of a daemon; what failed is tried again then.

    A re-clustering that never was is left to its turn: the first sync makes the first model.
    """
    if row is None:
        return turn.job != "recluster"
    if row.outcome in FAILED or (row.outcome in {INTERRUPTED, RUNNING} and row.cut_off < MOST_CUT_OFF):
        return True
    due = next_at(turn, row, now)
    return due is not None and due <= now


def next_at(turn: Turn, row: JobRow | None, now: datetime) -> datetime | None:
    """When it is, or was, a job's turn next; turns that came while it was at it do not count.

    What began in the future began by a wrong clock: it would keep the job from its turns till then.
    """
    if row is None:
        return turn.after(now)
    due, ended = turn.after(min(row.started_at, now)), row.finished_at and min(row.finished_at, now)
    return turn.after(ended) if ended is not None and due is not None and due < ended else due


def job_rows(pipeline: Pipeline) -> list[dict[str, object]]:
    """Every job's timetable, last time and next."""
    rows, now = last_rows(pipeline), pipeline.clock()
    return [_as_json(turn, rows.get(name), now) for name, turn in pipeline.turns.items()]


def _as_json(turn: Turn, row: JobRow | None, now: datetime) -> dict[str, object]:
    due = next_at(turn, row, now)
    return {
        "name": turn.job,
        "schedule": turn.when,
        "last_started_at": None if row is None else str(row.started_at),
        "last_finished_at": None if row is None or row.finished_at is None else str(row.finished_at),
        "last_outcome": None if row is None else row.outcome,
        "next_at": None if due is None else str(due),
    }


def job_lines(pipeline: Pipeline) -> list[AccessCheck]:
    """Say of every job whether it runs as it should; nothing is missed where no daemon ever led."""
    rows, now = last_rows(pipeline), pipeline.clock()
    lines = [
        _line(turn, rows.get(name), now, is_served=DAEMON in rows) for name, turn in pipeline.turns.items()
    ]
    return [*_settings_line(rows.get(SETTINGS)), *lines]


def overdue(pipeline: Pipeline) -> Mapping[str, bool]:
    """Tell of every job whether it has missed its turns, or takes longer than it may."""
    rows, now = last_rows(pipeline), pipeline.clock()
    return {name: _is_late(turn, rows.get(name), now) for name, turn in pipeline.turns.items()}


def _is_late(turn: Turn, row: JobRow | None, now: datetime) -> bool:
    if row is not None and row.outcome == RUNNING:
        return now - row.started_at > turn.at_most
    return row is not None and _is_overdue(turn, next_at(turn, row, now), now)


def _line(turn: Turn, row: JobRow | None, now: datetime, *, is_served: bool) -> AccessCheck:
    due = next_at(turn, row, now)
    if row is None:
        return AccessCheck(f"job {turn.job}", ok=True, detail=f"never ran; next {_text(due)} ({turn.when})")
    if row.outcome == RUNNING:
        return _running(turn, row, now)
    detail = f"{row.outcome} {_text(row.finished_at)}; next {_text(due)} ({turn.when})"
    if row.outcome in FAILED:
        cure = "It is tried again at its next turn, or at once by a restart."
        return AccessCheck(f"job {turn.job}", ok=False, detail=f"{detail}: {row.detail}", cure=cure)
    if is_served and _is_overdue(turn, due, now):
        return AccessCheck(
            f"job {turn.job}", ok=False, detail=f"{detail}: overdue", cure="Is the daemon running?"
        )
    return AccessCheck(f"job {turn.job}", ok=True, detail=detail)


def _running(turn: Turn, row: JobRow, now: datetime) -> AccessCheck:
    detail = f"began {_text(row.started_at)}"
    if now - row.started_at <= turn.at_most:
        return AccessCheck(f"job {turn.job}", ok=True, detail=detail)
    where = f", {row.detail}" if row.detail else ""
    cure = "See what it waits for; restarting the daemon is safe. Is the daemon running?"
    return AccessCheck(
        f"job {turn.job}", ok=False, detail=f"{detail}, has not ended since{where}", cure=cure
    )


def _is_overdue(turn: Turn, due: datetime | None, now: datetime) -> bool:
    for _ in range(MISSED_TURNS):
        due = None if due is None else turn.after(due)
    return due is not None and due + _SLACK < now


def _settings_line(row: JobRow | None) -> list[AccessCheck]:
    if row is None or row.outcome not in FAILED:
        return []
    cure = "Mend them; then SIGHUP, or for a secret's file a minute, or a restart."
    return [AccessCheck("settings", ok=False, detail=f"those in use are older: {row.detail}", cure=cure)]


def _text(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M:%S %Z}".rstrip()
