"""One person's entries of the removal log, proven against a signed head without the rest of the log."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cohortd.core.removals import CONCEALED, KEYED_SINCE, RemovalEntry, SignedHead
from consent.concealing import reveal
from consent.merkle import audit_paths, leads_to
from consent.removal_log import Finding, Tampering, is_sealed, is_signed_by_any

_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Included:
    """An entry and the hashes that lead from it to the root."""

    entry: RemovalEntry
    path: Sequence[str]
    #: Opens what the entry conceals, hex; empty where nothing is told of it.
    key: str = ""
    #: What it conceals, in plain, by its fields.
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Entries that are in the log of a signed head."""

    head: SignedHead
    entries: Sequence[Included]


def prove(hashes: Sequence[str], head: SignedHead, chosen: Sequence[RemovalEntry]) -> InclusionProof:
    """Prove entries, in their order, out of the hashes of the whole log up to *head*."""
    paths = audit_paths(hashes[: head.seq], [entry.seq for entry in chosen])
    return InclusionProof(head, [Included(*each) for each in zip(chosen, paths, strict=True)])


def verify_inclusion(proof: InclusionProof, *, public_keys: Collection[str]) -> Finding | None:
    """Check a proof by itself.

    It proves that each entry is in the log of its head as it stands there, not that there is no other
    entry about the person.

    Returns:
        The first thing wrong, or None if nothing is.
    """
    head = proof.head
    if not _HASH.fullmatch(head.root) or not is_signed_by_any(head, public_keys):
        return Finding(head.seq, Tampering.WRONG_KEY, "the head of the proof is not signed by this key")
    numbers = [included.entry.seq for included in proof.entries]
    if numbers != sorted(set(numbers)):
        return Finding(numbers[0], Tampering.REORDERED, "the entries of the proof are not in their order")
    return next((finding for each in proof.entries if (finding := _check(each, head)) is not None), None)


def _check(included: Included, head: SignedHead) -> Finding | None:
    entry = included.entry
    if not is_sealed(entry):
        return Finding(entry.seq, Tampering.CHANGED, "was changed: its content does not fit its hash")
    is_whole = all(_HASH.fullmatch(step) for step in included.path)
    if not is_whole or not leads_to(
        head.root, entry.hash, number=entry.seq, size=head.seq, path=included.path
    ):
        return Finding(entry.seq, Tampering.INSERTED, "is not in the log that was signed")
    if not _is_told_truly(included):
        return Finding(entry.seq, Tampering.CHANGED, "conceals other words than the proof tells")
    return None


def _is_told_truly(included: Included) -> bool:
    entry, key = included.entry, included.key
    if not included.told:
        return True
    if (
        entry.schema_version < KEYED_SINCE
        or not _HASH.fullmatch(key)
        or not {*included.told} <= {*CONCEALED}
    ):
        return False
    return all(
        reveal(bytes.fromhex(key), getattr(entry, name)) == text for name, text in included.told.items()
    )
