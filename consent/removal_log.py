"""The removal log's seal: a chain of hashes with a signed head, and the finding of what was altered."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cohortd.core.removals import RemovalEntry, SignedHead, Tree
from consent.merkle import grow

#: What stands above the first entry.
_NOTHING_ABOVE: Final = frozenset({"", "0" * 64})
_AFTER_HEAD: Final = "was inserted: it comes after the signed head"
_FIELDS: Final = tuple(field.name for field in fields(RemovalEntry))
_UNSEALED: Final = frozenset({"seq", "previous", "hash"})
#: What entries of the first version had; the others are sealed with all there is.
_FIRST: Final = frozenset(
    {
        *("at", "event", "subject", "trigger", "source", "event_time", "audience", "destination"),
        *("platform", "account", "remote_id", "identifier_kinds", "batch", "detail"),
    }
)


class Tampering(StrEnum):
    """What was done to the log."""

    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    CUT_OFF = "cut_off"
    UNSIGNED = "unsigned"
    WRONG_KEY = "wrong_key"


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing wrong in the log."""

    seq: int
    kind: Tampering
    detail: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"entry {self.seq}: {self.detail}"


def seal_entry(previous: str, fields: Mapping[str, object]) -> str:
    """Hash an entry's fields together with the hash above; lower-case hex.

    Of an entry of the first version whatever it did not have is left out while it is blank: filled in
    afterwards, it does not fit the hash.
    """
    old = fields.get("schema_version", 1) == 1
    sealed = {
        name: value
        for name, value in fields.items()
        if name not in _UNSEALED and not (old and name not in _FIRST and _is_blank(name, value))
    }
    text = json.dumps([previous, sealed], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _is_blank(name: str, value: object) -> bool:
    return name == "schema_version" or value in ("", 0)


def verify(
    entries: Iterable[RemovalEntry], *, head: SignedHead | None, public_keys: Collection[str]
) -> Finding | None:
    """Check the whole log, in its order, against its signed head.

    Args:
        entries: Every entry, from the first.
        head: The newest signed head.
        public_keys: 32 bytes each, hex: the keys the head may be signed by.

    Returns:
        The first thing wrong, or None if nothing is.
    """
    log = list(entries)
    broken = next((index for index in range(len(log)) if not _is_sound(log, index)), None)
    if broken is not None:
        if head is not None and any(entry.hash == head.hash for entry in log[:broken]):
            return Finding(log[broken].seq, Tampering.INSERTED, _AFTER_HEAD)  # all that was signed is whole
        return _explain(log, broken)
    misnumbered = next((entry for number, entry in enumerate(log, 1) if entry.seq != number), None)
    if misnumbered is not None:
        return Finding(misnumbered.seq, Tampering.CHANGED, "its number was changed")
    return _check_head(log, head, public_keys) or _check_tree(log, head)


def follows(above: str, entry: RemovalEntry) -> bool:
    """Whether an entry is whole and stands below the hash *above*, blank for the log's beginning."""
    is_linked = entry.previous == above if above else entry.previous in _NOTHING_ABOVE
    return is_linked and is_sealed(entry)


def is_sealed(entry: RemovalEntry) -> bool:
    """Whether its content fits its hash."""
    return seal_entry(entry.previous, {name: getattr(entry, name) for name in _FIELDS}) == entry.hash


def _is_sound(log: Sequence[RemovalEntry], index: int) -> bool:
    return follows(log[index - 1].hash if index else "", log[index])


def _explain(log: Sequence[RemovalEntry], index: int) -> Finding:
    """Say what was done at the first entry that does not fit."""
    entry = log[index]
    if _is_skipped(log, index):
        return Finding(entry.seq, Tampering.INSERTED, "was inserted: the entry below does not know it")
    if not is_sealed(entry):
        return Finding(entry.seq, Tampering.CHANGED, "was changed: its content does not fit its hash")
    above = _find_above(log, entry)
    if above is not None and above > index:
        return Finding(
            entry.seq, Tampering.REORDERED, "was moved: the entry that belongs above it comes later"
        )
    if above is not None:
        inserted = log[above + 1]
        return Finding(inserted.seq, Tampering.INSERTED, "was inserted: the entries below do not know it")
    return _explain_lost(log, index)


def _find_above(log: Sequence[RemovalEntry], entry: RemovalEntry) -> int | None:
    """Find where the entry stands that belongs above; -1 for the log's very beginning."""
    if entry.previous in _NOTHING_ABOVE:
        return -1
    return next((at for at, other in enumerate(log) if other.hash == entry.previous), None)


def _is_skipped(log: Sequence[RemovalEntry], index: int) -> bool:
    """Whether the chain goes on past this entry, which itself was not merely moved here."""
    if index + 1 >= len(log):
        return False
    above = {log[index - 1].hash} if index else _NOTHING_ABOVE
    later = {entry.hash for entry in log[index + 1 :]}
    return log[index + 1].previous in above and log[index].previous not in later


def _explain_lost(log: Sequence[RemovalEntry], index: int) -> Finding:
    """Tell a hole in the numbers from an entry that was written and sealed anew."""
    last = log[index - 1].seq if index else 0
    if log[index].seq > last + 1 or not index:
        return Finding(
            last + 1, Tampering.DELETED, f"is missing: entry {log[index].seq} follows {last or 'nothing'}"
        )
    return Finding(
        last,
        Tampering.CHANGED,
        "was written anew, or entries below it were deleted and the rest numbered anew",
    )


def _check_head(
    log: Sequence[RemovalEntry], head: SignedHead | None, public_keys: Collection[str]
) -> Finding | None:
    if head is None:
        unsigned = "is not signed: the signed head is missing"
        return Finding(log[-1].seq, Tampering.UNSIGNED, unsigned) if log else None
    if not is_signed_by_any(head, public_keys):
        return Finding(head.seq, Tampering.WRONG_KEY, "its signature is not by this key")
    signed = next((at for at, entry in enumerate(log, 1) if entry.hash == head.hash), None)
    if signed is None:
        return _explain_unsigned(log, head)
    if signed != head.seq:
        return Finding(head.seq, Tampering.CHANGED, "the number of the signed head was changed")
    if signed < len(log):
        return Finding(signed + 1, Tampering.INSERTED, _AFTER_HEAD)
    return None


def _check_tree(log: Sequence[RemovalEntry], head: SignedHead | None) -> Finding | None:
    if head is None or not head.root or grow(Tree(), (entry.hash for entry in log)).root == head.root:
        return None
    return Finding(head.seq, Tampering.CHANGED, "was signed with a tree of other entries")


def _explain_unsigned(log: Sequence[RemovalEntry], head: SignedHead) -> Finding:
    if head.seq > len(log):
        return Finding(
            len(log) + 1, Tampering.CUT_OFF, f"is missing: the log was signed up to entry {head.seq}"
        )
    return Finding(head.seq, Tampering.CHANGED, "is not the one that was signed: the log was written anew")


def is_signed_by_any(head: SignedHead, public_keys: Collection[str]) -> bool:
    """Whether *head* was signed by one of the keys."""
    return any(is_signed(head, key) for key in public_keys)


def is_signed(head: SignedHead, public_key: str) -> bool:
    """Whether *head* was signed by the key."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(head.signature), head.signed_text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
