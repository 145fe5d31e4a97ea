"""How often each of very many digests came: exact, in memory that does not grow with them."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cohortd.core.identifiers import DIGEST_BYTES

Keys = npt.NDArray[np.uint64]

#: Sorted at once: 32 MB.
_KEYS_AT_ONCE: Final = 4_000_000
_BLOCK_KEYS: Final = 1 << 20
_HALF: Final = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Repeated:
    """How many digests came, how many different ones, and how many of those more than once."""

    total: int = 0
    distinct: int = 0
    shared: int = 0
    #: How often the shared ones came in all.
    sharing: int = 0


class Occurrences:
    """Counts digests by a scratch file of eight bytes each.

    The eight bytes are the digest's first ones under a key that lives as long as the count, so that
    the file alone finds nobody. Two different digests are taken for one with a probability of 1 in
    100,000 among 20 million.
    """

    def __init__(self, path: Path, *, keys_at_once: int = _KEYS_AT_ONCE) -> None:
        """Begin with none; *path* is overwritten, and gone after ``close``."""
        self._path = path
        self._at_once = keys_at_once
        self._file = path.open("w+b")
        self._secret = [np.uint64(secrets.randbits(64) | 1) for _ in range(3)]
        self._total = 0

    def __enter__(self) -> Self:
        """Use as ``with``."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget all."""
        self.close()

    def add(self, digests: pa.Array) -> None:
        """Remember fixed-size digests without nulls."""
        if len(digests) == 0:
            return
        _, buffer = digests.buffers()
        start = digests.offset * DIGEST_BYTES
        words = np.frombuffer(buffer, dtype="<u8", count=len(digests) * 4, offset=start)
        self._file.write(self._keyed(words[::4]).tobytes())
        self._total += len(digests)

    def count(self) -> Repeated:
        """Count what came so far."""
        self._file.flush()
        parts = self._total // self._at_once + 1
        distinct = shared = sharing = 0
        for part in range(parts):
            lengths = _run_lengths(np.concatenate([_of_part(b, part, parts) for b in self._blocks()]))
            several = lengths[lengths > 1]
            distinct += len(lengths)
            shared += len(several)
            sharing += int(several.sum())
        return Repeated(self._total, distinct, shared, sharing)

    def close(self) -> None:
        """Forget all."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _keyed(self, words: Keys) -> Keys:
        mask, first, second = self._secret
        mixed = (words ^ mask) * first
        mixed ^= mixed >> _HALF
        mixed *= second
        return mixed ^ (mixed >> _HALF)

    def _blocks(self) -> Iterator[Keys]:
        yield np.empty(0, dtype=np.uint64)
        self._file.seek(0)
        while len(block := np.fromfile(self._file, dtype=np.uint64, count=_BLOCK_KEYS)):
            yield block


def _of_part(keys: Keys, part: int, parts: int) -> Keys:
    """Those of *keys* that belong to one of equal parts of the key space."""
    return keys if parts == 1 else keys[((keys >> _HALF) * np.uint64(parts)) >> _HALF == part]


def _run_lengths(keys: Keys) -> npt.NDArray[np.int64]:
    keys.sort()
    ends = np.flatnonzero(keys[1:] != keys[:-1])
    return np.diff(ends, prepend=-1, append=len(keys) - 1) if len(keys) else ends
