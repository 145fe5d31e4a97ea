from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import structlog

from cohortd.core.deadlines import Allowance, Deadlines, Standing
from cohortd.ledger import RunningRemovals
from cohortd.pipeline.alarms import DueRemovals, DueWatch, due_removals

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DUE = Deadlines({"*": Allowance(timedelta(hours=10))})


def removals(destination: str, *, age_h: float, count: int = 1) -> RunningRemovals:
    received_at = NOW - timedelta(hours=age_h)
    return RunningRemovals(destination, received_at, received_at + timedelta(hours=10), count)


@dataclass
class Installation:
    """As much of a pipeline as alarms look at."""

    running: list[RunningRemovals]
    now: datetime = NOW

    @property
    def ledger(self) -> Any:
        return SimpleNamespace(
            removals=SimpleNamespace(deadlines=DUE), clocks=SimpleNamespace(running=lambda: self.running)
        )

    def clock(self) -> datetime:
        return self.now


def test_what_is_late_and_what_will_be_soon_is_counted_by_destination() -> None:
    open_now = [
        removals("meta", age_h=11, count=2),
        removals("google", age_h=6),
        removals("meta", age_h=20),
        removals("meta", age_h=1),
    ]
    found = due_removals(Installation(open_now))  # type: ignore[arg-type]

    assert found == [
        DueRemovals("google", Standing.SOON, 1, NOW + timedelta(hours=4)),
        DueRemovals("meta", Standing.LATE, 3, NOW - timedelta(hours=10)),
    ]


def test_each_is_told_once_when_half_its_time_is_used_and_once_when_it_is_late() -> None:
    installation: Any = Installation([removals("meta", age_h=4, count=3)])
    watch = DueWatch()
    with structlog.testing.capture_logs() as events:
        for hours in (0, 1, 1.1, 6, 6.1, 7):
            installation.now = NOW + timedelta(hours=hours)
            installation.running[0] = removals("meta", age_h=4, count=3 if hours < 7 else 2)
            watch.look(installation)

    assert [(each["event"], each["log_level"], each["removals"]) for each in events] == [
        ("revocation_deadline_neared", "warning", 3),
        ("revocation_deadline_missed", "error", 3),
    ]
    assert all(each["destination"] == "meta" for each in events)
