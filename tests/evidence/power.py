"""What a power failure leaves of files: all that was synced, and of the rest whatever the disk had done.

The rest is lost, kept or torn by sectors of 512 bytes, in any combination. Names are kept as they were:
journaling file systems order changes of names; but a file that was never synced may be gone altogether.
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

SECTOR: Final = 512
_HEAD: Final = struct.Struct("<IIQQ")


class Kind(IntEnum):
    """What was done; the words of recorder.c."""

    OPENED = 1
    WRITTEN = 2
    CUT = 3
    SYNCED = 4
    DELETED = 5
    RENAMED = 6
    LINKED = 7


@dataclass(frozen=True, slots=True)
class Record:
    """One change, in the order in which they were made."""

    kind: Kind
    file: int
    offset: int
    bytes: bytes


@dataclass(slots=True)
class File:
    """A file as the disk has it for sure, and what it was told since."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[Record] = field(default_factory=list)
    was_synced: bool = False

    def sync(self) -> None:
        """Make sure of everything."""
        for record in self.pending:
            _carry_out(self.synced, record)
        self.pending.clear()
        self.was_synced = True

    def whole(self) -> bytes:
        """Return it as it was before the failure."""
        found = bytearray(self.synced)
        for record in self.pending:
            _carry_out(found, record)
        return bytes(found)

    def after_failure(self, chance: random.Random) -> bytes | None:
        """Return what is left; None where nothing is, not even the name."""
        kept = chance.choice((0.0, 0.5, 0.9, 1.0))
        if not self.was_synced and chance.random() >= kept:
            return None
        found = bytearray(self.synced)
        for record in self.pending:
            for part in _sectors(record):
                if chance.random() < kept:
                    _carry_out(found, part)
        return bytes(found)


class Disk:
    """Files by name, replayed from the records."""

    def __init__(self, root: Path) -> None:
        """Start empty; *root* is where the files were when they were recorded."""
        self._root = root
        self._names: dict[Path, File] = {}
        self._open: dict[int, File] = {}

    def replay(self, record: Record) -> Path | None:
        """Carry out one record; return the path of the file that it wrote to, if it wrote."""
        match record.kind:
            case Kind.OPENED:
                self._opened(record)
            case Kind.WRITTEN | Kind.CUT:
                file = self._open[record.file]
                file.pending.append(record)
                return next((path for path, each in self._names.items() if each is file), None)
            case Kind.SYNCED:
                self._open[record.file].sync()
            case Kind.DELETED:
                self._names.pop(self._path(record.bytes), None)
            case Kind.RENAMED | Kind.LINKED:
                old, new = (self._path(each) for each in record.bytes.split(b"\n"))
                self._names[new] = self._names[old]
                if record.kind is Kind.RENAMED:
                    del self._names[old]
        return None

    def write(self, folder: Path, *, safe: str, chance: random.Random) -> int:
        """Write what a power failure would leave now; return how many changes were at its mercy.

        Args:
            safe: A folder of which nothing is lost: it is somebody else's machine.
        """
        at_risk = 0
        for path, file in self._names.items():
            spared = path.parts[0] == safe
            left = file.whole() if spared else file.after_failure(chance)
            at_risk += 0 if spared else len(file.pending)
            if left is not None:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                target.write_bytes(left)
                target.chmod(0o600)
        return at_risk

    def _opened(self, record: Record) -> None:
        file = self._names.setdefault(self._path(record.bytes), File())
        self._open[record.file] = file
        if record.offset:  # emptied by being opened
            file.pending.append(Record(Kind.CUT, record.file, 0, b""))

    def _path(self, raw: bytes) -> Path:
        return Path(raw.decode()).relative_to(self._root)


def read(log: Path) -> Iterator[Record]:
    """Read what recorder.c wrote."""
    raw, at = log.read_bytes(), 0
    while at < len(raw):
        kind, file, offset, length = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        yield Record(Kind(kind), file, offset, raw[at : at + length])
        at += length


def _sectors(record: Record) -> Iterator[Record]:
    """Cut a write where the disk may: at the borders of sectors."""
    if record.kind is Kind.CUT:
        yield record
        return
    at = record.offset
    end = record.offset + len(record.bytes)
    while at < end:
        border = min(end, (at // SECTOR + 1) * SECTOR)
        part = record.bytes[at - record.offset : border - record.offset]
        yield Record(Kind.WRITTEN, record.file, at, part)
        at = border


def _carry_out(content: bytearray, record: Record) -> None:
    if record.kind is Kind.CUT:
        del content[record.offset :]
    if len(content) < record.offset:
        content.extend(bytes(record.offset - len(content)))
    content[record.offset : record.offset + len(record.bytes)] = record.bytes
