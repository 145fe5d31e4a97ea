"""Removals that a platform refuses by name: the audience's content is replaced, or the audience given up.

From the beginning of a replacement to its confirmed end nobody knows whom the platform holds: it may be
any part of those before and those to stay. So all rows stay, marked in doubt (``sent_at = 0``): should
the end never be heard of, the next plan sends who is desired again, and the removal is tried again.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import BatchState, Content, Receipt
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.removals import RemovalEvent
from cohortd.ledger import batches, settling
from cohortd.ledger.batches import OPEN, Work
from cohortd.ledger.claiming import MARK_LEAVING
from cohortd.ledger.journal import Journal
from cohortd.ledger.memberships import State
from cohortd.ledger.queueing import log_batch

#: What the removal log says of who left so, and a batch's note.
BY_REPLACING: Final = "by replacing the audience's members with those who stay"
BY_SESSION: Final = "as all members were sent anew"
BY_SWEEPING: Final = "by having the platform forget whoever was not sent anew"
BY_DELETING: Final = "by deleting the audience from the platform"
#: A remote audience's note from before it is deleted until that is confirmed.
DELETING: Final = "being deleted: the platform takes nobody out of an audience this small"

_KINDS: Final = {int(kind): kind for kind in IdentifierKind}
_THERE: Final = f"state IN ({State.ADDING:d}, {State.PRESENT:d})"
_DOUBT: Final = f"""
    UPDATE membership SET sent_at = 0 WHERE remote = :remote AND state = {State.PRESENT:d}
"""
_DOUBT_COMING: Final = f"""
    UPDATE membership SET sent_at = 0 WHERE remote = :remote AND state = {State.ADDING:d}
"""
_CERTAIN: Final = f"""
    UPDATE membership SET sent_at = ? WHERE remote = ? AND kind = ? AND digest = ? AND {_THERE}
"""
#: Everybody who leaves anyway, unless their removal is under way or only repeats another one.
_RIDERS: Final = f"""
    SELECT b.id FROM batch b WHERE b.remote = :remote AND b.{OPEN} AND b.action = 'remove' AND b.refresh = 0
      AND b.id != :batch AND b.state IN ('pending', 'sending') ORDER BY b.id
"""
#: Whoever is there or on the way, without those who leave and those who are suppressed now; by member
#: (the plus has SQLite walk along the index of members, so that a part costs no sorting of all).
_CONTENT: Final = f"""
    SELECT m.member, m.kind, m.digest, m.payload FROM membership m
    WHERE +m.remote = :remote AND m.kind IN (SELECT CAST(value AS INTEGER) FROM json_each(:kinds))
      AND (m.state = {State.PRESENT:d} OR (m.state = {State.ADDING:d} AND EXISTS (
        SELECT 1 FROM batch b
            JOIN batch_item i ON i.batch = b.id AND i.kind = m.kind AND i.digest = m.digest
        WHERE b.id = m.batch AND b.{OPEN} AND b.action = 'add' AND i.dropped = 0)))
      AND NOT EXISTS (
        SELECT 1 FROM batch b
            JOIN batch_item i ON i.batch = b.id AND i.kind = m.kind AND i.digest = m.digest
        WHERE b.remote = :remote AND b.{OPEN} AND b.action = 'remove' AND b.refresh = 0)
      AND NOT EXISTS (SELECT 1 FROM suppression s WHERE s.family = :family AND s.kind = m.kind
        AND s.key = m.digest AND s.lifted_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM suppression s WHERE s.family = :family AND s.kind = 0
        AND s.key = m.member AND s.lifted_at IS NULL)
      AND m.member > :after ORDER BY m.member, m.kind, m.digest LIMIT :most
"""
#: More than there are.
_ALL: Final = 2**62


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is to be in a remote audience, and which removals are done when it is."""

    remote: int
    content: Content
    #: The refused batch first.
    batches: tuple[int, ...]


def begin(
    connection: Connection,
    journal: Journal,
    work: Work,
    *,
    kinds: Collection[IdentifierKind],
    refusal: str,
    now: datetime,
) -> Replacement:
    """Log that a removal was refused, put the audience in doubt, and say who is to stay."""
    refused(connection, journal, work, refusal=refusal, now=now)
    values: dict[str, object] = {"remote": work.remote, "batch": work.id, "family": work.family}
    doubt(connection, work.remote)
    riders = connection.exec_driver_sql(_RIDERS, values).scalars().all()
    members = tuple(_members(_rows(connection, work.remote, work.family, kinds)))
    content = Content(_remote_id(connection, work.remote), members)
    return Replacement(work.remote, content, (work.id, *riders))


