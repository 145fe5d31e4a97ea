"""Signed heads of the removal log, written out where whoever owns this machine may not change them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import structlog

from cohortd.core.delivery import AccessCheck
from cohortd.core.errors import CohortdError, LedgerError
from cohortd.core.removals import SignedHead
from cohortd.ledger import KeptHead, append_head, read_kept
from cohortd.pipeline.stamping import StampError, stamp
from cohortd.pipeline.wiring import Pipeline

#: As a condition.
KIND: Final = "removal_log_heads"
#: How long a folder may take to tell what it holds, and to take a head; seconds.
_READ_S: Final = 5.0
_WRITE_S: Final = 30.0
Result = TypeVar("Result")

log = structlog.get_logger()


def keep_heads(pipeline: Pipeline) -> int:
    """Add the newest head to the file of every folder whose turn it is; return to how many.

    A folder that cannot be written to, or hangs, is told in the log and by ``status``, and tried again
    at the next look.
    """
    head = pipeline.ledger.removals.head()
    if head is None:
        return 0
    due = [file for file in _files(pipeline) if _is_its_turn(pipeline, file, head)]
    stamped = _stamp(pipeline, head) if due else b""
    kept = 0
    for file in due:
        try:
            append = partial(append_head, file, head, at=pipeline.clock(), stamp=stamped)
            _asked(pipeline, file, append, within_s=_WRITE_S)
            kept += 1
        except CohortdError as error:
            log.warning("removal_log_head_not_kept", why=str(error))
    return kept


def _is_its_turn(pipeline: Pipeline, file: Path, head: SignedHead) -> bool:
    try:
        return _is_due(pipeline, file, head)
    except CohortdError as error:
        log.warning("removal_log_head_not_kept", why=str(error))
        return False


def _stamp(pipeline: Pipeline, head: SignedHead) -> bytes:
    """Have the head stamped, once for all folders; an authority that is down holds up no head."""
    if not pipeline.heads.timestamp_url:
        return b""
    try:
        return stamp(pipeline.heads.timestamp_url, head)
    except StampError as error:
        log.warning("removal_log_head_not_stamped", why=str(error))
        return b""


def heads_lines(pipeline: Pipeline) -> list[AccessCheck]:
    """Say of every folder whether it has the newest head, or had it at its last turn.

    Of the one beside the ledger only where it lacks it: heads elsewhere are for what may happen here.
    """
    head = pipeline.ledger.removals.head()
    if head is None:
        return []
    lacks = pipeline.ledger.removals.unwitnessed()
    cure = "Let us read and write it; the next head is written again."
    here = [AccessCheck("removal log heads", ok=False, detail=lacks, cure=cure, kind=KIND)] if lacks else []
    return [*here, *(_line(pipeline, file, head) for file in _files(pipeline))]


def _line(pipeline: Pipeline, file: Path, head: SignedHead) -> AccessCheck:
    subject = f"removal log heads in {file.parent}"
    try:
        kept = _read(pipeline, file)
    except CohortdError as error:
        return AccessCheck(
            subject, ok=False, detail=str(error), cure="Mount it, or let us read and write it.", kind=KIND
        )
    newest = 0 if kept is None else kept.head.seq
    detail = f"holds the head of entry {newest:,} of {head.seq:,}"
    if newest > head.seq:
        cure = f"An older database may have been put back: cohortd log verify --heads {file}"
        return AccessCheck(subject, ok=False, detail=detail, cure=cure, kind=KIND)
    waited = kept is None or kept.at is None or pipeline.clock() - kept.at > 2 * pipeline.heads.every
    if newest < head.seq and waited:
        return AccessCheck(subject, ok=False, detail=detail, cure="Is the daemon running?", kind=KIND)
    if kept is not None and pipeline.heads.timestamp_url and not kept.stamp:
        cure = "See the daemon's log; the next head that is kept is stamped again."
        return AccessCheck(
            subject, ok=False, detail=f"{detail}, without a time stamp", cure=cure, kind=KIND
        )
    return AccessCheck(subject, ok=True, detail=detail, cure="")


def _files(pipeline: Pipeline) -> list[Path]:
    """The ledger's code keeps two installations apart that write to one folder."""
    name = f"removal-log-heads-{pipeline.ledger.code}.jsonl"
    return [folder / name for folder in pipeline.heads.folders]


def _is_due(pipeline: Pipeline, file: Path, head: SignedHead) -> bool:
    kept = _read(pipeline, file)
    if kept is None:
        return True
    waited = kept.at is None or pipeline.clock() - kept.at >= pipeline.heads.every
    return kept.head != head and waited


def _read(pipeline: Pipeline, file: Path) -> KeptHead | None:
    return _asked(pipeline, file, partial(_kept, file), within_s=_READ_S)


def _asked(pipeline: Pipeline, file: Path, do: Callable[[], Result], *, within_s: float) -> Result:
    """Have a folder asked where a share that hangs holds up neither alerts nor the job."""
    hangs = LedgerError(f"the folder {file.parent} for heads of the removal log does not answer")
    return pipeline.heads.errands.run(str(file), do, within_s=within_s, hangs=hangs)


def _kept(file: Path) -> KeptHead | None:
    if not file.parent.is_dir():  # a share that is not mounted must not be made here instead
        raise LedgerError(f"the folder {file.parent} for heads of the removal log is not there")
    return read_kept(file)
