"""What nobody needs any more is deleted: old pages, and what killed runs left."""

import shutil
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from cohortd.pipeline.approving import forget_old, touched_at
from cohortd.pipeline.portraits import page_of
from cohortd.pipeline.scrubbing import UNFINISHED
from cohortd.pipeline.wiring import Pipeline
from cohortd.pipeline.workdir import sweep

#: Nobody waits for an approval any longer.
APPROVALS_FOR: Final = timedelta(days=1)
#: No erasure takes so long.
UNFINISHED_FOR: Final = timedelta(days=1)
_SEGMENTS: Final = "segments-"
log = structlog.get_logger()


def keep_house(pipeline: Pipeline) -> int:
    """Delete what is old; return how many pages went."""
    now = pipeline.clock()
    sweep(pipeline)
    _delete_unfinished(pipeline, before=now - UNFINISHED_FOR)
    forget_old(pipeline, before=now - APPROVALS_FOR)
    if pipeline.pages_kept_for is None:
        return 0
    gone = _delete_pages(pipeline, before=now - pipeline.pages_kept_for)
    if gone:
        log.info("pages_deleted", pages=gone)
    return gone


def _delete_unfinished(pipeline: Pipeline, *, before: datetime) -> None:
    """Delete what a process that was killed while it erased somebody left: it names others."""
    for folder in ("decisions", "assignments"):
        for path in (pipeline.data_dir / folder).glob(f"*{UNFINISHED}"):
            with suppress(FileNotFoundError):
                if touched_at(path) < before:
                    path.unlink()


def _delete_pages(pipeline: Pipeline, *, before: datetime) -> int:
    """Delete pages with their pictures; the newest of each kind stays, and that of the model in force."""
    pages = _pages(pipeline.data_dir / "reports")
    version = pipeline.ledger.models.current()
    in_force = page_of(pipeline, version) if version is not None else None
    kept = {*_newest(pages), *([in_force.stem] if in_force is not None else [])}
    old = [
        parts for name, (at, parts) in pages.items() if name not in kept and at is not None and at < before
    ]
    for parts in old:
        _delete(parts)
    return len(old)


def _pages(folder: Path) -> Mapping[str, tuple[datetime | None, Sequence[Path]]]:
    """Name of each page -> when it was last written, and everything that belongs to it."""
    found: defaultdict[str, list[Path]] = defaultdict(list)
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            found[path.name.partition(".")[0]].append(path)
    return {name: (_written_at(parts), parts) for name, parts in found.items()}


def _written_at(parts: Collection[Path]) -> datetime | None:
    """When a page was last written; None where it is going just now."""
    try:
        return max(touched_at(path) for path in parts)
    except FileNotFoundError:
        return None


def _newest(pages: Mapping[str, tuple[datetime | None, Sequence[Path]]]) -> set[str]:
    times = {name: at for name, (at, _) in pages.items() if name and at is not None}
    kinds = [[n for n in times if n.startswith(_SEGMENTS) is of_model] for of_model in (True, False)]
    return {max(names, key=times.__getitem__) for names in kinds if names}


def _delete(parts: Collection[Path]) -> None:
    for path in parts:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
