"""Files that are there whole and for good, or not at all."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: How a file ends that is not finished.
PART: Final = ".part"
_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600


class Disk:
    """The few things asked of a file system; raises OSError, as the system does."""

    def make(self, folder: Path) -> None:
        """Make a folder for our user alone; one that is there is no error."""
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)

    def names(self, folder: Path) -> list[str]:
        """List what is in a folder, in order."""
        return sorted(path.name for path in folder.iterdir())

    def read(self, path: Path) -> bytes | None:
        """Read a file; None where there is none."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def publish(self, path: Path, content: bytes) -> None:
        """Put a file there for our user alone; when this returns it survives a power cut.

        Whoever looks sees the former content or the new one, never a part of it.
        """
        part = path.with_name(f".{path.name}{PART}")
        try:
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    def rename(self, path: Path, name: str) -> None:
        """Call a file otherwise, in the same folder."""
        path.rename(path.with_name(name))
        _sync_folder(path.parent)

    def delete(self, path: Path) -> None:
        """Delete a file; one that is gone is no error."""
        path.unlink(missing_ok=True)

    def probe(self, folder: Path) -> None:
        """See whether files could be made in a folder, or the folder itself, without making any."""
        there = next(each for each in (folder, *folder.parents) if each.exists())
        if not there.is_dir():
            raise NotADirectoryError(20, os.strerror(20))
        if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(13, os.strerror(13))

    @contextmanager
    def locked(self, folder: Path) -> Iterator[None]:
        """Keep other threads and processes of ours out of a folder meanwhile."""
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
