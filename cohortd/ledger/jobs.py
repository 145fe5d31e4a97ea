"""What each job of the daemon did last: one row a job, written by whoever leads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Row

from cohortd.core.times import format_time, parse_time
from cohortd.ledger.database import Database

RUNNING: Final = "running"
#: Its process ended before it did, or was asked to.
INTERRUPTED: Final = "interrupted"


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job's last time."""

    name: str
    started_at: datetime
    finished_at: datetime | None
    #: running, interrupted, or what was said of its end.
    outcome: str
    detail: str = ""
    #: How often in a row its process ended before it did.
    cut_off: int = 0


class Jobs:
    """The jobs of the daemon."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Mapping[str, JobRow]:
        """Return name -> what it did last."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, started_at, finished_at, outcome, detail, cut_off FROM job"
            ).all()
        return {row.name: _job(row) for row in rows}

    def begin(self, name: str, *, at: datetime) -> None:
        """Note that a job begins."""
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO job (name, started_at, finished_at, outcome, detail, cut_off)"
                " VALUES (?, ?, NULL, ?, '', 0) ON CONFLICT (name) DO UPDATE SET"
                " started_at = excluded.started_at, finished_at = NULL, outcome = excluded.outcome,"
                " detail = ''",
                (name, format_time(at), RUNNING),
            )

    def end(self, name: str, *, at: datetime, outcome: str, detail: str = "") -> None:
        """Note how a job ended."""
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "UPDATE job SET finished_at = ?, outcome = ?, detail = ?, cut_off = 0 WHERE name = ?",
                (format_time(at), outcome, detail, name),
            )

    def tell(self, name: str, detail: str) -> None:
        """Note something of a job that runs, for people."""
        with self._database.write() as connection:
            connection.exec_driver_sql("UPDATE job SET detail = ? WHERE name = ?", (detail, name))

    def interrupt_open(self, at: datetime) -> None:
        """Close what a dead process left open; the caller leads, so none of it is under way."""
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "UPDATE job SET finished_at = ?, outcome = ?, cut_off = cut_off + 1 WHERE outcome = ?",
                (format_time(at), INTERRUPTED, RUNNING),
            )


def _job(row: Row[tuple[str, ...]]) -> JobRow:
    return JobRow(
        name=row.name,
        started_at=parse_time(row.started_at),
        finished_at=parse_time(row.finished_at) if row.finished_at else None,
        outcome=row.outcome,
        detail=row.detail,
        cut_off=row.cut_off,
    )
