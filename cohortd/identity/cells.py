"""One column of a batch as its distinct texts, so that each is normalized once."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Every value of a column that is there, several a row where the column is a list."""

    #: Index in the batch of the row each cell belongs to, ascending.
    rows: Integers
    #: Index into ``texts`` for each cell.
    codes: Integers
    texts: list[str]

    @classmethod
    def of(cls, column: pa.Array) -> Self:
        """Take a column of text, or of lists of text, apart; other types are read as they print."""
        rows = np.arange(len(column), dtype=np.int64)
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            rows = _integers(pc.list_parent_indices(column))
            column = pc.list_flatten(column)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        there = np.asarray(column.is_valid())
        encoded = column.cast(pa.large_string()).drop_null().dictionary_encode()
        return cls(rows[there], _integers(encoded.indices), encoded.dictionary.to_pylist())


def _integers(array: pa.Array) -> Integers:
    return np.asarray(array.cast(pa.int64()), dtype=np.int64)
