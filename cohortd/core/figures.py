"""What a table looks like in a few numbers: kept from run to run, to see when its source broke."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table of events: all of them, or the new ones."""

    rows: int = 0
    #: Rows that say what another row has said: same customer, time and amounts.
    repeated: int = 0
    #: Rows whose time is midnight to the second.
    midnight: int = 0
    #: Rows of the same second as the newest of all.
    latest: int = 0

    @property
    def repeated_share(self) -> float:
        """Which part of the rows only repeats others."""
        return self.repeated / self.rows if self.rows else 0.0

    @property
    def midnight_share(self) -> float:
        """Which part of the rows is of midnight."""
        return self.midnight / self.rows if self.rows else 0.0

    @property
    def latest_share(self) -> float:
        """Which part of the rows is of the newest second."""
        return self.latest / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class ColumnFigures:
    """One column; never a value of a row, but for a middle of at least some dozen."""

    #: Rows with a value.
    rows: int
    #: Whether all of these are the same.
    constant: bool
    #: The median of the numbers other than 0, without their sign, and how many of them there are.
    middle: float | None = None
    numbers: int = 0
    #: The same of the new rows.
    new_middle: float | None = None
    new_numbers: int = 0


@dataclass(frozen=True, slots=True)
class TableFigures:
    """One table as a run saw it."""

    table: str
    columns: Mapping[str, ColumnFigures] = field(default_factory=dict)
    #: Events only, from here on. New is what is later than the newest event of the run before, and at
    #: least the last day.
    all: Rows = Rows()
    new: Rows = Rows()
    #: Rows left out because their time is yet to come.
    later: int = 0
    #: In UTC, as text; empty where there is no event.
    oldest: str = ""
    newest: str = ""
    #: Rows of the busiest day, and by day of the last weeks.
    busiest: int = 0
    days: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """As a run's summary keeps it."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Make it again of what ``as_json`` gave."""
        columns = {name: ColumnFigures(**figures) for name, figures in kept["columns"].items()}
        return cls(**{**kept, "columns": columns, "all": Rows(**kept["all"]), "new": Rows(**kept["new"])})
