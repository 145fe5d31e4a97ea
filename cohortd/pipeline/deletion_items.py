"""Work items of deletion lists, as many at once as fit in memory, found by their digests."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from cohortd.core.deletions import DeletionList
from cohortd.sources import DeletionPart, DeletionTally

#: So many work items are looked for in one reading of the customers, whatever the lists' length.
MOST_AT_ONCE: Final = 1_000_000


@dataclass(slots=True, repr=False)
class Items:
    """Work items of one kind of list, findable by digest."""

    list: DeletionList
    parts: Sequence[DeletionPart]
    ids: npt.NDArray[np.bytes_]
    digests: npt.NDArray[np.uint8]
    #: By how many people each was matched, and whether one of them opted in again since.
    people: npt.NDArray[np.int64] = field(init=False)
    again: npt.NDArray[np.bool_] = field(init=False)
    #: Item -> member keys of whom it names.
    _members: dict[int, set[bytes]] = field(init=False, default_factory=dict)
    _order: npt.NDArray[np.intp] = field(init=False)
    _sorted: npt.NDArray[np.uint64] = field(init=False)

    def __post_init__(self) -> None:
        self.people = np.zeros(len(self.ids), np.int64)
        self.again = np.zeros(len(self.ids), np.bool_)
        beginnings = _beginnings(self.digests)
        self._order = np.argsort(beginnings, kind="stable")
        self._sorted = beginnings[self._order]

    def add(self, item: int, *members: bytes) -> bool:
        """Take in whom an item names, each counted once; return whether any of them is new to it."""
        known = self._members.setdefault(item, set())
        known.update(members)
        was = int(self.people[item])
        self.people[item] = len(known)
        return len(known) > was

    def matches(self, digests: npt.NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
        """Yield pairs of a place among *digests* and an item of the same digest."""
        beginnings = _beginnings(digests)
        first = np.searchsorted(self._sorted, beginnings, "left")
        last = np.searchsorted(self._sorted, beginnings, "right")
        for place in np.flatnonzero(last > first):
            for item in self._order[first[place] : last[place]]:
                if (self.digests[item] == digests[place]).all():
                    yield int(place), int(item)


@dataclass(slots=True)
class DeletionAccount:
    """What became of work items."""

    tally: DeletionTally = field(default_factory=DeletionTally)
    #: Of items by how many people they name now: none, one, several; and those not compared, by list.
    found: Counter[str] = field(default_factory=Counter)
    not_compared: Counter[str] = field(default_factory=Counter)
    #: People newly taken back, and those taken back by an earlier import of the same work items.
    withdrawn: int = 0
    known: int = 0
    #: Rows of the customers table that could not be compared.
    customers_lost: int = 0
    deleted: bool = False


def at_once(parts: Iterator[DeletionPart]) -> Iterator[list[DeletionPart]]:
    """Gather parts up to ``MOST_AT_ONCE``."""
    waiting: list[DeletionPart] = []
    for part in parts:
        if waiting and sum(map(len, waiting)) + len(part) > MOST_AT_ONCE:
            yield waiting
            waiting = []
        waiting.append(part)
    if waiting:
        yield waiting


def _beginnings(digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(digests[:, :8]).view(">u8").ravel().astype(np.uint64)
