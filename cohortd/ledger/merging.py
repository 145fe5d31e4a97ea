"""What is desired beside what was sent, in one range of keys: pure functions over sorted columns."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cohortd.ledger.keys import KeySet, Mask, Places, Words, ascending, find, first_of_each, heads, same
from cohortd.ledger.memberships import State
from cohortd.ledger.rows import Payloads, Rows, ranks, take, unlike
from cohortd.ledger.sent import DOUBTED, LEFT_BEHIND, Sent

#: What is known of a member by one of their identifiers; put together, of all of them.
STAGED: Final = 1
"""Is desired."""
THERE: Final = 2
"""Is held by the platform, as far as we know."""
MISSING: Final = 4
"""Is to be added."""
DUE: Final = 8
"""Is to be sent again."""
LEAVING: Final = 16
"""Has an identifier that leaves."""
GOING: Final = 32
"""Carries or carried an identifier that leaves, or that is being taken back."""
OUTDATED: Final = 64
"""Has an identifier that leaves, was sent under older rules of normalization, and may wait."""

#: Members are sent again at half to nine tenths of the time after which the platform forgets them,
#: spread by the first byte of the member key: all that is sent of somebody is due at once.
_EARLIEST: Final = 0.5
_SPREAD: Final = 0.4

Flags = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Due:
    """When members are to be sent again."""

    now: int
    #: Seconds after which the platform forgets a member; None for never.
    refresh_s: int | None

    def since(self, first_byte: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Return until when members whose keys begin so must have been sent to be due; 0 for never."""
        if self.refresh_s is None:
            return np.zeros(len(first_byte))
        share = _EARLIEST + _SPREAD * first_byte.astype(np.float64) / 255.0
        return self.now - self.refresh_s * share

    def latest(self) -> int:
        """Return until when anybody must have been sent to be due; at least 0."""
        return max(0, int(self.since(np.zeros(1, dtype=np.uint64))[0]))


@dataclass(frozen=True, slots=True, repr=False)
class Resolved:
    """Staged rows of one kind with one owner each, by ascending digest."""

    #: Which of the rows that went in stayed.
    places: Places
    digest: Words
    member: Words
    #: Those of members who carry an identifier that another member owns.
    shared: Places


@dataclass(frozen=True, slots=True, repr=False)
class Merged:
    """What follows for one range of keys; places count along the resolved or the sent rows."""

    #: Of each resolved row.
    flags: Flags
    #: Resolved rows whose membership names another member.
    changed: Places
    #: Of each sent row; 0 where a resolved row says it all.
    sent_flags: Flags
    #: Sent rows that leave, and those that the platform did not take and nobody wants any more.
    leaving: Places
    forgotten: Places


def resolve(rows: Rows, places: Places, *, suppressed: Words, members: KeySet | None) -> Resolved:
    """Give each identifier to the smallest member key that carries it, without what is suppressed.

    Args:
        places: The rows of one kind.
        suppressed: Digests, ascending.
        members: Suppressed member keys, if any.
    """
    digest = rows.digest[places]
    order = ascending(digest, lambda tied: _by_owner(rows, places[tied]))
    places, digest = places[order], digest[order]
    first = first_of_each(digest)
    if not first.all():
        digest = digest[first]
    owned = places[first]
    allowed = np.ones(len(owned), dtype=np.bool_)
    allowed[_positions(suppressed, digest)] = False
    shared = _shared(rows, places, first)
    also = places[shared[allowed[np.cumsum(first)[shared] - 1]]]
    if members is not None:
        allowed &= ~members.holds(rows.member[owned])
        also = also[~members.holds(rows.member[also])]
    if not allowed.all():
        owned, digest = owned[allowed], digest[allowed]
    return Resolved(owned, digest, rows.member[owned], also)


def merge(rows: Rows, found: Resolved, sent: Sent, *, taken_back: Words, due: Due) -> Merged:
    """Compare what is desired with what was sent.

    Args:
        taken_back: Digests that the revocation lane takes off anyway, ascending.
    """
    at = find(found.digest, sent.digest)
    hit = np.flatnonzero(at >= 0)
    at = at[hit]
    own = same(found.member[hit], sent.member[at])
    there = np.isin(sent.standing, (State.ADDING, State.PRESENT, LEFT_BEHIND))
    flags = np.full(len(found.digest), STAGED | MISSING, dtype=np.uint8)
    flags[hit] = _wishes(take(rows.payload, found.places[hit]), found.member[hit], sent, at, due)
    flags[hit[own & there[at]]] |= THERE
    unmatched = np.ones(len(sent), dtype=np.bool_)
    unmatched[at] = False
    leaving = unmatched & (there | (sent.standing == DOUBTED))
    leaving[_positions(taken_back, sent.digest)] = False
    there[at[own]] = False
    return Merged(
        flags,
        changed=hit[~own],
        sent_flags=there * np.uint8(THERE) | leaving * np.uint8(LEAVING),
        leaving=np.flatnonzero(leaving),
        forgotten=np.flatnonzero(unmatched & (sent.standing == State.REJECTED)),
    )


def tally(members: Words, flags: Flags) -> tuple[Words, Flags]:
    """Return each member once, ascending, with all that is known of them."""
    order = ascending(members)
    members = members[order]
    starts = np.flatnonzero(first_of_each(members))
    if not len(starts):
        return members, flags
    return members[starts], np.bitwise_or.reduceat(flags[order], starts)


def waits(flags: Flags) -> Mask:
    """Say of each member whether other digests of theirs replace those of older rules, at their turn."""
    waiting: Mask = ((flags & OUTDATED) > 0) & ((flags & STAGED) > 0) & ((flags & MISSING) > 0)
    return waiting


def _wishes(payload: Payloads, member: Words, sent: Sent, at: Places, due: Due) -> Flags:
    """Say what is to be done about identifiers that the ledger knows."""
    standing = sent.standing[at]
    differs = unlike(payload, take(sent.payload, at), len(at))
    rejected = (standing == State.REJECTED) | (standing == DOUBTED)
    missing = (standing == State.REMOVING) | (standing == LEFT_BEHIND) | (rejected & differs)
    again = differs
    if sent.sent_at is not None:
        # A row marked as sent at 0 is in doubt: at once.
        sent_at = sent.sent_at[at]
        again = again | (sent_at == 0) | (sent_at <= due.since(heads(member) >> np.uint64(56)))
    again = again & (standing == State.PRESENT)
    flags: Flags = np.uint8(STAGED) | missing * np.uint8(MISSING) | again * np.uint8(DUE)
    return flags


def _by_owner(rows: Rows, places: Places) -> list[NDArray[np.uint64]]:
    """Sort equal identifiers by member, and equal members by payload."""
    member = rows.member[places]
    return [heads(member), heads(member, 1), *ranks(rows.payload, places)]


def _shared(rows: Rows, places: Places, first: Mask) -> Places:
    """Return where another member than the one before carries the same identifier."""
    again = np.flatnonzero(~first)
    other = ~same(rows.member[places[again]], rows.member[places[again - 1]])
    return again[other]


def _positions(keys: Words, hay: Words) -> Places:
    found = find(keys, hay)
    return found[found >= 0]
