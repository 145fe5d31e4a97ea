"""``doctor``: what a ledger lies on, looked at before it is opened: file systems, room, permissions."""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.core.errors import SettingsError
from cohortd.core.owning import refuse_root, shut_to_us
from cohortd.ledger import is_network, kind_of_file_system

#: Room for a run besides what grows with the ledger: staged tables, the write-ahead log, a report.
LEAST_FREE: Final = 1 << 30
#: Of the ledger's size: what a comparison lays beside it (50 of some 140 bytes an identifier), and growth.
SHARE_FREE: Final = 0.5
#: File systems that go with the container or the machine's start.
_PASSING: Final = frozenset({"overlay", "tmpfs", "ramfs", "aufs"})
#: Written by whoever leads, and by nobody before.
_EPOCH: Final = "leader-epoch.json"
#: What of ``data_dir`` is looked at: all that is not made anew.
_KEPT: Final = (
    "keys/*",
    "cohortd.db*",
    "removal-log-heads.jsonl",
    _EPOCH,
    "assignments",
    "decisions",
)
_GIGABYTE: Final = 1e9


def surroundings(data_dir: Path, database: Path | None) -> list[AccessCheck]:
    """Look at the folders of the state; *database* is None where the ledger is in PostgreSQL."""
    missing = _missing(data_dir)
    if missing:
        return missing
    owner = _owner(data_dir)
    if not owner.ok:
        return [owner]
    lines = [owner, *([_lost(database)] if _is_lost(data_dir, database) else [])]
    folders = [data_dir, *([database.parent] if database is not None else [])]
    for folder in dict.fromkeys(folder.resolve() for folder in folders if folder.is_dir()):
        local = database is not None and folder == database.parent.resolve()
        lines += [_kind(folder, needs_local=local), _room(folder, database if local else None)]
    return [*lines, _strangers(data_dir)]


def _missing(data_dir: Path) -> list[AccessCheck]:
    """Say that there is no such folder, or that what it is in is shut to us."""
    detail, cure = (
        f"{data_dir} is not there",
        "It is made at the first run; is data_dir right, and mounted?",
    )
    try:
        if data_dir.is_dir():
            return []
        if data_dir.exists():
            detail = f"{data_dir} is a file, no folder"
            cure = "Is data_dir right? Otherwise move the file away."
    except OSError as error:
        detail = f"{data_dir} cannot be looked at: {error.strerror}"
        cure = "Let cohortd's user into the folders above it."
    return [AccessCheck("data_dir", ok=False, detail=detail, cure=cure)]


def is_openable(lines: Sequence[AccessCheck]) -> bool:
    """Tell whether to open the ledger would not make one where it, or its volume, is missing."""
    return all(line.ok for line in lines if line.subject in {"data_dir", "ledger"})


def _is_lost(data_dir: Path, database: Path | None) -> bool:
    is_there = database is None or (database.is_file() and database.stat().st_size > 0)
    return not is_there and (data_dir / _EPOCH).exists()


def _lost(database: Path | None) -> AccessCheck:
    detail = f"{database} is gone or empty, but a ledger was led from here"
    cure = (
        "Put the newest backup back before anything else: the next run makes a new one, which knows nobody."
    )
    return AccessCheck("ledger", ok=False, detail=detail, cure=cure)


def _owner(folder: Path) -> AccessCheck:
    """Whether we can write there, tried by making a file, and use what lies there."""
    probe = folder / f".doctor-{os.getpid()}"
    owner, we = folder.stat().st_uid, os.geteuid()
    try:
        refuse_root(folder)
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        probe.unlink()
    except OSError as error:
        cure = f"Give the folder to user {we}: chown -R {we} {folder}"
        detail = f"{folder} belongs to user {owner} and we, user {we}, cannot write to it: {error.strerror}"
        return AccessCheck("data_dir", ok=False, detail=detail, cure=cure)
    except SettingsError as error:
        detail = str(error).removeprefix("data_dir: ")
        return AccessCheck("data_dir", ok=False, detail=detail, cure="Call it as that user.")
    if shut := shut_to_us(path for pattern in _KEPT for path in sorted(folder.glob(pattern))):
        names = ", ".join(str(path.relative_to(folder)) for path in shut[:3])
        detail = f"we, user {we}, cannot read and write {names}: did another user call cohortd?"
        return AccessCheck("data_dir", ok=False, detail=detail, cure=f"chown -R {owner} {folder}")
    return AccessCheck("data_dir", ok=True, detail=f"{folder}, of user {owner}, is written to by user {we}")


def _kind(folder: Path, *, needs_local: bool, mounts: Path = Path("/proc/self/mountinfo")) -> AccessCheck:
    kind = kind_of_file_system(folder, mounts)
    subject = f"file system of {folder}"
    if needs_local and is_network(kind):
        cure = "Put the ledger on a local disk or a block volume, or into PostgreSQL."
        detail = f"{kind}, over the network: SQLite's log and locks do not hold there"
        return AccessCheck(subject, ok=False, detail=detail, cure=cure)
    if kind in _PASSING:
        cure = "Mount a volume there."
        return AccessCheck(
            subject, ok=False, detail=f"{kind}: all of it goes with the container or a restart", cure=cure
        )
    return AccessCheck(subject, ok=True, detail=kind or "nothing tells its kind")


def _room(folder: Path, database: Path | None) -> AccessCheck:
    size = database.stat().st_size if database is not None and database.exists() else 0
    free, needed = shutil.disk_usage(folder).free, LEAST_FREE + int(size * SHARE_FREE)
    detail = f"{free / _GIGABYTE:,.1f} GB free, {needed / _GIGABYTE:,.1f} GB wanted"
    cure = "" if free >= needed else "Make room, or enlarge the volume: a run that finds none stops."
    return AccessCheck(f"room in {folder}", ok=free >= needed, detail=detail, cure=cure)


def _strangers(data_dir: Path) -> AccessCheck:
    """Whether everybody on this machine may read the state; a volume's group is its owner's business."""
    open_to_all = [path for path in _kept(data_dir) if path.stat().st_mode & stat.S_IRWXO]
    if not open_to_all:
        return AccessCheck("permissions", ok=True, detail="nothing of the state is open to everybody")
    names = ", ".join(str(path.relative_to(data_dir.parent)) for path in open_to_all[:3])
    cure = f"chmod -R o-rwx {data_dir}"
    detail = f"everybody on this machine has access to {names}"
    return AccessCheck("permissions", ok=False, detail=detail, cure=cure)


def _kept(data_dir: Path) -> Iterator[Path]:
    """What is looked at: nothing where nobody gets through the folder itself."""
    if not data_dir.stat().st_mode & stat.S_IRWXO:
        return
    for pattern in _KEPT:
        yield from sorted(data_dir.glob(pattern))
