"""Which audiences everybody belongs to: a column of small codes for each way to divide the customers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Places among the audiences of a division, -1 for none.
Codes: TypeAlias = NDArray[np.int16]
NOWHERE: Final = np.int16(-1)


@dataclass(frozen=True, slots=True)
class Division:
    """Customers in at most one audience each: the segments of a model, or those of whom a rule holds."""

    audiences: tuple[str, ...]
    codes: Codes
    #: The model's; empty where it is none.
    name: str = ""

    def only(self, audiences: Collection[str]) -> Division:
        """The same with no other audiences than these."""
        kept = [code for code, audience in enumerate(self.audiences) if audience in audiences]
        moved = np.full(len(self.audiences) + 1, NOWHERE)  # the last place is that of -1
        moved[kept] = np.arange(len(kept))
        return Division(tuple(self.audiences[code] for code in kept), moved[self.codes], self.name)

    def crossed(self, other: Division, name: Callable[[str, str], str]) -> Division:
        """Whoever is in an audience of both, in one for each pair."""
        both = (self.codes >= 0) & (other.codes >= 0)
        codes = np.where(both, self.codes * np.int16(len(other.audiences)) + other.codes, NOWHERE)
        pairs = tuple(name(mine, theirs) for mine in self.audiences for theirs in other.audiences)
        return Division(pairs, codes.astype(np.int16))

    def sizes(self) -> dict[str, int]:
        """Count the customers of each audience."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.audiences))
        return dict(zip(self.audiences, counts.tolist(), strict=True))

    def named(self) -> NDArray[np.object_]:
        """Return the audience of each, "" for none."""
        return np.array([*self.audiences, ""], dtype=object)[self.codes]

    def at(self, places: NDArray[np.int64]) -> Division:
        """Only the customers in these places; -1 is somebody unknown, who is nowhere."""
        taken = self.codes[places] if len(self.codes) else np.full(len(places), NOWHERE)
        return replace(self, codes=np.where(places >= 0, taken, NOWHERE).astype(np.int16))


@dataclass(frozen=True, slots=True)
class Belonging:
    """Everybody who is in some audience, and in which."""

    customers: pd.Index
    #: That of the segments first.
    divisions: tuple[Division, ...]

    @property
    def audiences(self) -> tuple[str, ...]:
        """Every audience there may be, whether anybody is in it or not."""
        return tuple(audience for division in self.divisions for audience in division.audiences)

    def of(self, customers: Sequence[str]) -> tuple[Division, ...]:
        """The divisions of these customers, in their order."""
        places = np.asarray(self.customers.get_indexer(pd.Index(customers)), dtype=np.int64)
        return tuple(division.at(places) for division in self.divisions)


def nowhere(divisions: Collection[Division], customers: int) -> NDArray[np.bool_]:
    """Say who of so many customers is in no audience."""
    found = np.ones(customers, dtype=np.bool_)
    for division in divisions:
        found &= division.codes < 0
    return found


def together(divisions: Sequence[Division], customers: int) -> list[str]:
    """Name all audiences of each customer in one text, parted by blanks."""
    named = np.full(customers, "", dtype=object)
    for division in divisions:
        rows = np.flatnonzero(division.codes >= 0)
        theirs = division.named()[rows]
        before = named[rows]
        named[rows] = np.where(before == "", theirs, before + " " + theirs)
    return list(named)
