"""The removal log's entries and who seals them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

#: How the detail of an entry begins that belongs to a removal which only repeats another one: it
#: changes nothing about when that one was confirmed.
REPEATED: Final = "once more, in case an add whose answer was lost lands late"

#: Stands in the detail of a confirmation that only says that a file was written for people to upload.
BY_HAND: Final = "for upload by hand"

#: The trigger of removals because a person is to be erased.
ERASURE: Final = "erasure"

#: Since this version of an entry its subject is a pseudonym of the person's own key.
KEYED_SINCE: Final = 3
#: The fields whose words could name a person: since then they are sealed encrypted.
CONCEALED: Final = ("source", "evidence")


class RemovalEvent(StrEnum):
    """The steps of taking somebody back, in their order."""

    #: The revocation reached us; one entry a subject, without a destination.
    RECORDED = "recorded"
    #: One entry a remote audience in which the person is or may be, from here on.
    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class RemovalEntry:
    """One sealed line of the removal log.

    ``subject`` is a pseudonym (32 hex digits) that only that person's own key makes; in the first two
    versions it was a keyed hash of whom it is about. ``hash`` covers every other field but ``seq`` of
    this entry and ``previous``, the hash of the line above.
    """

    seq: int
    at: str
    event: str
    subject: str
    trigger: str
    source: str
    event_time: str
    audience: str
    destination: str
    platform: str
    account: str
    remote_id: str
    identifier_kinds: str
    batch: int
    detail: str
    previous: str
    hash: str
    #: 1 for entries that were written before there was more than the above; 2 has all of this; since 3
    #: each person has a key, and the fields of ``CONCEALED`` are encrypted under it.
    schema_version: int = 1
    #: A UUID of version 7.
    record_id: str = ""
    regulation: str = ""
    legal_basis: str = ""
    purpose: str = ""
    #: The line of the table of consent that decided: ``revoked`` or ``denied``.
    rule: str = ""
    #: Which evidence came with the record it rests on: SHA-256 of the hex SHA-256 of it.
    evidence: str = ""
    #: When the withdrawal reached us, and by when its removals must be confirmed.
    received_at: str = ""
    due_at: str = ""
    #: Of a confirmation: ``yes`` or ``no``.
    on_time: str = ""
    attempts: int = 0
    #: The platform's name of the request, where it gave one.
    request: str = ""
    #: Who asked for it, where it was done by hand.
    operator: str = ""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The newest entry's number and hash, signed: whoever kept it can tell a log that was cut off."""

    seq: int
    hash: str
    signature: str
    #: Of the Merkle tree of all entries up to this one; blank in heads from before there was a tree.
    root: str = ""

    @property
    def signed_text(self) -> str:
        """What the signature covers."""
        return signed_text(self.seq, self.hash, self.root)


@dataclass(frozen=True, slots=True)
class Tree:
    """The Merkle tree of a log that only grows: its peaks, the largest first, side by side in hex."""

    size: int = 0
    peaks: str = ""
    root: str = ""


def signed_text(seq: int, digest: str, root: str) -> str:
    """Return what is signed of a head; before there was a tree it was the hash alone."""
    return f"cohortd removal log head\n{seq}\n{digest}\n{root}" if root else digest


class Sealer(Protocol):
    """Chains entries, puts them into a tree, signs the newest one and conceals whom they are about."""

    def seal(self, previous: str, fields: Mapping[str, object]) -> str:
        """Hash *fields* together with the hash above; lower-case hex."""
        ...

    def grow(self, tree: Tree, hashes: Sequence[str]) -> Tree:
        """Put entries' hashes into the tree; with none, a tree that fits itself comes back the same."""
        ...

    def sign(self, head: str) -> str:
        """Sign a head's text; lower-case hex."""
        ...

    def conceal(self, key: bytes, text: str) -> str:
        """Encrypt a text by a key of 32 bytes; never the same twice."""
        ...

    def reveal(self, key: bytes, concealed: str) -> str | None:
        """Decrypt it; None where the key is another."""
        ...
