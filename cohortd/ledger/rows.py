"""Identifiers of members as columns: what is staged, and what is read back of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cohortd.core.identifiers import DIGEST_BYTES, MEMBER_KEY_BYTES
from cohortd.ledger.keys import WORD, Mask, Places, Words, words_of

Kinds: TypeAlias = NDArray[np.uint8]
#: Variable bytes a row; None where all are empty, which is the rule but for Meta.
Payloads: TypeAlias = pa.LargeBinaryArray | None

#: What ``Comparison.stage`` takes.
STAGED: Final = pa.schema(
    [
        ("kind", pa.uint8()),
        ("digest", pa.binary(DIGEST_BYTES)),
        ("member", pa.binary(MEMBER_KEY_BYTES)),
        ("payload", pa.binary()),
    ]
)
DIGEST_WORDS: Final = DIGEST_BYTES // WORD
MEMBER_WORDS: Final = MEMBER_KEY_BYTES // WORD


@dataclass(frozen=True, slots=True, repr=False)
class Rows:
    """Identifiers, each with the member who carries it."""

    digest: Words
    member: Words
    kind: Kinds
    payload: Payloads

    @classmethod
    def of(cls, table: pa.Table | pa.RecordBatch) -> Self:
        """Read the columns of ``STAGED``."""
        kind, digest, member, payload = (_whole(table.column(field.name), field.type) for field in STAGED)
        return cls(
            _words(digest, DIGEST_BYTES),
            _words(member, MEMBER_KEY_BYTES),
            kind.to_numpy(zero_copy_only=False),
            packed(payload.cast(pa.large_binary())),
        )

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.kind)

    def __repr__(self) -> str:
        """Show the count only."""
        return f"Rows({len(self)})"

    def take(self, places: Places) -> Self:
        """Return some rows, in the order of *places*."""
        return type(self)(
            self.digest[places], self.member[places], self.kind[places], take(self.payload, places)
        )


def take(payload: Payloads, places: Places) -> Payloads:
    """Return some payloads, in the order of *places*."""
    return None if payload is None else packed(payload.take(pa.array(places)))


def packed(payload: pa.LargeBinaryArray) -> Payloads:
    """Return payloads, or None where all of them are empty."""
    return payload if _length(payload) else None


def payloads(payload: Payloads, count: int) -> list[bytes]:
    """Return each payload as bytes."""
    if payload is None:
        return [b""] * count
    found: list[bytes] = payload.to_pylist()
    return found


def unlike(one: Payloads, other: Payloads, count: int) -> Mask:
    """Say of each pair of payloads whether they differ."""
    if one is None and other is None:
        return np.zeros(count, dtype=np.bool_)
    differs = pc.not_equal(filled(one, count), filled(other, count))
    return np.asarray(differs.to_numpy(zero_copy_only=False), dtype=np.bool_)


def filled(payload: Payloads, count: int) -> pa.LargeBinaryArray:
    """Return payloads as an array, empty ones too."""
    return pa.repeat(pa.scalar(b"", pa.large_binary()), count) if payload is None else payload


def ranks(payload: Payloads, places: Places) -> Sequence[NDArray[np.uint64]]:
    """Number payloads in the order of their bytes, as a column to sort by; none where all are empty."""
    if payload is None:
        return ()
    some = np.array(payload.take(pa.array(places)).to_pylist(), dtype=object)
    return (np.unique(some, return_inverse=True)[1].astype(np.uint64),)


def _length(payload: pa.LargeBinaryArray) -> int:
    if not len(payload):
        return 0
    offsets = np.frombuffer(payload.buffers()[1], dtype=np.int64)
    return int(offsets[payload.offset + len(payload)] - offsets[payload.offset])


def _whole(column: pa.ChunkedArray | pa.Array, kind: pa.DataType) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if whole.null_count:
        raise ValueError("a staged column has nulls")
    return whole.cast(kind)


def _words(column: pa.FixedSizeBinaryArray, width: int) -> Words:
    data = column.buffers()[1]
    if data is None:
        return np.empty((0, width // WORD), dtype=np.uint64)
    start = column.offset * width
    return words_of(memoryview(data)[start : start + len(column) * width], width)
