"""Audiences that a destination limits: whom it gets is known only when everybody was read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cohortd.core.identifiers import MEMBER_KEY_BYTES
from cohortd.ledger import STAGED

#: Lower ones are preferred; one a member.
Ranks: TypeAlias = NDArray[np.uint64]

_RANKED: Final = pa.schema([*STAGED, ("rank", pa.uint64())])
#: Bits of a rank for the match confidence, of which there are fewer than this has room for.
_CONFIDENCE_BITS: Final = np.uint64(4)
_HIGHEST: Final = 15
#: Ranks gathered before the best of them are sorted out.
_AT_ONCE: Final = 1 << 17


def ranks(members: pa.FixedSizeBinaryArray, confidence: NDArray[np.uint8]) -> Ranks:
    """Rank members by confidence, the equal ones by their key: the same people every time.

    Args:
        members: Member keys, none null; keyed digests, so their order says nothing about anybody.
        confidence: By how many independent keys each of them may be known.
    """
    start = members.offset * MEMBER_KEY_BYTES
    data = memoryview(members.buffers()[1])[start : start + len(members) * MEMBER_KEY_BYTES]
    keys = np.frombuffer(data, dtype=">u8").reshape(len(members), -1)[:, 0].astype(np.uint64)
    worse = np.uint64(_HIGHEST) - np.minimum(confidence, _HIGHEST).astype(np.uint64)
    ranked: Ranks = (worse << (np.uint64(64) - _CONFIDENCE_BITS)) | (keys >> _CONFIDENCE_BITS)
    return ranked


class Limited:
    """One audience on one destination that takes at most so many members.

    Rows wait in a scratch file, less those of whom it is known already that others are preferred, so
    that memory grows with the limit only.
    """

    def __init__(self, limit: int, path: Path, *, at_once: int = _AT_ONCE) -> None:
        """Begin with nobody; *path* is written to when somebody comes."""
        self._limit = limit
        self._at_once = max(at_once, limit)
        self._path = path
        self._writer: pa.RecordBatchStreamWriter | None = None
        self._best = np.empty(0, dtype=np.uint64)
        self._new: list[Ranks] = []
        self._waiting = 0
        self._over = 0

    def add(self, rows: pa.Table, of_rows: Ranks) -> None:
        """Let rows in the columns of ``STAGED`` wait, each with its member's rank."""
        if not len(of_rows):
            return
        self._new.append(np.unique(of_rows))
        self._waiting += len(self._new[-1])
        if self._waiting > self._at_once:
            self._sort_out()
        if len(self._best) == self._limit:
            hopeful = of_rows <= self._best[-1]
            rows, of_rows = rows.filter(pa.array(hopeful)), of_rows[hopeful]
        if self._writer is None:
            self._writer = pa.ipc.new_stream(self._path, _RANKED)
        self._writer.write_table(rows.append_column(_RANKED.field("rank"), pa.array(of_rows)))

    def chosen(self) -> Iterator[pa.Table]:
        """Return the rows of the preferred members; nothing waits any more."""
        if self._writer is None:
            return
        self._sort_out()
        self._writer.close()
        self._writer = None
        with pa.ipc.open_stream(self._path) as waiting:
            for batch in waiting:
                found = pa.Table.from_batches([batch])
                preferred = np.asarray(found.column("rank")) <= self._best[-1]
                yield found.filter(pa.array(preferred)).select(STAGED.names)
        self._path.unlink()

    @property
    def over(self) -> int:
        """How many members found no room; known when ``chosen`` began."""
        return self._over

    def _sort_out(self) -> None:
        everybody = np.unique(np.concatenate([self._best, *self._new]))
        self._best = everybody[: self._limit]
        self._over += len(everybody) - len(self._best)
        self._new, self._waiting = [], 0
