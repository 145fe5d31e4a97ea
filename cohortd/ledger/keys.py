"""Fixed-width keys (digests, member keys) in bulk: sorted and found by their first eight bytes, then
verified whole.

Keys are kept as 64-bit words in the order of their bytes in memory, a row a key. Two keys that share
their first word are so rare that being slow about them costs nothing; being wrong would.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.uint64]
Places: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

WORD: Final = 8
#: Bits of a key that a ``Sieve`` looks at: a table of 4 MB.
_SIEVE_BITS: Final = 22


def words_of(keys: bytes | memoryview, width: int) -> Words:
    """Read keys of *width* bytes that lie side by side."""
    return np.frombuffer(keys, dtype=np.uint64).reshape(-1, width // WORD)


def bytes_of(keys: Words) -> list[bytes]:
    """Return each key as bytes."""
    width = keys.shape[1] * WORD
    found: list[bytes] = np.ascontiguousarray(keys).view(f"V{width}").ravel().tolist()
    return found


def heads(keys: Words, word: int = 0) -> Numbers:
    """Return the first (or another) word of each key as a number that sorts like its bytes."""
    return keys[:, word].byteswap()


def same(one: Words, other: Words) -> Mask:
    """Say of each pair of rows whether they are the same key."""
    equal: Mask = one[:, 0] == other[:, 0]
    for word in range(1, one.shape[1]):
        equal &= one[:, word] == other[:, word]
    return equal


def ascending(keys: Words, more: Callable[[Places], Sequence[Numbers]] | None = None) -> Places:
    """Return the order in which keys ascend.

    Args:
        more: Rows -> by what else they are sorted where their keys are equal, the weightiest first;
            asked only about rows that are not alone with their first word.
    """
    head = heads(keys)
    order = np.argsort(head)
    tied = _tied(keys, head, order, whole=more is None)
    if not tied.any():
        return order
    places = np.flatnonzero(tied)
    rows = order[places]
    columns = [heads(keys[rows], word) for word in range(keys.shape[1])]
    columns += more(rows) if more is not None else ()
    order[places] = rows[np.lexsort(columns[::-1])]
    return order


def first_of_each(keys: Words) -> Mask:
    """Mark, in ascending keys, the first row of each key."""
    first = np.ones(len(keys), dtype=np.bool_)
    first[1:] = ~same(keys[1:], keys[:-1])
    return first


def find(needles: Words, hay: Words) -> Places:
    """Return where each needle is in *hay*, -1 for nowhere; both ascend, none twice in the hay."""
    if len(needles) == len(hay) and bool(same(needles, hay).all()):
        return np.arange(len(needles), dtype=np.int64)
    if not len(hay):
        return np.full(len(needles), -1, dtype=np.int64)
    wanted, there = heads(needles), heads(hay)
    at = np.minimum(np.searchsorted(there, wanted), len(hay) - 1)
    found = same(needles, hay[at])
    for row in np.flatnonzero(~found & (there[at] == wanted)):
        place = at[row]
        while place < len(hay) and there[place] == wanted[row] and not found[row]:
            found[row] = bool((hay[place] == needles[row]).all())
            at[row] = place
            place += 1
    at[~found] = -1
    return at


def distinct(keys: Words) -> Words:
    """Return each key once, ascending."""
    keys = keys[ascending(keys)]
    return keys[first_of_each(keys)]


class Sieve:
    """A set of keys by their first bits: lets all of them through, and few others."""

    def __init__(self) -> None:
        self._bits = np.zeros(1 << _SIEVE_BITS, dtype=np.bool_)

    def add(self, keys: Words) -> None:
        """Let these through from now on."""
        self._bits[_first_bits(keys)] = True

    def passes(self, keys: Words) -> Mask:
        """Say of each key whether it may be in the set."""
        return self._bits[_first_bits(keys)]


class KeySet:
    """A set of keys, asked about many at a time."""

    def __init__(self, keys: Words) -> None:
        self._keys = distinct(keys)
        self._sieve = Sieve()
        self._sieve.add(self._keys)

    def holds(self, keys: Words) -> Mask:
        """Say of each key whether it is in the set."""
        held = np.zeros(len(keys), dtype=np.bool_)
        if len(self._keys):
            maybe = np.flatnonzero(self._sieve.passes(keys))
            order = maybe[ascending(keys[maybe])]
            held[order] = find(keys[order], self._keys) >= 0
        return held


def _first_bits(keys: Words) -> Numbers:
    return heads(keys) >> np.uint64(64 - _SIEVE_BITS)


def _tied(keys: Words, head: Numbers, order: Places, *, whole: bool) -> Mask:
    """Mark who shares a first word; where only *whole* keys matter, only with another key."""
    head = head[order]
    run = np.ones(len(head), dtype=np.bool_)
    run[1:] = head[1:] != head[:-1]
    if whole:
        tails = keys[order, 1:]
        unlike = np.flatnonzero(~run[1:] & ~same(tails[1:], tails[:-1])) + 1
        if not len(unlike):
            return np.zeros(len(head), dtype=np.bool_)
        number = np.cumsum(run)
        return np.isin(number, number[unlike])
    tied = ~run
    tied[:-1] |= ~run[1:]
    return tied
