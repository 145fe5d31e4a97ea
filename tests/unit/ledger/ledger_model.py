"""The rules of a comparison once more, over plain sets and dictionaries: slow, and easy to read."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cohortd.core.planning import Delta
from cohortd.ledger.memberships import State

Key = tuple[int, bytes]


class Staged(NamedTuple):
    kind: int
    digest: bytes
    member: bytes
    payload: bytes


class Sent(NamedTuple):
    kind: int
    digest: bytes
    member: bytes
    payload: bytes
    state: int
    #: Whether its batch is still open.
    is_open: bool
    sent_at: int
    doubt: int

    @property
    def is_left_behind(self) -> bool:
        return self.state == State.ADDING and not self.is_open

    @property
    def may_be_there(self) -> bool:
        return self.state in (State.ADDING, State.PRESENT) or (self.state == State.REJECTED and self.doubt)


@dataclass(frozen=True)
class Situation:
    """One target, as a comparison finds it."""

    staged: Collection[Staged]
    sent: Collection[Sent]
    #: (kind, digest or member key); kind 0 for members.
    suppressed: Collection[Key]
    #: What open batches of the revocation lane take off, now or later.
    taken_back: Collection[Key]
    #: What of it is under way or may be sent now, with the member it is taken from.
    going: Collection[tuple[int, bytes, bytes]]
    #: Identifier -> members who carry or carried it beside the one that its membership names.
    carriers: Mapping[Key, Collection[bytes]]
    now: int
    refresh_s: int | None


@dataclass
class Outcome:
    """What a comparison makes of it."""

    delta: Delta
    #: (refresh, member) -> what of them is sent.
    adds: dict[tuple[int, bytes], set[Staged]] = field(default_factory=lambda: defaultdict(set))
    #: Member -> what of them is taken off.
    removes: dict[bytes, set[Sent]] = field(default_factory=lambda: defaultdict(set))
    owners: dict[Key, bytes] = field(default_factory=dict)
    forgotten: set[Key] = field(default_factory=set)
    co_owners: set[tuple[int, bytes, bytes]] = field(default_factory=set)
    wanted: dict[Key, Staged] = field(default_factory=dict)


def compare(found: Situation) -> Outcome:
    wanted, shared = _resolve(found)
    sent = {(row.kind, row.digest): row for row in found.sent}
    coming: dict[bytes, int] = {}
    for key, row in wanted.items():
        refresh = _wish(row, sent.get(key), found)
        if refresh is not None:
            coming[row.member] = min(refresh, coming.get(row.member, 1))
    leaving = [
        row
        for key, row in sent.items()
        if key not in wanted and row.may_be_there and key not in found.taken_back
    ]
    members = {row.member for row in wanted.values()}
    for member in _touched(leaving, found) & members:
        coming.setdefault(member, 1)
    outcome = Outcome(
        Delta(
            eligible=len(members),
            adds=list(coming.values()).count(0),
            removes=len({row.member for row in leaving}),
            refreshes=list(coming.values()).count(1),
            present=len(
                {row.member for row in sent.values() if row.state in (State.ADDING, State.PRESENT)}
            ),
        ),
        owners={k: r.member for k, r in wanted.items() if k in sent and sent[k].member != r.member},
        forgotten={
            k for k, r in sent.items() if k not in wanted and r.state == State.REJECTED and not r.doubt
        },
        co_owners=shared,
        wanted=wanted,
    )
    for row in wanted.values():
        if row.member in coming:
            outcome.adds[coming[row.member], row.member].add(row)
    for gone in leaving:
        outcome.removes[gone.member].add(gone)
    return outcome


def batches(groups: Mapping[bytes, Iterable[NamedTuple]], size: int) -> list[list[list[NamedTuple]]]:
    """Cut members into batches of *size* positions, in the order of their keys."""
    rows = [sorted(groups[member]) for member in sorted(groups)]
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _resolve(found: Situation) -> tuple[dict[Key, Staged], set[tuple[int, bytes, bytes]]]:
    """The smallest member key has an identifier, with its smallest payload; the others share it."""
    wanted: dict[Key, Staged] = {}
    for row in sorted(found.staged):
        wanted.setdefault((row.kind, row.digest), row)
    shared = {
        (row.kind, row.digest, row.member)
        for row in found.staged
        if row.member != wanted[row.kind, row.digest].member
        and not _is_suppressed(row.kind, row.digest, row.member, found)
    }
    kept = {k: r for k, r in wanted.items() if not _is_suppressed(r.kind, r.digest, r.member, found)}
    return kept, shared


def _touched(leaving: Collection[Sent], found: Situation) -> set[bytes]:
    """Return everybody whom a platform may take off together with what leaves."""
    going = {(row.kind, row.digest, row.member) for row in leaving} | set(found.going)
    shared = (found.carriers.get((kind, digest), ()) for kind, digest, _ in going)
    return {member for *_, member in going} | {member for some in shared for member in some}


def _is_suppressed(kind: int, digest: bytes, member: bytes, found: Situation) -> bool:
    return (kind, digest) in found.suppressed or (0, member) in found.suppressed


def _wish(row: Staged, sent: Sent | None, found: Situation) -> int | None:
    """0 to add it, 1 to send it again, None where it is as it should be."""
    if sent is None or sent.state == State.REMOVING or sent.is_left_behind:
        return 0
    changed = sent.payload != row.payload
    if sent.state == State.REJECTED:
        return 0 if changed else None
    if sent.state != State.PRESENT:
        return None
    if changed or sent.sent_at == 0:
        return 1
    if found.refresh_s is None:
        return None
    share = 0.5 + 0.4 * row.member[0] / 255
    return 1 if sent.sent_at <= found.now - found.refresh_s * share else None
