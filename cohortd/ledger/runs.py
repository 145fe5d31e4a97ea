"""The history of runs."""

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Row

from cohortd.core.errors import LedgerError
from cohortd.core.times import format_time, parse_time
from cohortd.ledger.database import Database

RUNNING: Final = "running"
ABANDONED: Final = "abandoned"

_COLUMNS = "id, kind, as_of, started_at, finished_at, status, summary"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as it was recorded."""

    id: str
    kind: str
    as_of: datetime
    started_at: datetime
    finished_at: datetime | None
    #: running, abandoned, or what the run itself said of its end.
    status: str
    summary: dict[str, object] = field(default_factory=dict)


class Runs:
    """Runs, newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, kind: str, *, as_of: datetime, at: datetime) -> str:
        """Record that a run began; its id sorts by time."""
        run_id = f"{at.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        with self._database.write() as connection:
            while connection.exec_driver_sql("SELECT 1 FROM run WHERE id = ?", (run_id,)).first():
                run_id = f"{run_id[:15]}-{secrets.token_hex(2)}"
            connection.exec_driver_sql(
                f"INSERT INTO run ({_COLUMNS}, number) VALUES (?, ?, ?, ?, NULL, ?, '{{}}',"
                " (SELECT coalesce(max(number), 0) + 1 FROM run))",
                (run_id, kind, format_time(as_of), format_time(at), RUNNING),
            )
        return run_id

    def finish(self, run_id: str, *, status: str, summary: dict[str, object], at: datetime) -> None:
        """Record how a run ended.

        Raises:
            LedgerError: There is no such run.
        """
        with self._database.write() as connection:
            found = connection.exec_driver_sql(
                "UPDATE run SET status = ?, summary = ?, finished_at = ? WHERE id = ?",
                (status, json.dumps(summary), format_time(at), run_id),
            )
            if found.rowcount != 1:
                raise LedgerError(f"there is no run {run_id}")

    def abandon_open(self, at: datetime) -> int:
        """Close the runs that a dead process left open; the caller leads, so none of them lives."""
        with self._database.write() as connection:
            return connection.exec_driver_sql(
                "UPDATE run SET status = ?, finished_at = ? WHERE status = ?",
                (ABANDONED, format_time(at), RUNNING),
            ).rowcount

    def last(self, kind: str | None = None, status: str | Collection[str] | None = None) -> RunRow | None:
        """Return the newest run of this kind with this status, or with one of these."""
        wanted = [status] if isinstance(status, str) else list(status or ())
        where = "AND status IN (SELECT value FROM json_each(?))" if status is not None else ""
        with self._database.read() as connection:
            row = connection.exec_driver_sql(
                f"SELECT {_COLUMNS} FROM run WHERE kind = coalesce(?, kind) {where}"
                " ORDER BY started_at DESC, number DESC LIMIT 1",
                (kind, json.dumps(wanted)) if where else (kind,),
            ).first()
        return _run(row) if row is not None else None

    def get(self, run_id: str) -> RunRow | None:
        """Return one run, None where there is no such."""
        with self._database.read() as connection:
            row = connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM run WHERE id = ?", (run_id,)).first()
        return _run(row) if row is not None else None

    def list(self, limit: int) -> Sequence[RunRow]:
        """Return the newest runs, newest first."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT {_COLUMNS} FROM run ORDER BY started_at DESC, number DESC LIMIT ?",
                (limit,),
            ).all()
        return [_run(row) for row in rows]


def _run(row: Row[tuple[str, ...]]) -> RunRow:
    return RunRow(
        id=row.id,
        kind=row.kind,
        as_of=parse_time(row.as_of),
        started_at=parse_time(row.started_at),
        finished_at=parse_time(row.finished_at) if row.finished_at else None,
        status=row.status,
        summary=json.loads(row.summary),
    )
