"""A column of a batch as its texts, and where each of them is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.identity.digests import Flags
from cohortd.identity.steps import Where

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Every value of a column that is there, several a row where the column is a list."""

    #: Index in the batch of the row each cell belongs to, ascending.
    rows: Integers
    #: Large strings, none null.
    texts: pa.Array

    @classmethod
    def of(cls, column: pa.Array) -> Self:
        """Take a column of text, or of lists of text, apart; other types are read as they print."""
        rows = np.arange(len(column), dtype=np.int64)
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            rows = integers(pc.list_parent_indices(column))
            column = pc.list_flatten(column)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if column.null_count:
            rows = rows[np.asarray(column.is_valid())]
            column = column.drop_null()
        return cls(rows, column.cast(pa.large_string()))


@dataclass(frozen=True, slots=True)
class Placed:
    """Texts, none null, each at a place."""

    texts: pa.Array
    #: Index into ``places`` for each text.
    place_of: Integers
    places: Sequence[Where]

    def take(self, chosen: Integers) -> Self:
        """Leave out all but the *chosen*."""
        return type(self)(self.texts.take(pa.array(chosen)), self.place_of[chosen], self.places)

    def is_in(self, region: str) -> Flags:
        """Which of the texts are in *region*."""
        return np.array([place.region == region for place in self.places], dtype=np.bool_)[self.place_of]

    def distinct(self) -> tuple[Self, Integers]:
        """Each text once at each of its places, and for each of all texts which of these it is."""
        encoded = self.texts.dictionary_encode()
        codes = integers(encoded.indices)
        if len(self.places) == 1:
            nowhere_else = np.zeros(len(encoded.dictionary), dtype=np.int64)
            return type(self)(encoded.dictionary, nowhere_else, self.places), codes
        pairs = pa.array(codes * len(self.places) + self.place_of).dictionary_encode()
        texts, place_of = np.divmod(integers(pairs.dictionary), len(self.places))
        once = type(self)(encoded.dictionary.take(pa.array(texts)), place_of, self.places)
        return once, integers(pairs.indices)


def integers(array: pa.Array) -> Integers:
    """Arrow's whole numbers, none null, as numpy's."""
    return np.asarray(array.cast(pa.int64()), dtype=np.int64)
