"""People of two identifiers each, made of numbers: the same at every run, in any order, in no time."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cohortd.ledger import STAGED

Words = NDArray[np.uint64]

KINDS: Final = (1, 2)
CHUNK: Final = 100_000
_MEMBER: Final = 0


def keys(first: int, count: int, *, kind: int, width: int, version: int = 0) -> Words:
    """Return what stands for the keys (or, as kind 0, the member keys) of some people."""
    person = np.arange(first, first + count, dtype=np.uint64)
    found = np.empty((count, width), dtype=np.uint64)
    for word in range(width):
        found[:, word] = _mixed(person * np.uint64(64) + np.uint64(kind * 16 + word * 4 + version))
    return found


def members(first: int, count: int) -> Words:
    """Return the member keys of some people."""
    return keys(first, count, kind=_MEMBER, width=2)


def tables(total: int, *, changed: int = 0) -> Iterator[pa.Table]:
    """Yield everybody as they are staged; the first *changed* people have another e-mail."""
    for first in range(0, total, CHUNK):
        count = min(CHUNK, total - first)
        digests = [digests_of(first, count, kind, changed=changed) for kind in KINDS]
        member = np.repeat(members(first, count), len(KINDS), axis=0)
        yield pa.table(
            {
                "kind": pa.array(np.tile(np.array(KINDS, dtype=np.uint8), count)),
                "digest": _binary(np.stack(digests, axis=1).reshape(-1, 4)),
                "member": _binary(member),
                "payload": pa.repeat(pa.scalar(b"", pa.binary()), 2 * count),
            },
            schema=STAGED,
        )


def digests_of(first: int, count: int, kind: int, *, changed: int = 0) -> Words:
    """Return one identifier of some people."""
    found = keys(first, count, kind=kind, width=4)
    if kind == KINDS[0] and first < changed:
        other = min(changed - first, count)
        found[:other] = keys(first, other, kind=kind, width=4, version=1)
    return found


def _binary(words: Words) -> pa.FixedSizeBinaryArray:
    width = words.shape[1] * 8
    buffers = [None, pa.py_buffer(np.ascontiguousarray(words))]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(words), buffers)


def _mixed(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits as splitmix64 does."""
    number = (number + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))
