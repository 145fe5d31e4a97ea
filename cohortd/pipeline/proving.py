"""Whether the removal log is what it was when it was written."""

from dataclasses import dataclass

from cohortd.pipeline.wiring import Pipeline
from consent import verify


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcome of a check of the whole log."""

    ok: bool
    entries: int
    head: str
    public_key: str
    #: The first thing wrong, in words; empty if nothing is.
    finding: str

    def as_json(self) -> dict[str, object]:
        """The answer of ``log verify --json``."""
        return {
            "status": "ok" if self.ok else "altered",
            "entries": self.entries,
            "head": self.head,
            "public_key": self.public_key,
            "finding": self.finding or None,
        }


def verify_log(pipeline: Pipeline) -> Proof:
    """Check the chain, the signed head, and the head that was witnessed outside the database."""
    removals = pipeline.ledger.removals
    entries = list(removals.entries())
    head = removals.head()
    finding = verify(entries, head=head, public_key=pipeline.log_key)
    text = str(finding) if finding is not None else _rolled_back(pipeline, len(entries))
    return Proof(
        ok=not text,
        entries=len(entries),
        head=head.hash if head is not None else "",
        public_key=pipeline.log_key,
        finding=text,
    )


def _rolled_back(pipeline: Pipeline, entries: int) -> str:
    """Compare with the newest head written beside the database: an older database comes to light."""
    witnessed = pipeline.ledger.removals.witnessed_head()
    if witnessed is None or witnessed.seq <= entries:
        return _wiped(pipeline, entries)
    return (
        f"the log ends at entry {entries}, but entry {witnessed.seq} was signed before:"
        " entries were cut off, or an older database was put back"
    )


def _wiped(pipeline: Pipeline, entries: int) -> str:
    if entries or not pipeline.ledger.consent.active():
        return ""
    return "the log is cut off to nothing, although withdrawals are recorded: its entries were deleted"
