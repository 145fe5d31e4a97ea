"""One stretch of rows as every format hands it over, and the sieve that leaves faulty rows out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cohortd.sources.casting import Cast, is_set
from cohortd.sources.table import MOST_SAMPLES, Tally

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some consecutive rows, by their own column names."""

    columns: Mapping[str, pa.Array]
    rows: int
    #: The rows' numbers within their file, from 1.
    numbers: npt.NDArray[np.int64]
    #: The file's name, or empty for a query.
    file: str = ""

    def column(self, name: str) -> pa.Array:
        """Get a column; nothing but nulls where this file has none of that name."""
        found = self.columns.get(name)
        return pa.nulls(self.rows, pa.string()) if found is None else found


@dataclass(slots=True)
class Sieve:
    """Decides row by row who stays; a row is left out once, for the first reason found."""

    chunk: Chunk
    tally: Tally
    #: Rows whose loss is graver than others', and the reason they are then counted under.
    grave: Mask | None = None
    grave_reason: str = ""
    keep: Mask = field(init=False)

    def __post_init__(self) -> None:
        """Begin with every row."""
        self.keep = np.ones(self.chunk.rows, dtype=np.bool_)
        self.tally.read += self.chunk.rows

    def drop(self, faulty: Mask, reason: str) -> None:
        """Leave *faulty* rows out, counted and sampled by number."""
        if self.grave is not None:
            self._count(faulty & self.grave, self.grave_reason)
        self._count(faulty, reason)

    def _count(self, faulty: Mask, reason: str) -> None:
        fresh = self.keep & faulty
        indices = np.flatnonzero(fresh)
        rows = self.chunk.numbers[indices[:MOST_SAMPLES]]
        self.tally.drop(reason, len(indices), rows=rows.tolist(), file=self.chunk.file)
        self.keep &= ~faulty

    def postpone(self, later: Mask) -> None:
        """Leave rows out that are no fault but not to be seen yet."""
        self.tally.later += int(np.count_nonzero(self.keep & later))
        self.keep &= ~later

    def take(self, cast: Cast, reason: str) -> pa.Array:
        """Accept a converted column, leaving out the rows where that failed."""
        if cast.faulty.any():
            self.drop(cast.faulty, reason)
        return cast.values

    def require(self, values: pa.Array, reason: str) -> None:
        """Leave out the rows without a value."""
        self.drop(~is_set(values), reason)

    def kept(
        self, columns: Mapping[str, pa.Array], *, mapped: Iterable[str] | None = None
    ) -> pa.RecordBatch:
        """Count and give what stayed; *mapped* are the columns the table has, all where not given."""
        batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        self.tally.kept += int(np.count_nonzero(self.keep))
        stayed = batch if self.keep.all() else batch.filter(pa.array(self.keep))
        self.tally.sifted += stayed.num_rows
        for name in columns if mapped is None else mapped:
            filled = stayed.num_rows - stayed.column(name).null_count
            self.tally.filled[name] = self.tally.filled.get(name, 0) + filled
        return stayed


#: Called by a format for rows it could not hand over: reason, count, row numbers, their text.
Lost = Callable[[str, int, list[int], str], None]
#: Gives the reason under which rows of a text are counted; empty for the format's own.
Graver = Callable[[str], str]
