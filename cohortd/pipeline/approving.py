"""An approval handed to the process that leads: nobody else may send, but people sit elsewhere.

One small file a plan, in a folder of the data directory: ``PLAN.waiting``, ``PLAN.taken`` while its sync
runs, and ``PLAN.ended``, which names the run.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cohortd.core.errors import CohortdError, NotLeaderError, SettingsError, StoppedError
from cohortd.core.reporting import RunReport
from cohortd.pipeline.wiring import Pipeline

_PLAN_ID: Final = re.compile(r"[0-9a-f]{12}")
_LOOK_S: Final = 0.2


def check_plan_id(plan_id: str) -> None:
    """Refuse what cannot be a plan's id.

    Raises:
        SettingsError: It is none.
    """
    if not _PLAN_ID.fullmatch(plan_id):
        raise SettingsError(
            f"{plan_id!r} is no plan: a plan's id is 12 hex digits, as cohortd plan shows it"
        )


def hand_over(pipeline: Pipeline, plan_id: str, *, timeout_s: float) -> RunReport:
    """Let the process that leads apply *plan_id*, and return the report of its run.

    Raises:
        NotLeaderError: Nobody took it in time: a sync is under way, and no daemon leads.
        CohortdError: The run failed.
    """
    waiting = _file(pipeline, plan_id, "waiting")
    ended = _file(pipeline, plan_id, "ended")
    waiting.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    ended.unlink(missing_ok=True)
    waiting.touch(mode=0o600)
    until = time.monotonic() + timeout_s
    try:
        while not ended.exists():
            if time.monotonic() >= until:
                raise NotLeaderError(_not_taken(waiting, plan_id))
            time.sleep(_LOOK_S)
    finally:
        waiting.unlink(missing_ok=True)
    run = pipeline.ledger.runs.get(ended.read_text().strip())
    ended.unlink(missing_ok=True)
    if run is None or "run_id" not in run.summary:
        notes = run.summary.get("notes") if run is not None else None
        raise CohortdError("; ".join(notes) if isinstance(notes, list) else "the run failed; see the logs")
    return RunReport.of_json(run.summary)


def first_waiting(pipeline: Pipeline) -> str | None:
    """Return a plan that somebody approved elsewhere, if there is any."""
    folder = pipeline.data_dir / "approvals"
    names = sorted(file.stem for file in folder.glob("*.waiting"))
    return next((name for name in names if _PLAN_ID.fullmatch(name)), None)


@contextmanager
def taking(pipeline: Pipeline, plan_id: str) -> Iterator[bool]:
    """Take an approval for the length of its sync; yields False where it was withdrawn meanwhile.

    A sync that is broken off before anything of it is queued leaves the approval to the next who leads.
    """
    taken, waiting = _file(pipeline, plan_id, "taken"), _file(pipeline, plan_id, "waiting")
    try:
        waiting.replace(taken)
    except FileNotFoundError:
        yield False
        return
    try:
        yield True
    except StoppedError:
        taken.replace(waiting)
        raise
    except BaseException:
        _tell_end(pipeline, plan_id)
        raise
    _tell_end(pipeline, plan_id)


def forget_old(pipeline: Pipeline, *, before: datetime | None = None) -> None:
    """Drop what a dead process left: whoever approved a plan then is no longer waiting for it.

    Args:
        before: Only what was last touched before a moment; None where no sync can be under way.
    """
    with suppress(FileNotFoundError):
        for file in (pipeline.data_dir / "approvals").iterdir():
            if file.suffix != ".waiting" and (before is None or touched_at(file) < before):
                file.unlink(missing_ok=True)


def touched_at(path: Path) -> datetime:
    """When a file was last written to.

    Raises:
        FileNotFoundError: It is gone.
    """
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _tell_end(pipeline: Pipeline, plan_id: str) -> None:
    run = pipeline.ledger.runs.last(kind="sync")
    draft = _file(pipeline, plan_id, "draft")
    draft.write_text(run.id if run is not None else "")
    draft.replace(_file(pipeline, plan_id, "ended"))
    _file(pipeline, plan_id, "taken").unlink(missing_ok=True)


def _not_taken(waiting: Path, plan_id: str) -> str:
    if waiting.exists():
        return (
            f"plan {plan_id} was not applied: another cohortd process is at work and did not take the"
            " approval in time; try again when its run has ended (cohortd runs)"
        )
    return f"plan {plan_id} is being applied by the daemon and not ended yet; see: cohortd runs"


def _file(pipeline: Pipeline, plan_id: str, state: str) -> Path:
    return pipeline.data_dir / "approvals" / f"{plan_id}.{state}"
