"""What a first-party table is to us, and the account of what was read of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cohortd.core.reporting import SourceReport

#: More would fill a report without telling more.
MOST_SAMPLES = 20


@dataclass(frozen=True, slots=True)
class TableSource:
    """Where one table is and which of its columns are ours."""

    #: customers, events, consent or context.
    name: str
    #: Absolute; a file, a glob or a directory, or an object store's URI (s3, gs, abfs).
    path: str | None = None
    #: csv, parquet or json; None for what the file's ending says.
    format: str | None = None
    #: SQLAlchemy URL and query instead of a path.
    url: str | None = field(default=None, repr=False)
    query: str | None = None
    #: Our name -> their column; None for every one of our standard names that is there.
    columns: Mapping[str, str] | None = None
    #: Of customers and context: columns wanted as features.
    attributes: tuple[str, ...] = ()
    #: Contact fields whose column is already SHA-256.
    hashed: frozenset[str] = frozenset()
    #: Between several e-mails or phones in one text cell.
    separator: str = ";"


@dataclass(slots=True)
class Tally:
    """What became of a table's rows; nothing in it is a value of a row."""

    table: str
    read: int = 0
    kept: int = 0
    #: Rows after the run's time: no fault, only not seen yet.
    later: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    #: Rows that passed the sieve, and column -> those of them that hold a value.
    sifted: int = 0
    filled: dict[str, int] = field(default_factory=dict)
    samples: list[dict[str, object]] = field(default_factory=list)

    def drop(self, reason: str, count: int, *, rows: Iterable[int] = (), file: str = "") -> None:
        """Count *count* rows left out; *rows* are their numbers, from 1, as far as known."""
        if count == 0:
            return
        self.dropped[reason] = self.dropped.get(reason, 0) + count
        where = {"file": file} if file else {}
        for row in rows:
            if len(self.samples) >= MOST_SAMPLES:
                return
            self.samples.append({"row": int(row), **where, "reason": reason})

    @property
    def dropped_rows(self) -> int:
        """How many rows were left out for a fault."""
        return sum(self.dropped.values())

    def report(self) -> SourceReport:
        """Give the account for the run's report."""
        return SourceReport(
            table=self.table,
            read=self.read,
            kept=self.kept,
            later=self.later,
            dropped=dict(sorted(self.dropped.items())),
            sifted=self.sifted,
            filled=dict(self.filled),
            samples=list(self.samples),
        )
