"""The account of one run: every batch, and what the platform said of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cohortd.core.errors import SettingsError
from cohortd.core.times import format_time
from cohortd.ledger import PastBatch, RunRow
from cohortd.pipeline.wiring import Pipeline

#: Rows named of a batch of which the platform did not take some.
ROWS_NAMED: Final = 20
_DIGITS: Final = 8
_WORDS: Final = {
    "pending": "waiting to be sent",
    "sending": "sent, no answer: it is sent again",
    "accepted": "accepted, still processing",
    "confirmed": "confirmed",
    "rejected": "rejected",
}


@dataclass(frozen=True, slots=True)
class Account:
    """A run, and the batches it had to do with."""

    run: RunRow
    batches: list[dict[str, object]]

    @property
    def title(self) -> str:
        """The run in a line."""
        return f"{self.run.kind} {self.run.id}: {self.run.status}, {len(self.batches):,} batches"

    def as_json(self) -> dict[str, object]:
        """The answer of ``runs --run --json``."""
        return {"run": _run(self.run), "batches": self.batches}


def account_of(pipeline: Pipeline, run_id: str) -> Account:
    """Say where every batch stands now that was open at some time of a run.

    Raises:
        SettingsError: There is no such run.
    """
    run = pipeline.ledger.runs.get(run_id)
    if run is None:
        raise SettingsError(f"there is no run {run_id}; cohortd runs lists those there are")
    batches = pipeline.ledger.history.batches(run.started_at, run.finished_at or pipeline.clock())
    return Account(run, [_told(pipeline, batch) for batch in batches])


def sentence(batch: Mapping[str, object]) -> str:
    """Where a batch stands, for people."""
    return _WORDS[str(batch["state"])]


def reasons(account: Account) -> Iterator[str]:
    """Yield what the platforms said: of whom they did not take, and besides."""
    for batch in account.batches:
        rejected, rows = batch["rejected"], batch["rejected_rows"]
        assert isinstance(rejected, dict)
        assert isinstance(rows, list)
        for reason, count in rejected.items():
            named = [f"{row['kind']} {row['digest']}" for row in rows if row["reason"] == reason]
            yield f"batch {batch['batch']}: {count:,} not taken: {reason}" + (
                f" ({', '.join(named)})" if named else ""
            )
        if batch["note"]:
            yield f"batch {batch['batch']}: {batch['note']}"


def _run(run: RunRow) -> dict[str, object]:
    return {
        "run_id": run.id,
        "kind": run.kind,
        "status": run.status,
        "started_at": format_time(run.started_at),
        "finished_at": format_time(run.finished_at) if run.finished_at else None,
        "notes": run.summary.get("notes", []),
    }


def _told(pipeline: Pipeline, batch: PastBatch) -> dict[str, object]:
    return {
        "batch": batch.id,
        "audience": batch.target.audience,
        "destination": batch.target.destination,
        "remote_id": batch.remote_id,
        "action": batch.action.value,
        "lane": batch.lane.value,
        "state": batch.state,
        "attempts": batch.attempts,
        "members": batch.members,
        "done": batch.done,
        "rejected": dict(batch.rejected),
        "rejected_rows": _named(pipeline, batch),
        "request": batch.request,
        "note": batch.note,
        "queued_at": format_time(batch.queued_at),
        "accepted_at": format_time(batch.accepted_at) if batch.accepted_at else None,
        "settled_at": format_time(batch.settled_at) if batch.settled_at else None,
    }


def _named(pipeline: Pipeline, batch: PastBatch) -> Sequence[dict[str, str]]:
    """Name some of the rows by the first digits of their digests."""
    if not batch.rejected:
        return []
    return [
        {"kind": row.kind.name.lower(), "digest": f"{row.digest.hex()[:_DIGITS]}…", "reason": row.reason}
        for row in pipeline.ledger.history.rejected(batch.target, batch.id, most=ROWS_NAMED)
    ]