def finish(
    connection: Connection,
    journal: Journal,
    replacement: Replacement,
    *,
    receipt: Receipt,
    under_way: Collection[int],
    now: datetime,
) -> int:
    """Confirm every removal that the replacement has done; return how many batches that were.

    Args:
        under_way: Batches that somebody else in this process is sending now.
    """
    done = 0
    for batch in replacement.batches:
        if batch not in under_way and _is_open(connection, batch):
            end(connection, journal, batch, how=BY_REPLACING, now=now)
            done += 1
    if not receipt.unattributed:  # else nobody knows who of them is there
        clear_doubt(
            connection,
            replacement.remote,
            replacement.content.members,
            refused=receipt.rejected,
            now=now,
        )
    return done


def refused(connection: Connection, journal: Journal, work: Work, *, refusal: str, now: datetime) -> None:
    """Log that the platform did not take a removal as it was."""
    log_batch(connection, journal, work.id, event=RemovalEvent.REJECTED, at=now, detail=refusal)
    connection.exec_driver_sql(
        "UPDATE batch SET refusals = refusals + 1, note = ? WHERE id = ?", (refusal, work.id)
    )


def next_members(
    connection: Connection,
    remote: int,
    *,
    kinds: Collection[IdentifierKind],
    after: bytes,
    rows: int,
) -> tuple[tuple[Member, ...], bool]:
    """Return who stays behind a member key, in so many rows at most, and whether that is all.

    A row holds one identifier of each kind.
    """
    family = connection.exec_driver_sql("SELECT family FROM remote WHERE id = ?", (remote,)).scalar_one()
    most = rows * len(kinds)
    found = list(_rows(connection, remote, family, kinds, after=after, most=most + 1))
    is_all = len(found) <= most
    members = list(_members(iter(found)))
    if not is_all and len(members) > 1:
        members.pop()  # perhaps not whole
    fitting = _fitting(members, rows)
    return tuple(members[:fitting]), is_all and fitting == len(members)


def _fitting(members: Sequence[Member], rows: int) -> int:
    """Count how many of the first members make so many rows at most; one always does."""
    left = rows
    for number, member in enumerate(members):
        left -= max(Counter(identifier.kind for identifier in member.identifiers).values())
        if left < 0 and number:
            return number
    return len(members)


def clear_doubt(
    connection: Connection,
    remote: int,
    members: Sequence[Member],
    *,
    refused: Collection[int],
    now: datetime,
) -> None:
    """Take back that these members are in doubt, but of those whom the platform refused by their place."""
    at = int(now.timestamp())
    rows = [
        (at, remote, int(identifier.kind), identifier.digest)
        for place, member in enumerate(members)
        if place not in refused
        for identifier in member.identifiers
    ]
    if rows:
        connection.exec_driver_sql(_CERTAIN, rows)


def doubt(connection: Connection, remote: int) -> None:
    """Put everybody in a remote audience in doubt: the next plan sends them again."""
    connection.exec_driver_sql(_DOUBT, {"remote": remote})


def doubt_coming(connection: Connection, remote: int) -> None:
    """Put whoever is being added in doubt, who is certain only once a part with them was taken."""
    connection.exec_driver_sql(_DOUBT_COMING, {"remote": remote})


def _rows(
    connection: Connection,
    remote: int,
    family: str,
    kinds: Collection[IdentifierKind],
    *,
    after: bytes = b"",
    most: int = _ALL,
) -> Iterator[tuple[bytes, int, bytes, bytes]]:
    values = {
        "remote": remote,
        "family": family,
        "kinds": json.dumps(sorted(map(int, kinds))),
        "after": after,
        "most": most,
    }
    for row in connection.exec_driver_sql(_CONTENT, values):
        yield row.member, row.kind, row.digest, row.payload


def _members(rows: Iterator[tuple[bytes, int, bytes, bytes]]) -> Iterator[Member]:
    for member, found in groupby(rows, key=lambda row: row[0]):
        yield Member(
            member, tuple(Identifier(_KINDS[kind], digest, payload) for _, kind, digest, payload in found)
        )


def _remote_id(connection: Connection, remote: int) -> str:
    found: str = connection.exec_driver_sql(
        "SELECT remote_id FROM remote WHERE id = ?", (remote,)
    ).scalar_one()
    return found


def _is_open(connection: Connection, batch: int) -> bool:
    """Whether a removal still waits: a plan may have dropped it meanwhile."""
    found = connection.exec_driver_sql(
        "SELECT 1 FROM batch WHERE id = ? AND state IN ('pending', 'sending')", (batch,)
    )
    return found.scalar() is not None


def end(connection: Connection, journal: Journal, batch: int, *, how: str, now: datetime) -> None:
    """Confirm a removal that was carried out otherwise than by name."""
    work = batches.load(connection, batch, states=(BatchState.PENDING, BatchState.SENDING))
    connection.exec_driver_sql(MARK_LEAVING, {"batch": work.id, "remote": work.remote})
    receipt = Receipt(BatchState.CONFIRMED, note=how)
    settling.end(connection, journal, work, receipt=receipt, now=now, how=how)
