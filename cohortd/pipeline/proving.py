"""Whether the removal log is what it was when it was written."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from cohortd.core.errors import SettingsError
from cohortd.core.removals import RemovalEntry, SignedHead
from cohortd.core.times import format_time
from cohortd.ledger import HEADS_FILE, KeptHead, RemovalLog, read_all_kept
from cohortd.pipeline.stamping import Stamps, check_stamps
from cohortd.pipeline.wiring import Pipeline
from consent import Finding, Survey, verify, verify_witnesses


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
    #: Time stamps of kept heads that were checked.
    stamps: Stamps

    def as_json(self) -> dict[str, object]:
        """The answer of ``log verify --json``."""
        return {
            "status": "ok" if self.ok else "altered",
            "entries": self.entries,
            "head": self.head,
            "public_key": self.public_key,
            "witnesses": self.witnesses,
            "stamps": self.stamps.count,
            "newest_stamp": None if self.stamps.newest is None else format_time(self.stamps.newest),
            "finding": self.finding or None,
        }


def verify_log(
    pipeline: Pipeline,
    *,
    public_keys: Collection[str] = (),
    heads_from: Path | None = None,
    certificate: Path | None = None,
) -> Proof:
    """Check the chain, the signed head, and every head that was kept outside the database.

    Args:
        pipeline: Whose log.
        public_keys: The keys it may be signed by, hex; this installation's own where none is given.
        heads_from: A copy of the heads that was kept elsewhere, or a folder with one, looked at as well.
        certificate: By which their time stamps are checked; the one in the settings where none is given.

    Raises:
        SettingsError: There are no heads in *heads_from*.
    """
    removals = pipeline.ledger.removals
    copies = _kept(pipeline, heads_from)
    heads = [*removals.witnesses(), *(each.head for each in copies)]
    keys = public_keys or (pipeline.log_key,)
    survey = Survey(heads, public_keys=keys)
    head = removals.through(survey.take)
    finding = None if survey.is_whole(head) else _explained(removals, heads, keys)
    authority = certificate or pipeline.heads.timestamp_certificate
    stamps = check_stamps(copies, authority) if copies and authority is not None else Stamps()
    text = str(finding) if finding is not None else stamps.finding or _wiped(pipeline, survey.size)
    return Proof(
        ok=not text,
        entries=survey.size,
        head=head.hash if head is not None else "",
        public_key=pipeline.log_key,
        witnesses=len({kept.seq for kept in heads}),
        finding=text,
        stamps=stamps,
    )


def _explained(removals: RemovalLog, heads: Sequence[SignedHead], keys: Collection[str]) -> Finding | None:
    """Find the first thing wrong, with the whole log in memory."""
    entries: list[RemovalEntry] = []
    head = removals.through(entries.extend)
    finding = verify(entries, head=head, public_keys=keys)
    if finding is None or not entries:
        finding = verify_witnesses(entries, heads, public_keys=keys) or finding
    return finding


def _kept(pipeline: Pipeline, place: Path | None) -> list[KeptHead]:
    if place is None:
        return []
    files = [place]
    if place.is_dir():  # other installations may keep theirs there as well
        named = (HEADS_FILE, f"removal-log-heads-{pipeline.ledger.code}.jsonl")
        files = [place / name for name in named]
    heads = [head for file in files for head in read_all_kept(file)]
    if not heads:
        raise SettingsError(f"{place}: holds no signed head; name a copy of {HEADS_FILE}")
    return heads


def _wiped(pipeline: Pipeline, entries: int) -> str:
    if entries or not pipeline.ledger.consent.has_revocations():
        return ""
    return "the log is cut off to nothing, although withdrawals are recorded: its entries were deleted"
