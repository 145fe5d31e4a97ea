"""Reads a download of California's DROP: a ZIP with one CSV a list, streamed, never unpacked to disk.

Its format: https://privacy.ca.gov/drop-for-data-brokers/technical-specifications/ (1.2.0 of 2026-07-02).
"""

import binascii
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from cohortd.core.deletions import DeletionList
from cohortd.core.errors import SettingsError, SourceError
from cohortd.core.identifiers import DIGEST_BYTES

#: What the file of cancelled requests is called instead of a list.
REMOVED: Final = "Removed"
ID_LETTERS: Final = 12
_ID: Final = f"^[A-Za-z0-9]{{{ID_LETTERS}}}$"
_HASH: Final = "^[A-Za-z0-9+/]{43}=$"
#: Hashes hardly shrink at all; what unpacks to so many times its size is no list.
_MOST_TIMES: Final = 50
_ALWAYS_BYTES: Final = 1024 * 1024
_MOST_FILES: Final = 100
_BLOCK_BYTES: Final = 1024 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+\.csv", re.IGNORECASE)
_TYPES: Final = {name.value.casefold(): name for name in DeletionList}


@dataclass(frozen=True, slots=True, repr=False)
class DeletionPart:
    """Some consecutive work items of one list."""

    list: DeletionList
    #: The file's name, without any folder.
    file: str
    ids: npt.NDArray[np.bytes_]
    #: SHA-256, 32 bytes a row.
    digests: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        """Count the work items."""
        return len(self.ids)


@dataclass(slots=True)
class DeletionTally:
    """What became of the rows; nothing in it is a value of a row."""

    #: List, or ``Removed`` -> rows that can be used.
    rows: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    #: Files that are no list.
    unknown_files: int = 0


def read_deletion_lists(file: Path, tally: DeletionTally) -> Iterator[DeletionPart]:
    """Stream the work items of every list; cancelled requests are only counted.

    Raises:
        SettingsError: There is no such file.
        SourceError: It is no ZIP of deletion lists, or cannot be read to its end.
    """
    if not file.is_file():
        raise SettingsError(f"{file}: there is no such file")
    with _readable(file), zipfile.ZipFile(file) as archive:
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) > _MOST_FILES:
            raise SourceError(f"{file.name} holds {len(members):,} files, which is no download of DROP")
        named = [(each, _type_of(each.filename)) for each in members]
        tally.unknown_files = sum(kind is None for _, kind in named)
        if tally.unknown_files == len(named):
            raise SourceError(
                f"{file.name} holds no deletion list: a file's name must say which it is, such as"
                " 20260312_4821_Email.csv"
            )
        for member, kind in named:
            if kind is not None:
                yield from _parts(archive, member, kind, tally)


def _type_of(name: str) -> DeletionList | str | None:
    """Find which list a file is; the folder it names is never made, nor looked at."""
    bare = re.split(r"[/\\]", name)[-1]
    if _NAME.fullmatch(bare) is None:
        return None
    words = bare[: -len(".csv")].casefold().split("_")
    found: set[DeletionList | str] = {_TYPES[word] for word in words if word in _TYPES}
    found |= {REMOVED} if REMOVED.casefold() in words else set()
    return found.pop() if len(found) == 1 else None


def _parts(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, kind: DeletionList | str, tally: DeletionTally
) -> Iterator[DeletionPart]:
    bare = re.split(r"[/\\]", member.filename)[-1]
    if member.flag_bits & 1:
        raise SourceError(f"{bare} is encrypted; unpack it with its password, and pack it again without")
    with archive.open(member) as opened:
        stream = io.BufferedReader(_Bounded(opened, bare, member.compress_size), _BLOCK_BYTES)
        for ids, hashes in _columns(stream, bare, tally):
            sound = pc.match_substring_regex(ids, _ID)
            tally.dropped["wrong_id"] += _count(pc.invert(sound))
            if kind == REMOVED:
                tally.rows[REMOVED] += _count(sound)
                continue
            hashed = pc.match_substring_regex(hashes, _HASH)
            tally.dropped["wrong_hash"] += _count(pc.and_not(sound, hashed))
            both = pc.and_(sound, hashed)
            digests = [binascii.a2b_base64(each) for each in hashes.filter(both).to_pylist()]
            tally.rows[str(kind)] += len(digests)
            yield DeletionPart(
                DeletionList(kind),
                bare,
                np.array(ids.filter(both).to_pylist(), dtype=f"S{ID_LETTERS}"),
                np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST_BYTES),
            )


def _columns(
    stream: "io.BufferedReader[_Bounded]", name: str, tally: DeletionTally
) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Yield the columns ID and Hash, as bytes."""

    def skip(_row: pa_csv.InvalidRow) -> str:
        tally.dropped["wrong_number_of_cells"] += 1
        return "skip"

    header = [each.strip().strip('"') for each in _header(stream).split(",")]
    wanted = {each.casefold(): each for each in header}
    if not {"id", "hash"} <= set(wanted):
        raise SourceError(f"{name} must have the columns ID and Hash; it has {len(header)}, and not these")
    if not stream.peek(1):  # a list without anybody has a header alone
        return
    reader = pa_csv.open_csv(
        stream,
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=header),
        parse_options=pa_csv.ParseOptions(invalid_row_handler=skip),
        convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.binary())),
    )
    for batch in reader:
        yield batch.column(wanted["id"]), batch.column(wanted["hash"])


def _count(flags: pa.Array) -> int:
    return int(pc.sum(flags).as_py() or 0)


def _header(stream: "io.BufferedReader[_Bounded]") -> str:
    return stream.readline(1000).decode("utf-8-sig", "replace").rstrip("\r\n")


class _Bounded(io.RawIOBase):
    """What a packed file holds, as long as it is not far more than its size speaks for."""

    def __init__(self, opened: IO[bytes], name: str, packed: int) -> None:
        super().__init__()
        self._opened = opened
        self._name = name
        self._left = max(_ALWAYS_BYTES, _MOST_TIMES * packed)

    def readable(self) -> bool:
        return True

    def readinto(self, into: "memoryview") -> int:  # type: ignore[override]
        data = self._opened.read(len(into))
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(
                f"{self._name} unpacks to more than {_MOST_TIMES} times its size: that is no list of hashes"
            )
        into[: len(data)] = data
        return len(data)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError):
        raise SourceError(f"{file.name} is no ZIP that can be read to its end") from None
    except pa.ArrowInvalid:
        raise SourceError(f"{file.name} holds a list that is no CSV") from None
    except OSError as error:
        raise SourceError(f"{file.name} cannot be read: {error.strerror or type(error).__name__}") from None
