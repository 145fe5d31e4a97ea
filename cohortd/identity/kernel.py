"""The native kernel: whole columns of plain ASCII text, normalized and hashed without Python.

It is built where a C compiler is (``hatch_build.py``) and used where it proves itself at the start
(``proven.py``); without it the rules do everything, to the same bytes.
"""

import ctypes
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cohortd.core.identifiers import DIGEST_BYTES
from cohortd.identity import digests
from cohortd.identity.digests import Digests, Flags

#: Set to leave the kernel out, both when a wheel is built and when it runs.
SWITCHED_OFF: Final = "COHORTD_NO_NATIVE"

#: What a map says of a character besides another one.
DROP: Final = 0x00
ASK: Final = 0xFF

#: More characters than the kernel takes.
_ANY = 1024

_FOLDER = Path(__file__).parent / "native"
_SOURCE, _LIBRARY = _FOLDER / "kernel.c", _FOLDER / "kernel.so"
_POINTER, _COUNT = ctypes.c_void_p, ctypes.c_int64


@dataclass(frozen=True, slots=True)
class Taken:
    """What the kernel made of a column."""

    digests: Digests
    #: Which rows it understood; the others are the rules' to decide.
    rows: Flags


@dataclass(frozen=True, slots=True)
class Mapped:
    """How the characters of a text become another one."""

    #: What becomes of each of 256 bytes: another, ``DROP``, or ``ASK`` the rules.
    characters: bytes
    #: How many may be left, and how many of these are hashed; otherwise the rules are asked.
    least: int = 1
    most: int = _ANY
    first: int = _ANY


@dataclass(frozen=True, slots=True)
class Kernel:
    """The library's functions over Arrow's columns. Calls release the interpreter's lock."""

    _library: ctypes.CDLL

    @classmethod
    def load(cls, path: Path = _LIBRARY, source: Path = _SOURCE) -> Self:
        """Load the library that was built from *source*.

        Raises:
            OSError: It is not there, or not for this machine.
            AttributeError: It is another one.
            ValueError: It was built from another version of the source.
        """
        library = ctypes.CDLL(str(path))
        library.cohortd_source.restype = ctypes.c_char_p
        if library.cohortd_source() != hashlib.sha256(source.read_bytes()).hexdigest().encode():
            raise ValueError("the native kernel was built from another source")
        column = (_POINTER, _POINTER, _COUNT)
        out = (_POINTER, _POINTER)
        library.cohortd_sha256.argtypes = (*column, _POINTER)
        library.cohortd_emails.argtypes = (*column, ctypes.c_int, *out)
        library.cohortd_mapped.argtypes = (*column, ctypes.c_char_p, _COUNT, _COUNT, _COUNT, *out)
        for function in (library.cohortd_sha256, library.cohortd_emails, library.cohortd_mapped):
            function.restype = None
        return cls(library)

    @property
    def has_sha_instructions(self) -> bool:
        """Whether this processor hashes in hardware."""
        return bool(self._library.cohortd_has_sha())

    def sha256(self, texts: pa.Array) -> Digests:
        """Hash each of some texts or byte strings, none of them null."""
        texts = _large(texts)
        found = _empty(texts)
        self._library.cohortd_sha256(*_column(texts), found.ctypes.data)
        return found

    def emails(self, texts: pa.Array, *, fold_gmail: bool) -> Taken:
        """Do what ``emails.address``, and ``emails.gmail_folded`` if asked, do, and hash."""
        texts = _large(texts)
        found, rows = _empty(texts), np.empty(len(texts), dtype=np.bool_)
        out = (found.ctypes.data, rows.ctypes.data)
        self._library.cohortd_emails(*_column(texts), int(fold_gmail), *out)
        return Taken(found, rows)

    def mapped(self, texts: pa.Array, how: Mapped) -> Taken:
        """Replace character by character and hash what is left of each of some texts, none null."""
        texts = _large(texts)
        found, rows = _empty(texts), np.empty(len(texts), dtype=np.bool_)
        out = (found.ctypes.data, rows.ctypes.data)
        lengths = (how.least, how.most, how.first)
        self._library.cohortd_mapped(*_column(texts), how.characters, *lengths, *out)
        return Taken(found, rows)


def sha256(texts: pa.Array, kernel: Kernel | None) -> Digests:
    """Hash each of some texts or byte strings, none of them null, with or without the kernel."""
    return kernel.sha256(texts) if kernel else digests.sha256(texts)


def is_switched_off() -> bool:
    """Whether somebody wants to see what happens without the kernel."""
    return os.environ.get(SWITCHED_OFF, "") not in {"", "0"}


def is_built() -> bool:
    """Whether the library was built at all."""
    return _LIBRARY.exists()


def _large(texts: pa.Array) -> pa.Array:
    if pa.types.is_large_string(texts.type) or pa.types.is_large_binary(texts.type):
        return texts
    return texts.cast(pa.large_binary())


def _column(texts: pa.Array) -> tuple[int, int, int]:
    _, offsets, data = texts.buffers()
    first = offsets.address + texts.offset * np.dtype(np.int64).itemsize if offsets else 0
    return (data.address if data else 0, first, len(texts))


def _empty(texts: pa.Array) -> npt.NDArray[np.uint8]:
    return np.empty((len(texts), DIGEST_BYTES), dtype=np.uint8)
