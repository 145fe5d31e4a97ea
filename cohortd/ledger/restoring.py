"""Puts a copy back that ``backups`` made; nothing that lies there is deleted."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cohortd.core.errors import LedgerError, SettingsError
from cohortd.ledger.backups import DATABASE, Manifest, copy_durably, read_manifest, replace_durably
from cohortd.ledger.database import parse_url
from cohortd.ledger.dialects import open_database
from cohortd.ledger.dialects.filesystem import refuse_network
from cohortd.ledger.dialects.sqlite import path_of
from cohortd.ledger.dialects.sqlite_upkeep import nobodys
from cohortd.ledger.putting_back import EPOCH_FILE, EpochFile

_HEADS: Final = "removal-log-heads.jsonl"
#: SQLite's files beside the database.
_BESIDE: Final = ("-wal", "-shm", "-journal")
#: Said by file systems that know no second names.
_NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    manifest: Manifest
    #: Files that came out of the copy.
    files: tuple[str, ...]
    #: Where files went that lay there and were others.
    aside: tuple[str, ...]


def restore(url: str, state_dir: Path, folder: Path, *, at: datetime) -> Restored:
    """Put a copy back, after looking whether it is whole; what it replaces is moved aside.

    Whoever leads next learns of it: they take everybody off again who had revoked, and nobody is deleted
    from the platforms because the ledger has forgotten them.

    Raises:
        NotLeaderError: A process of cohortd works with the ledger.
        LedgerError: It is no whole copy, could not be written, or nobody can say whether a process leads.
        SettingsError: The settings name another kind of database than the copy holds.
    """
    manifest = read_manifest(folder)
    database = file_of(url)
    if (database is not None) != manifest.is_whole:
        raise SettingsError(
            f"database: the backup is of {manifest.database}; name such a database in the settings"
        )
    try:
        with _held(url, database, state_dir):
            aside = _Aside(f".before-{at:%Y%m%dT%H%M%S%fZ}")
            return Restored(
                manifest, tuple(_put(manifest, database, state_dir, folder, aside)), tuple(aside.names)
            )
    except OSError as error:
        raise LedgerError(f"the backup could not be put back: {error.strerror}") from None


def file_of(url: str) -> Path | None:
    """Return the file that holds the ledger; None where it is in PostgreSQL."""
    parsed = parse_url(url)
    return path_of(parsed) if parsed.get_backend_name() == "sqlite" else None


class _Aside:
    """Keeps files that something else takes the place of, and remembers under which names."""

    def __init__(self, ending: str) -> None:
        self._ending = ending
        self.names: list[str] = []

    def keep(self, path: Path) -> None:
        """Give a file a second name; its own goes on until something takes its place.

        So there is a ledger at any moment: where there is none, the next start makes a new one.
        """
        if path.exists():
            target = path.with_name(path.name + self._ending)
            try:
                target.hardlink_to(path)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                path.rename(target)
            self.names.append(str(target))

    def move(self, path: Path, *, beside: str) -> None:
        """Give a file another name; *beside* stays at its end, so that SQLite finds it."""
        if path.exists():
            target = path.with_name(path.name.removesuffix(beside) + self._ending + beside)
            path.rename(target)
            self.names.append(str(target))


@contextmanager
def _held(url: str, database: Path | None, state_dir: Path) -> Iterator[None]:
    """Lead, so that nobody else does; in PostgreSQL the server is asked, which may hold no ledger yet."""
    if database is None:
        with closing(open_database(url, folder=state_dir)) as server, server.lead():
            yield
        return
    with nobodys(database):
        refuse_network(database.parent)
        yield


def _put(
    manifest: Manifest, database: Path | None, state_dir: Path, folder: Path, aside: _Aside
) -> Iterator[str]:
    """Lay every file beside its place, which needs the room; only then let each take it.

    The epoch before all others, so that no crash leaves a copy unknown.
    """
    places = {name: state_dir / name for name in sorted(manifest.files.keys() - {DATABASE, EPOCH_FILE})}
    places = {name: place for name, place in places.items() if not _is_there(folder / name, place)}
    if database is not None:
        places[DATABASE] = database
    with _drafts(folder, places) as drafts:
        _raise_epoch(manifest, state_dir, folder)
        for name, place in places.items():
            aside.keep(place)
            if name == DATABASE:
                for beside in _BESIDE:
                    aside.move(place.with_name(f"{place.name}{beside}"), beside=beside)
            replace_durably(drafts[name], place)
            yield name


@contextmanager
def _drafts(folder: Path, places: Mapping[str, Path]) -> Iterator[Mapping[str, Path]]:
    """Copy every file to where it only has to be renamed; what is not used of it goes."""
    drafts = {name: place.with_name(f"{place.name}.restoring") for name, place in places.items()}
    try:
        for name, draft in drafts.items():
            copy_durably(folder / name, draft)
        yield drafts
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _raise_epoch(manifest: Manifest, state_dir: Path, folder: Path) -> None:
    newest = EpochFile(folder, ledger=manifest.ledger).read() or 0
    here = EpochFile(state_dir, ledger=manifest.ledger)
    here.write(max(newest, here.read() or 0))


def _is_there(source: Path, target: Path) -> bool:
    """Tell whether a file need not be put back: heads that go on from the copy's are newer evidence."""
    if not target.exists():
        return False
    if source.name == _HEADS:
        return target.read_bytes().startswith(source.read_bytes())
    return target.read_bytes() == source.read_bytes()
