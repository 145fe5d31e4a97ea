"""The status files that a data broker uploads to California's DROP."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from cohortd.core.deletions import DeletionStatus
from cohortd.core.errors import SettingsError

#: DROP refuses any other.
HEADER: Final = "Id,Status\n"


class DeletionAnswers:
    """One file for all lists, or in a folder one for each under the name it was downloaded by.

    Nothing is there under its name before all of it is written.
    """

    def __init__(self, out: Path) -> None:
        """Write to *out*: a folder that is there, or a file."""
        self._out = out
        self._opened: dict[Path, IO[str]] = {}

    def __enter__(self) -> Self:
        """Begin; where nothing can be written, say so before anything is done."""
        if not self._out.is_dir():
            self._file("")
        return self

    def write(self, name: str, rows: Sequence[tuple[bytes, DeletionStatus]]) -> None:
        """Add answers to work items of the file of this name."""
        self._file(name).writelines(f"{item.decode('ascii')},{status:d}\n" for item, status in rows)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the files their names, or leave none where something went wrong."""
        for path, file in self._opened.items():
            file.close()
            part = _part(path)
            if kind is None:
                part.replace(path)
            else:
                part.unlink(missing_ok=True)

    def _file(self, name: str) -> IO[str]:
        path = self._out / name if self._out.is_dir() else self._out
        if path not in self._opened:
            try:
                made = os.open(_part(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            except OSError as error:
                raise SettingsError(f"cannot write {path}: {error.strerror}") from None
            self._opened[path] = os.fdopen(made, "w", encoding="ascii", newline="")
            self._opened[path].write(HEADER)
        return self._opened[path]


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")
