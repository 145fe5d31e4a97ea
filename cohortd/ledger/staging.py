"""What is desired, set down by target and key for the time of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
from sqlalchemy import Connection

from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import Family
from cohortd.core.planning import Target
from cohortd.ledger.rows import DIGEST_WORDS, MEMBER_WORDS, Rows
from cohortd.ledger.spill import Block, Spill, cells_of

#: A target's cells: one for each first byte of a key.
CELLS: Final = 256


@dataclass(slots=True)
class Place:
    """A target in a comparison."""

    number: int
    target: Target
    family: Family
    #: Its remote audience, once there is one.
    remote: int | None = None

    def cells(self, part: int, parts: int) -> tuple[int, int]:
        """Return the cells of one of *parts* equal parts of its keys."""
        width = CELLS // parts
        low = self.number * CELLS + part * width
        return low, low + width


@dataclass(slots=True)
class Staging:
    """The rows that a comparison's caller wants to be on the platforms."""

    connection: Connection
    folder: Path
    places: dict[Target, Place] = field(default_factory=dict)
    spill: Spill = field(init=False)

    def __post_init__(self) -> None:
        self.spill = row_spill(self.folder)

    def add(self, target: Target, family: Family, table: pa.Table | pa.RecordBatch | None) -> None:
        """Stage rows (``STAGED``), or nobody."""
        place = self._place(target, family)
        if table is not None and table.num_rows:
            put(self.spill, place, Rows.of(table), by_member=False)

    def count(self, place: Place) -> int:
        """Count the rows staged for a target."""
        return self.spill.count(*place.cells(0, 1))

    def read(self, place: Place, part: int, parts: int) -> Rows:
        """Read one of *parts* parts of what is staged for a target."""
        return read_rows(self.spill, place.cells(part, parts))

    def include_remotes(self) -> None:
        """Bring in the remote audiences as they are now; where nothing was staged, nobody is desired."""
        rows = self.connection.exec_driver_sql(
            "SELECT id, audience, destination, family, state FROM remote WHERE superseded = 0 ORDER BY id"
        ).all()
        for row in rows:
            target = Target(row.audience, row.destination)
            if target not in self.places and row.state != "retired":
                self.places[target] = Place(len(self.places), target, Family(row.family))
            if target in self.places:
                self.places[target].remote = row.id

    def in_order(self) -> Sequence[Place]:
        """Return every target in the order of their names."""
        return sorted(
            self.places.values(), key=lambda place: (place.target.audience, place.target.destination)
        )

    def _place(self, target: Target, family: Family) -> Place:
        if target not in self.places:
            found = self.connection.exec_driver_sql(
                "SELECT family FROM remote WHERE audience = ? AND destination = ? AND superseded = 0",
                (target.audience, target.destination),
            ).scalar()
            if found is not None and found != family.value:
                raise LedgerError(f"{target.destination} takes {found} identifiers, not {family.value}")
            self.places[target] = Place(len(self.places), target, family)
        place = self.places[target]
        if place.family is not family:
            raise LedgerError(
                f"{target.destination} was staged with {place.family.value} identifiers before"
            )
        return place


def row_spill(folder: Path) -> Spill:
    """Make a spill for ``put`` and ``read_rows``."""
    return Spill(folder, (DIGEST_WORDS, MEMBER_WORDS))


def put(spill: Spill, place: Place, rows: Rows, *, by_member: bool) -> None:
    """Keep a target's rows by their digests, or by their members."""
    cells = cells_of(rows.member if by_member else rows.digest, place.number * CELLS)
    spill.add(cells, Block((rows.digest, rows.member), rows.kind, rows.payload))


def read_rows(spill: Spill, cells: tuple[int, int]) -> Rows:
    """Read the rows of some cells."""
    found = spill.read(*cells)
    digest, member = found.words
    return Rows(digest, member, found.byte, found.payload)
