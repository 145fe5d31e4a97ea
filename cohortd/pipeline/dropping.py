"""A folder in which files of consent records are laid down: each is taken in once, then moved away."""

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from cohortd.core.errors import SettingsError, SourceError
from cohortd.core.withholding import without_contacts
from cohortd.ledger import ReceivedEvent
from cohortd.pipeline.importing import record_table
from cohortd.pipeline.intake import Intake, lost_withdrawals, take_in
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import TableSource, Tally

#: What still grows is no file yet; seconds since it was last written to.
SETTLED_AFTER_S: Final = 10.0
#: Where files go, below the folder.
DONE, FAILED = "done", "failed"
_SOURCE: Final = "consent_drop"
_ENDINGS: Final = frozenset({".csv", ".parquet", ".json", ".jsonl", ".ndjson"})
log = structlog.get_logger()


def take_all_in(pipeline: Pipeline, *, as_of: datetime) -> Intake:
    """Take in the files that were laid down, then the consent table; see ``intake.take_in``."""
    drop = pipeline.sources.consent_drop
    if drop is not None:
        take_dropped(pipeline, drop)
    return take_in(pipeline, as_of=as_of)


def take_dropped(pipeline: Pipeline, drop: TableSource) -> None:
    """Take in every file that is whole; what is wrong with one holds up no other."""
    folder = Path(drop.path or "")
    if not folder.is_dir():
        log.warning("consent_drop_not_read", reason=f"{folder} is no folder")
        return
    try:
        files = sorted(folder.iterdir())
    except OSError as error:  # the consent table is read all the same
        log.warning("consent_drop_not_read", reason=f"{folder}: {error.strerror}")
        return
    for file in files:
        try:
            if _is_whole(file, pipeline.clock()):
                _take(pipeline, drop, file)
        except OSError as error:
            log.warning("consent_file_not_taken", file=_sayable(file), reason=error.strerror)


def _is_whole(file: Path, now: datetime) -> bool:
    """Whether nobody writes to a file: not hidden, not ``.part``, untouched for a while."""
    if file.name.startswith(".") or file.suffix.lower() not in _ENDINGS or not file.is_file():
        return False
    return now.timestamp() - file.stat().st_mtime >= SETTLED_AFTER_S


def _take(pipeline: Pipeline, drop: TableSource, file: Path) -> None:
    received = pipeline.ledger.received
    size, digest = file.stat().st_size, _digest(file)
    event = ReceivedEvent(_SOURCE, "", digest)
    fault = ""
    if not received.is_known(event):
        fault = _import(pipeline, replace(drop, path=str(file)))
        if _digest(file) != digest:
            log.warning(
                "consent_file_not_taken", file=_sayable(file), reason="it changed while it was read"
            )
            return  # it is read again; what was taken of it stays
        received.note(event, size=size, at=pipeline.clock(), fault=fault)
    _move(file, FAILED if fault else DONE, digest)
    if fault:
        log.warning("consent_file_parked", file=_sayable(file), reason=fault)
    else:
        log.info("consent_file_taken", file=_sayable(file))


def _import(pipeline: Pipeline, source: TableSource) -> str:
    """Take a file in; say what is wrong with it, or nothing."""
    tally = Tally("consent")
    try:
        record_table(pipeline, source, tally)
    except (SettingsError, SourceError) as error:
        return str(error)
    return lost_withdrawals(tally.dropped)


def _move(file: Path, where: str, digest: bytes) -> None:
    """Move a file away, under a name that no other file has."""
    folder = file.parent / where
    folder.mkdir(mode=0o700, exist_ok=True)
    file.replace(folder / f"{digest.hex()[:8]}-{file.name}")


def _sayable(file: Path) -> str:
    """Say a file's name, unless somebody named it by a person."""
    return without_contacts(file.name)


def _digest(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()
