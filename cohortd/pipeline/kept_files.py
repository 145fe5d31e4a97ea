"""Parquet files that runs keep for later ones, held fast and looked at before anybody reads them."""

import os
from contextlib import suppress
from pathlib import Path
from shutil import copyfile
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from cohortd.core.errors import SourceError
from cohortd.engine import StagedTable
from cohortd.pipeline.scrubbing import is_damage
from cohortd.pipeline.wiring import Pipeline

#: Syncs that end while one looks are rare; three in a row are none.
_TRIES: Final = 3
_WITHOUT: Final = (
    "once, nobody has a segment to stay in, and guards.moved_share has nothing to compare with"
)


def previous_assignment(pipeline: Pipeline, features: StagedTable) -> Path | None:
    """Find the last applied assignment; a lost file only means that nobody has a previous segment.

    It is linked to beside *features*, for as long as the run lasts: a sync of another process deletes
    it when it has a newer one.

    Raises:
        SourceError: It is damaged; without it the guard against moving people would have nothing to say.
    """
    for _ in range(_TRIES):
        name = pipeline.ledger.models.assignment()
        if name is None:
            return None
        kept = pipeline.data_dir / "assignments" / name
        with suppress(FileNotFoundError):
            return whole(
                _linked(kept, features.path.parent / f"before-{name}"), named=kept, without=_WITHOUT
            )
    return None


def whole(file: Path, *, without: str, named: Path | None = None) -> Path:
    """Return *file* if it can be read at all; only its end is looked at.

    Args:
        file: What is read.
        without: What it costs to delete it, for people.
        named: Its name for people, where it is another.

    Raises:
        SourceError: It is damaged, or not for us to read.
    """
    try:
        pq.read_metadata(file)
    except (OSError, pa.ArrowInvalid) as error:
        if is_damage(error):
            raise SourceError(f"{named or file} is damaged; delete it: {without}") from None
        raise SourceError(f"{named or file} cannot be read: {error.strerror}") from None
    return file


def _linked(file: Path, link: Path) -> Path:
    """Give *file* a second name; a copy where the file system has no links."""
    if link.is_file():  # of this very run: a file under one name never changes but by an erasure
        return link
    try:
        os.link(file, link)
    except FileNotFoundError:
        raise
    except OSError:
        copyfile(file, link)
    return link
