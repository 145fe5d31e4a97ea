"""Whether the removal log is what it was when it was written."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cohortd.core.errors import SettingsError
from cohortd.core.removals import RemovalEntry, SignedHead
from cohortd.ledger import RemovalLog, read_heads
from cohortd.pipeline.wiring import Pipeline
from consent import verify, verify_witnesses


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcome of a check of the whole log."""

    ok: bool
    entries: int
    head: str
    public_key: str
    #: Heads kept outside the database that the log was compared with.
    witnesses: int
    #: The first thing wrong, in words; empty if nothing is.
    finding: str

    def as_json(self) -> dict[str, object]:
        """The answer of ``log verify --json``."""
        return {
            "status": "ok" if self.ok else "altered",
            "entries": self.entries,
            "head": self.head,
            "public_key": self.public_key,
            "witnesses": self.witnesses,
            "finding": self.finding or None,
        }


def verify_log(
    pipeline: Pipeline, *, public_keys: Collection[str] = (), heads_file: Path | None = None
) -> Proof:
    """Check the chain, the signed head, and every head that was kept outside the database.

    Args:
        public_keys: The keys it may be signed by, hex; this installation's own where none is given.
        heads_file: A copy of the heads that was kept elsewhere, looked at as well.

    Raises:
        SettingsError: There are no heads in *heads_file*.
    """
    removals = pipeline.ledger.removals
    heads = [*removals.witnesses(), *_kept(heads_file)]
    keys = public_keys or (pipeline.log_key,)
    head, entries = as_of_one_moment(removals)
    finding = verify(entries, head=head, public_keys=keys)
    if finding is None or not entries:
        finding = verify_witnesses(entries, heads, public_keys=keys) or finding
    text = str(finding) if finding is not None else _wiped(pipeline, entries)
    return Proof(
        ok=not text,
        entries=len(entries),
        head=head.hash if head is not None else "",
        public_key=pipeline.log_key,
        witnesses=len({kept.seq for kept in heads}),
        finding=text,
    )


def as_of_one_moment(removals: RemovalLog) -> tuple[SignedHead | None, list[RemovalEntry]]:
    """Read the log between two equal heads: another process may be writing to it meanwhile."""
    while True:
        head = removals.head()
        entries = list(removals.entries())
        if removals.head() == head:
            return head, entries


def _kept(file: Path | None) -> list[SignedHead]:
    if file is None:
        return []
    heads = read_heads(file)
    if not heads:
        raise SettingsError(f"{file}: holds no signed head; name a copy of removal-log-heads.jsonl")
    return heads


def _wiped(pipeline: Pipeline, entries: Collection[RemovalEntry]) -> str:
    if entries or not pipeline.ledger.consent.has_revocations():
        return ""
    return "the log is cut off to nothing, although withdrawals are recorded: its entries were deleted"
