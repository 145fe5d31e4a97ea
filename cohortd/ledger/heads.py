"""Signed heads of the removal log, witnessed in a file beside the database."""

import json
import os
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from cohortd.core.errors import LedgerError
from cohortd.core.removals import SignedHead
from cohortd.core.times import format_time, parse_time

#: Room for many heads, of which the last one is wanted.
_TAIL_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class KeptHead:
    """A head that was kept."""

    head: SignedHead
    #: The time stamp of an authority, where it got one.
    stamp: bytes = field(default=b"", repr=False)
    #: When it was written, where that is told.
    at: datetime | None = None


def append_head(path: Path, head: SignedHead, *, at: datetime | None = None, stamp: bytes = b"") -> None:
    """Add a head to the file; a line that a crash cut short is closed first.

    Args:
        path: The file; made where there is none.
        head: The head.
        at: When it is written, where that shall stand beside it.
        stamp: A time stamp of it, where there is one.

    Raises:
        LedgerError: The file cannot be written.
    """
    told = asdict(head) if at is None else {"at": format_time(at), **asdict(head)}
    told |= {"stamp": b64encode(stamp).decode("ascii")} if stamp else {}
    line = json.dumps(told).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        try:
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            os.write(file, b"\n" + line if torn else line)
        finally:
            os.close(file)
    except OSError as error:
        raise LedgerError(f"the removal log's heads {path} cannot be written: {error.strerror}") from None


def read_head(path: Path) -> SignedHead | None:
    """Return the newest whole head of the file without reading all of it; None where there is none.

    Raises:
        LedgerError: The file cannot be read.
    """
    kept = read_kept(path)
    return None if kept is None else kept.head


def read_kept(path: Path) -> KeptHead | None:
    """Return the newest whole head as ``read_head`` does, with what was written beside it.

    Raises:
        LedgerError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"the removal log's heads {path} cannot be read: {error.strerror}") from None
    return next((kept for line in reversed(lines) if (kept := _kept(line)) is not None), None)


def read_heads(path: Path) -> list[SignedHead]:
    """Return the whole heads of the file, the newest last; none where there is no file.

    A line that a crash cut short is passed over.

    Raises:
        LedgerError: The file cannot be read.
    """
    return [each.head for each in read_all_kept(path)]


def read_all_kept(path: Path) -> list[KeptHead]:
    """Return the whole heads of the file as ``read_heads`` does, with what was written beside them.

    Raises:
        LedgerError: The file cannot be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(f"the removal log's heads {path} cannot be read: {error.strerror}") from None
    return [kept for line in lines if (kept := _kept(line)) is not None]


def _kept(line: bytes) -> KeptHead | None:
    head = _head(line)
    return None if head is None else KeptHead(head, _stamp(line), _time(line))


def _stamp(line: bytes) -> bytes:
    """Read a time stamp; one that was made unreadable is none that holds, not none."""
    stamp = json.loads(line).get("stamp", "")
    try:
        return b64decode(stamp, validate=True)
    except (TypeError, ValueError):
        return b"unreadable"


def _time(line: bytes) -> datetime | None:
    try:
        return parse_time(json.loads(line)["at"])
    except (KeyError, ValueError, AttributeError):
        return None


def _head(line: bytes) -> SignedHead | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    match found:
        case {"seq": int(seq), "hash": str(digest), "signature": str(signature)}:
            root = found.get("root", "")
            return SignedHead(seq, digest, signature, root) if isinstance(root, str) else None
        case _:
            return None
