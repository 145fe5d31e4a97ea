"""Signed heads of the removal log, witnessed in a file beside the database."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from cohortd.core.errors import LedgerError
from cohortd.core.removals import SignedHead


def append_head(path: Path, head: SignedHead) -> None:
    """Add a head to the file; a line that a crash cut short is closed first.

    Raises:
        LedgerError: The file cannot be written.
    """
    line = json.dumps(asdict(head)).encode() + b"\n"
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
    """Return the newest whole head of the file; None where there is none."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"the removal log's heads {path} cannot be read: {error.strerror}") from None
    for line in reversed(lines):
        try:
            return SignedHead(**json.loads(line))
        except (ValueError, TypeError):
            continue
    return None
