"""Copies of all that cohortd must not lose, made while it runs; ``restoring`` puts one back.

A copy is a folder: the database in one file, the key and the heads of the removal log, what was assigned
and decided, and a manifest that names every file with its digest. The epoch beside it is far ahead of the
database's own, so that whoever leads with the copy knows that it was put back (``putting_back``).
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from cohortd.core.errors import LedgerError
from cohortd.core.times import format_time
from cohortd.ledger.ledger import Ledger

MANIFEST: Final = "backup.json"
DATABASE: Final = "cohortd.db"
#: Before the database: a head must never be newer than the log beside it.
_BEFORE: Final = ("removal-log-heads.jsonl", "keys/*.pem", "assignments/*.parquet")
#: Once more after it: the database may name one that came meanwhile.
_AFTER: Final = ("assignments/*.parquet", "decisions/*.parquet")
_NAMED: Final = "cohortd-"
_UNFINISHED: Final = ".unfinished-"
#: What a killed backup left is nobody's after so long.
_LEFT_AFTER_S: Final = 86_400
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a copy holds."""

    #: The code of the ledger that it is a copy of.
    ledger: str
    made_at: str
    #: Which database it was, for people.
    database: str
    #: Whether the database is in it; one in PostgreSQL is copied by ``pg_dump``.
    is_whole: bool
    #: Path in the folder -> SHA-256.
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made."""

    folder: Path
    manifest: Manifest
    size_bytes: int
    #: Older copies that were deleted for it.
    dropped: tuple[str, ...]


def back_up(ledger: Ledger, state_dir: Path, into: Path, *, at: datetime, keep: int | None) -> Backup:
    """Make a copy in a folder of its own below *into*, whole or not at all.

    Args:
        keep: How many copies of this ledger stay there, the new one included; None for all.

    Raises:
        LedgerError: It could not be written; nothing of it is left then.
    """
    try:
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep(into)
        part = Path(mkdtemp(dir=into, prefix=_UNFINISHED))
        try:
            manifest = _fill(ledger, state_dir, part, at=at)
            size = sum(file.stat().st_size for file in part.rglob("*"))
            folder = into / f"{_NAMED}{at:%Y%m%dT%H%M%S%fZ}"
            part.rename(folder)
            _sync(into)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return Backup(folder, manifest, size, tuple(_drop_old(into, ledger.code, keep)))
    except OSError as error:
        raise LedgerError(f"the backup in {into} could not be written: {error.strerror}") from None


def read_manifest(folder: Path) -> Manifest:
    """Read what a copy holds, and compare every file with its digest.

    Raises:
        LedgerError: It is no copy, or not what it was.
    """
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**told)
        there = {str(path.relative_to(folder)) for path in _files(folder)} - {MANIFEST}
        wrong = sorted(
            name
            for name in there | manifest.files.keys()
            if name not in there or digest_of(folder / name) != manifest.files.get(name)
        )
    except OSError as error:
        raise LedgerError(
            f"there is no backup to be read in {folder} ({error.strerror}): name the folder that cohortd"
            " backup told"
        ) from None
    except (ValueError, TypeError, AttributeError):
        raise LedgerError(f"{folder} is no whole backup of cohortd's: {MANIFEST} cannot be used") from None
    if wrong:
        raise LedgerError(f"the backup {folder} is not what it was: {', '.join(wrong[:3])}")
    return manifest


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_durably(source: Path, target: Path) -> None:
    """Copy a file for its owner alone, whole or not at all, and past a power failure."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f"{target.name}.part")
    try:
        with (
            source.open("rb") as read,
            os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file,
        ):
            shutil.copyfileobj(read, file, _BLOCK)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    replace_durably(part, target)


def replace_durably(draft: Path, target: Path) -> None:
    """Let a file take its place, past a power failure."""
    draft.replace(target)
    _sync(target.parent)


def _fill(ledger: Ledger, state_dir: Path, folder: Path, *, at: datetime) -> Manifest:
    _copy_all(state_dir, folder, _BEFORE)
    is_whole = ledger.copy(folder, name=DATABASE)
    _copy_all(state_dir, folder, _AFTER)
    files = {str(path.relative_to(folder)): digest_of(path) for path in _files(folder)}
    manifest = Manifest(ledger.code, format_time(at), ledger.place, is_whole, files)
    draft = folder / MANIFEST
    draft.write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    draft.chmod(0o600)
    _sync(draft)
    return manifest


def _copy_all(state_dir: Path, folder: Path, patterns: tuple[str, ...]) -> None:
    for source in (found for pattern in patterns for found in sorted(state_dir.glob(pattern))):
        target = folder / source.relative_to(state_dir)
        if not target.exists():
            with suppress(FileNotFoundError):  # a sync replaced it just now
                copy_durably(source, target)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(into: Path) -> None:
    for left in into.glob(f"{_UNFINISHED}*"):
        if time.time() - left.stat().st_mtime > _LEFT_AFTER_S:
            shutil.rmtree(left, ignore_errors=True)


def _drop_old(into: Path, code: str, keep: int | None) -> Iterator[str]:
    if keep is None:
        return
    ours = [folder for folder in sorted(into.glob(f"{_NAMED}*")) if _ledger_of(folder) == code]
    for folder in ours[:-keep]:
        shutil.rmtree(folder)
        yield folder.name


def _ledger_of(folder: Path) -> str:
    try:
        return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["ledger"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
