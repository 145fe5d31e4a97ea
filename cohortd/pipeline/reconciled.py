"""What became of a reconciliation, as it is answered, kept and told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.core.times import format_time
from cohortd.pipeline.wiring import Pipeline

KIND: Final = "reconciliation"
#: The export was taken for a whole one, and became what the next is measured by.
WHOLE: Final = ("done", "partial")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What an export said otherwise than the ledger, and what was done."""

    run_id: str
    #: done, partial (withdrawals in it could not be read), stopped (it shrank).
    status: str
    read: int
    #: How many people it names; how many the last whole one did.
    people: int
    people_before: int | None
    newest_at: datetime | None
    #: By ``Difference`` and ``ABSENT``: how many, and keyed hashes of subjects.
    differences: dict[str, int]
    samples: dict[str, list[str]]
    withdrawn: int
    #: Withdrawals, once for each family of platforms.
    lifted: int
    #: Reason -> rows of which nothing came.
    dropped: dict[str, int]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The answer of ``consent reconcile --json``, and what is kept of the run."""
        return {
            "status": self.status,
            "read": self.read,
            "people": self.people,
            "people_before": self.people_before,
            "newest_at": None if self.newest_at is None else format_time(self.newest_at),
            "differences": self.differences,
            "samples": self.samples,
            "withdrawn": self.withdrawn,
            "lifted": self.lifted,
            "dropped": self.dropped,
            "notes": list(self.notes),
        }


def reconciliation_line(pipeline: Pipeline) -> list[AccessCheck]:
    """Say how the last reconciliation ended, if the settings name an export."""
    if pipeline.sources.consent_export is None:
        return []
    last = pipeline.ledger.runs.last(KIND, (*WHOLE, "stopped", "failed"))
    if last is None or last.finished_at is None:
        return [AccessCheck("consent export", ok=True, detail="not reconciled yet")]
    told = last.summary.get("notes") or []
    late = pipeline.clock() - last.finished_at > 2 * pipeline.reconcile_every
    notes = "; ".join(str(note) for note in told) if isinstance(told, list) else ""
    return [
        AccessCheck(
            "consent export",
            ok=last.status == "done" and not notes and not late,
            detail=f"{last.status}, {format_time(last.finished_at)}{f': {notes}' if notes else ''}",
            cure="Is the daemon running?" if late else "See docs/operations.md, When something is wrong.",
            kind="consent_export",
        )
    ]
