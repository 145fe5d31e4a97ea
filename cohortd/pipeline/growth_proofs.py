"""That the removal log only grew since a head that somebody kept, proven in a file without any entry."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cohortd.core.errors import SettingsError
from cohortd.core.removals import SignedHead
from cohortd.ledger import read_heads
from cohortd.pipeline.wiring import Pipeline
from consent import GrowthProof, prove_growth, verify_growth

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Grown:
    """What a proof of growth says, and whether it holds."""

    #: The number of the older and the newer signed head.
    since: int
    until: int
    root: str
    #: The first thing wrong, in words; empty if nothing is.
    finding: str = ""

    def as_json(self) -> dict[str, object]:
        """The answer of ``log prove --since --json`` and ``log verify --proof --json``."""
        return {
            "status": "altered" if self.finding else "ok",
            "since": self.since,
            "head": self.until,
            "root": self.root,
            "finding": self.finding or None,
        }


def write_growth_proof(pipeline: Pipeline, since: Path, file: Path) -> Grown:
    """Write the proof that today's log begins with all that the newest head in *since* stands for.

    Raises:
        SettingsError: There is no such head, the log does not hold it, or the file cannot be written.
    """
    old = _newest(since)
    hashes: list[str] = []
    head = pipeline.ledger.removals.through(lambda page: hashes.extend(entry.hash for entry in page))
    if head is None or not old.seq <= head.seq <= len(hashes) or hashes[old.seq - 1] != old.hash:
        raise SettingsError(
            f"{since}: the log does not hold this head; cohortd log verify --heads {since} says why"
        )
    if not head.root or not old.root:
        raise SettingsError(f"{since}: this head is from before there was a tree; keep a newer one")
    proof = prove_growth(hashes, old, head)
    document = {"cohortd_growth": _FORMAT, "old": asdict(old), "new": asdict(head), "path": proof.path}
    try:
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot write {file}: {error.strerror}") from None
    return Grown(old.seq, head.seq, head.root)


def check_growth_proof(
    file: Path, *, public_keys: Collection[str], kept_file: Path | None = None
) -> Grown | None:
    """Check a proof of growth by itself; None where the file is none.

    Args:
        file: What ``write_growth_proof`` wrote.
        public_keys: The keys that both heads may be signed by.
        kept_file: Heads that whoever checks has kept: the proof must begin at one of them.

    Raises:
        SettingsError: A file cannot be read.
    """
    try:
        proof = _read(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror}") from None
    except (ValueError, TypeError):
        return None
    kept = () if kept_file is None else (*read_heads(kept_file),)
    if kept_file is not None and not kept:
        raise SettingsError(f"{kept_file}: holds no signed head")
    finding = verify_growth(proof, public_keys=public_keys, kept=kept)
    said = "" if finding is None else str(finding)
    return Grown(proof.old.seq, proof.new.seq, proof.new.root, said)


def _newest(file: Path) -> SignedHead:
    heads = read_heads(file)
    if not heads:
        raise SettingsError(f"{file}: holds no signed head; name a copy of removal-log-heads.jsonl")
    return max(heads, key=lambda head: head.seq)


def _read(document: object) -> GrowthProof:
    """Take a document apart.

    Raises:
        ValueError, TypeError: It is no proof of growth.
    """
    match document:
        case {"cohortd_growth": 1, "old": dict(old), "new": dict(new), "path": [*path]} if all(
            isinstance(step, str) for step in path
        ):
            return GrowthProof(_head(old), _head(new), path)
        case _:
            raise ValueError("no proof of growth")


def _head(found: dict[str, object]) -> SignedHead:
    match found:
        case {"seq": int(seq), "hash": str(digest), "signature": str(signature), "root": str(root)}:
            return SignedHead(seq, digest, signature, root)
        case _:
            raise ValueError("no head")
