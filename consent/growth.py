"""Two signed heads of the removal log, and the proof that between them it only grew."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from cohortd.core.removals import SignedHead
from consent.merkle import grew, growth_path
from consent.removal_log import Finding, Tampering, is_signed_by_any

_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class GrowthProof:
    """A log that begins with all entries that an older head stood for."""

    old: SignedHead
    new: SignedHead
    path: Sequence[str]


def prove_growth(hashes: Sequence[str], old: SignedHead, new: SignedHead) -> GrowthProof:
    """Prove, out of the hashes of the whole log up to *new*, that it begins with what *old* stands for."""
    return GrowthProof(old, new, growth_path(hashes[: new.seq], old.seq))


def verify_growth(
    proof: GrowthProof, *, public_keys: Collection[str], kept: Collection[SignedHead] = ()
) -> Finding | None:
    """Check a proof by itself: no entry is needed.

    Args:
        proof: The proof.
        public_keys: The keys both heads may be signed by.
        kept: Heads that whoever checks has kept: the older one must be among them, if there are any.

    Returns:
        What is wrong, or None if nothing is.
    """
    old, new = proof.old, proof.new
    for head in (old, new):
        if not _HASH.fullmatch(head.root) or not is_signed_by_any(head, public_keys):
            return Finding(head.seq, Tampering.WRONG_KEY, "a head of the proof is not signed by this key")
    if kept and not any((one.seq, one.hash, one.root) == (old.seq, old.hash, old.root) for one in kept):
        return Finding(old.seq, Tampering.CHANGED, "the proof begins at another head than the one kept")
    if new.seq < old.seq:
        return Finding(new.seq + 1, Tampering.CUT_OFF, f"is missing: entry {old.seq} was signed before")
    is_whole = all(_HASH.fullmatch(step) for step in proof.path)
    if not is_whole or not grew((old.seq, old.root), (new.seq, new.root), proof.path):
        return Finding(old.seq, Tampering.CHANGED, "or one above it is not what the older head stood for")
    return None
