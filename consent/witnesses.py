"""Signed heads that were kept outside the database: what they say the log must hold."""

from collections.abc import Collection, Iterable, Sequence

from cohortd.core.removals import RemovalEntry, SignedHead, Tree
from consent.merkle import grow
from consent.removal_log import Finding, Tampering, is_signed_by_any


def verify_witnesses(
    log: Sequence[RemovalEntry], heads: Iterable[SignedHead], *, public_keys: Collection[str]
) -> Finding | None:
    """Check that the log still holds every head that was ever kept of it.

    A log that was cut off and grew again, or was written anew by whoever holds the key, is sound in
    itself; it differs from what was kept.

    Args:
        log: Every entry, in its order; sound in itself.
        heads: In any order.
        public_keys: 32 bytes each, hex: the keys the heads may be signed by.

    Returns:
        What the earliest head shows that does not fit, or None if all do.
    """
    tree = Tree()
    for head in sorted(heads, key=lambda head: head.seq):
        if not is_signed_by_any(head, public_keys):
            return Finding(head.seq, Tampering.WRONG_KEY, "a kept head of it is signed by another key")
        if head.seq > len(log):
            return Finding(
                len(log) + 1,
                Tampering.CUT_OFF,
                f"is missing: entry {head.seq} was signed before, but the log ends at entry {len(log)};"
                " entries were cut off, or an older database was put back",
            )
        if head.seq < 1 or log[head.seq - 1].hash != head.hash:
            return Finding(
                head.seq,
                Tampering.CHANGED,
                "is not the one that a kept head shows: the log was written anew,"
                " or an older database was put back and went on",
            )
        tree = grow(tree, (entry.hash for entry in log[tree.size : head.seq]))
        if head.root and tree.root != head.root:
            return Finding(head.seq, Tampering.CHANGED, "was signed with a tree of other entries")
    return None
