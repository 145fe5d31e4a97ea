"""The members of an emulated audience.

A member is a person: a set of identifiers written ``kind:value`` (``email:<hex>``). Rows that share
an identifier are the same person.
"""

from collections.abc import Iterable
from typing import TypeAlias

#: One uploaded row: the identifiers of one person.
Row: TypeAlias = frozenset[str]


class People:
    """The members of one audience."""

    def __init__(self) -> None:
        self._people: dict[int, set[str]] = {}
        self._owner: dict[str, int] = {}
        #: Identifier -> when it was last added; blank where nobody said.
        self._added: dict[str, str] = {}
        #: Nobody was last added before.
        self._oldest = ""
        self._next = 0

    def __len__(self) -> int:
        return len(self._people)

    def identifiers(self) -> frozenset[str]:
        """Every identifier of every person."""
        return frozenset(self._owner)

    def rows(self) -> list[Row]:
        """Every person, in a stable order."""
        return [frozenset(self._people[number]) for number in sorted(self._people)]

    def last_added(self, identifier: str) -> str:
        """When an identifier was last added; blank where nobody said."""
        return self._added.get(identifier, "")

    def add(self, row: Row, *, at: str = "") -> None:
        """Take a row in; whoever shares an identifier with it becomes one person with it."""
        if not row:
            return
        if at:
            self._added.update(dict.fromkeys(row, at))
            self._oldest = min(self._oldest or at, at)
        known = sorted({self._owner[identifier] for identifier in row if identifier in self._owner})
        target = known[0] if known else self._next
        if not known:
            self._people[target] = set()
            self._next += 1
        for other in known[1:]:
            self._give(self._people.pop(other), target)
        self._give(row, target)

    def remove(self, row: Row, *, whole_people: bool = False) -> None:
        """Take the row's identifiers away; a person without any left is gone.

        Args:
            row: The identifiers named.
            whole_people: Take away also the unnamed identifiers of each person found.
        """
        for identifier in row:
            owner = self._owner.get(identifier)
            if owner is None:
                continue
            gone = set(self._people[owner]) if whole_people else {identifier}
            self._people[owner] -= gone
            for each in gone:
                del self._owner[each]
                self._added.pop(each, None)
            if not self._people[owner]:
                del self._people[owner]

    def older(self, than: str) -> Row:
        """The identifiers that were last added before a time; without those of which nobody said when."""
        if not self._oldest or self._oldest >= than:
            return frozenset()
        found = frozenset(each for each, at in self._added.items() if at < than)
        self._oldest = min((at for at in self._added.values() if at >= than), default=than)
        return found

    def _give(self, identifiers: Iterable[str], person: int) -> None:
        for identifier in identifiers:
            self._owner[identifier] = person
            self._people[person].add(identifier)
