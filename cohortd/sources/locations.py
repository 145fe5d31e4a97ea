"""Finds the files behind a path: one, a glob or a directory, here or in an object store."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from cohortd.core.errors import SettingsError, SourceError
from cohortd.sources.table import TableSource

_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a table."""

    table: str
    filesystem: fs.FileSystem
    path: str
    format: str

    @property
    def name(self) -> str:
        """Its last part, for reports."""
        return PurePosixPath(self.path).name

    def open(self) -> pa.NativeFile:
        """Open it as a stream, uncompressed by what its ending says."""
        return self.filesystem.open_input_stream(self.path, compression="detect")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Say which file failed instead of what was in it."""
        try:
            yield
        except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
            # Arrow quotes cells in its messages, object stores quote URLs.
            raise SourceError(f"{self.table}: {self.name} {_trouble(error, self.format)}") from None


def files_of(source: TableSource) -> list[SourceFile]:
    """List a table's files, ordered by path.

    Raises:
        SettingsError: There is none, or its format cannot be told.
    """
    if not source.path:
        raise SettingsError(f"sources.{source.name}: give a path, or a url and a query")
    try:
        filesystem, path = _located(source.path)
        found = _listed(filesystem, path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(
            f"{source.name}: {shown(source.path)} could not be reached ({type(error).__name__});"
            " check the path, its credentials and the network"
        ) from None
    explicit = found == [path]
    files = [file for each in found if (file := _file(source, filesystem, each, explicit=explicit))]
    if not files:
        is_folder = filesystem.get_file_info(path).type == fs.FileType.Directory
        nothing = "no CSV, Parquet or JSON file in the folder" if is_folder else "no file at"
        raise SettingsError(f"sources.{source.name}: there is {nothing} {shown(source.path)}")
    return files


def shown(path: str) -> str:
    """Write a path for people, without what a URI may hold of credentials."""
    if "://" not in path:
        return path
    parts = urlsplit(path)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _located(path: str) -> tuple[fs.FileSystem, str]:
    if "://" not in path:
        return fs.LocalFileSystem(), path
    # A glob is no URI: split it off before, and put it back after.
    found = _GLOB.search(path)
    base = path if found is None else path[: path.rindex("/", 0, found.start())]
    filesystem, root = fs.FileSystem.from_uri(base)
    return filesystem, root + path[len(base) :]


def _listed(filesystem: fs.FileSystem, path: str) -> list[str]:
    found = _GLOB.search(path)
    if found is None:
        info = filesystem.get_file_info(path)
        if info.type == fs.FileType.File:
            return [path]
        return _below(filesystem, path, recursive=True) if info.type == fs.FileType.Directory else []
    if filesystem.get_file_info(path).type == fs.FileType.File:
        return [path]  # a file whose name only looks like a glob
    cut = path.rfind("/", 0, found.start())
    pattern = re.compile(_regex(path[cut + 1 :]))
    base = path[:cut] or "/"
    inside = _below(filesystem, base, recursive="/" in path[cut + 1 :] or "**" in path)
    return [each for each in inside if pattern.fullmatch(each[len(base.rstrip("/")) + 1 :])]


def _below(filesystem: fs.FileSystem, directory: str, *, recursive: bool) -> list[str]:
    """List the files of a directory, leaving out hidden ones and writers' markers (``_SUCCESS``)."""
    selector = fs.FileSelector(directory, recursive=recursive, allow_not_found=True)
    paths = [info.path for info in filesystem.get_file_info(selector) if info.type == fs.FileType.File]
    start = len(directory.rstrip("/")) + 1
    return sorted(
        path for path in paths if not any(part[:1] in "._" for part in path[start:].split("/") if part)
    )


def _regex(pattern: str) -> str:
    """Translate a glob: ``*`` and ``?`` stop at a slash, ``**/`` does not."""
    pieces = re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(piece) or _one_of(piece) for piece in pieces)


def _one_of(piece: str) -> str:
    if len(piece) > 1 and piece.startswith("["):
        return piece.replace("[!", "[^", 1)
    return re.escape(piece)


def _file(
    source: TableSource, filesystem: fs.FileSystem, path: str, *, explicit: bool
) -> SourceFile | None:
    """Tell the file's format; of several files, those of unknown endings are not ours."""
    kind = source.format or _FORMATS.get(_ending(path))
    if kind is None and explicit:
        raise SettingsError(
            f"sources.{source.name}: {shown(path)} does not end like a CSV, Parquet or JSON file;"
            " say which with format"
        )
    return None if kind is None else SourceFile(source.name, filesystem, path, kind)


def _ending(path: str) -> str:
    name = PurePosixPath(path.lower())
    return PurePosixPath(name.stem).suffix if name.suffix in _COMPRESSED else name.suffix


def _trouble(error: BaseException, kind: str) -> str:
    if isinstance(error, PermissionError):
        return "may not be read: permission denied"
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8; save it as UTF-8"
    if isinstance(error, OSError | EOFError) and not isinstance(error, pa.ArrowException):
        return "could not be read to its end: it is cut short, or the storage failed"
    return f"is not readable as {kind.upper()}: it is damaged, cut short or of another format"
