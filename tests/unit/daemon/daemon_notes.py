"""What a ledger would be told of jobs, and an hourly job."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cohortd.core.turns import Turn
from cohortd.ledger import JobRow

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOURLY = Turn("sync", "1h", lambda at: at + timedelta(hours=1), at_most=timedelta(minutes=15))


@dataclass(slots=True)
class Notes:
    """What the ledger is told of jobs."""

    rows: dict[str, JobRow] = field(default_factory=dict)
    said: list[tuple[str, ...]] = field(default_factory=list)

    def all(self) -> dict[str, JobRow]:
        return self.rows

    def begin(self, name: str, *, at: datetime) -> None:
        self.said.append((name, "began"))

    def end(self, name: str, *, at: datetime, outcome: str, detail: str = "") -> None:
        self.said.append((name, outcome, detail))

    def tell(self, name: str, detail: str) -> None:
        self.said.append((name, detail))
