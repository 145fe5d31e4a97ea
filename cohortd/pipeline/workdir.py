"""A folder for what a run stages, which goes with it, also when the process is killed."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cohortd.core.errors import SettingsError
from cohortd.pipeline.wiring import Pipeline

_PREFIX: Final = "run-"


@contextmanager
def workdir(pipeline: Pipeline) -> Iterator[Path]:
    """Make a folder for staged tables; they hold no contact field and go when the run ends.

    What a killed run left goes when the next one begins: it holds its folder's lock as long as it lives.

    Raises:
        SettingsError: There can be no such folder.
    """
    parent = pipeline.data_dir / "work"
    _make(parent)
    with _locked(parent):  # else a folder could be taken for left before its maker holds it
        _sweep(parent)
        made = TemporaryDirectory(dir=parent, prefix=_PREFIX)
        held = os.open(made.name, os.O_RDONLY)
        _take(held)
    try:
        with made as folder:
            yield Path(folder)
    finally:
        os.close(held)


def sweep(pipeline: Pipeline) -> None:
    """Delete what killed runs left; a run under way holds its folder's lock."""
    parent = pipeline.data_dir / "work"
    if parent.is_dir():
        with _locked(parent):
            _sweep(parent)


def _make(parent: Path) -> None:
    try:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"data_dir: cannot make {parent}, where runs stage their tables: {error.strerror}"
        ) from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _take(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def _sweep(parent: Path) -> None:
    for left in parent.glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(left, os.O_RDONLY)
        except FileNotFoundError:  # its run ended just now
            continue
        try:
            if _take(descriptor):
                shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(descriptor)


def _take(descriptor: int, *, wait: bool = False) -> bool:
    """Lock a folder; False where another process has it, or its file system knows no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
