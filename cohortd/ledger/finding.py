"""One comparison carried out: target by target, and a part of the keys at a time.

A target's rows pass three times. By digest, beside the ledger: what is missing, due or leaving. By
member: who comes and who is sent again, since a member is sent with all their identifiers. And, for
those alone, by digest once more to pick up what is sent of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from cohortd.core.identifiers import MEMBER_KEY_BYTES, IdentifierKind
from cohortd.core.planning import Delta, Target
from cohortd.core.times import format_time
from cohortd.ledger import bulk, merging, scanning, upgrading
from cohortd.ledger.batches import OPEN
from cohortd.ledger.keys import (
    KeySet,
    Mask,
    Numbers,
    Places,
    Sieve,
    Words,
    ascending,
    find,
    first_of_each,
    heads,
    words_of,
)
from cohortd.ledger.memberships import State
from cohortd.ledger.merging import Due, Flags
from cohortd.ledger.rows import MEMBER_WORDS, Rows
from cohortd.ledger.sent import END, Range, Sent
from cohortd.ledger.spill import Block, Spill, cells_of
from cohortd.ledger.staging import CELLS, Place, Staging, put, read_rows, row_spill
from cohortd.ledger.upgrading import Upgrade

_KEYS: Final = "target INTEGER, kind INTEGER, digest BLOB"
TABLES: Final = {
    "leaving": f"{_KEYS}, member BLOB, PRIMARY KEY (target, kind, digest)",
    "changed": f"{_KEYS}, member BLOB, PRIMARY KEY (target, kind, digest)",
    "forgotten": f"{_KEYS}, PRIMARY KEY (target, kind, digest)",
    #: What an add of unknown outcome carries and nobody wants any more.
    "undesired": f"{_KEYS}, PRIMARY KEY (target, kind, digest)",
    "shared": f"{_KEYS}, member BLOB, PRIMARY KEY (target, kind, digest, member)",
    #: Members whose digests changed with the rules, and whose turn is yet to come.
    "waiting": "target INTEGER, member BLOB, PRIMARY KEY (target, member)",
}
#: What waits for its turn after a refusal does not count: its members would be sent at every sync.
_GOING: Final = f"""
    WITH back AS (
        SELECT i.kind, i.digest, i.member FROM batch b CROSS JOIN batch_item i ON i.batch = b.id
        WHERE b.remote = :remote AND b.{OPEN} AND b.lane = 'revocation'
          AND (b.state != 'pending' OR b.next_at <= :now)),
    going AS (
        SELECT l.kind, l.digest FROM scratch.leaving l WHERE l.target = :target
        UNION SELECT kind, digest FROM back)
    SELECT member FROM back UNION SELECT c.member FROM going g
        CROSS JOIN co_owner c ON c.family = :family AND c.kind = g.kind AND c.digest = g.digest
"""


@dataclass(slots=True)
class Found:
    """What a comparison found for one target."""

    place: Place
    #: In how many parts its keys are gone through.
    parts: int
    delta: Delta = field(default_factory=lambda: Delta(0, 0, 0, 0, 0))
    #: Members whose digests changed with the rules, and who wait for their turn.
    waiting: int = 0
    #: Part -> a bit for each staged row, whether it counts; None where all do.
    counting: list[NDArray[np.uint8] | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True, repr=False)
class Coming:
    """Members of a target to add or to send again, some at a time; ordered by member, kind and digest."""

    rows: Rows
    #: Of each row: 1 for a member that is only sent again.
    refresh: NDArray[np.uint8]
    #: Whether a row is its member's first.
    first: Mask


class Finding:
    """The differences between what is staged and what was sent."""

    def __init__(
        self, connection: Connection, staging: Staging, *, rows_at_once: int, folder: Path
    ) -> None:
        self._connection = connection
        self._staging = staging
        self._rows_at_once = rows_at_once
        self._folder = folder
        self._coming = Spill(folder, (MEMBER_WORDS,))
        self._wanted = row_spill(folder)
        self._suppressed: dict[str, KeySet | None] = {}
        self._upgrade: Upgrade | None = None
        self.found: dict[Target, Found] = {}

    def close(self) -> None:
        """Give the space back."""
        self._coming.close()
        self._wanted.close()

    def run(self, *, now: int, refresh_s: Callable[[Target], int | None], version: int | None) -> None:
        """Compare every target; the scratch tables say what leaves or changes, ``coming`` who comes."""
        if version is not None:
            self._upgrade = upgrading.under_way(self._connection, version, now=now)
        for name, columns in TABLES.items():
            self._connection.exec_driver_sql(f"DROP TABLE IF EXISTS scratch.{name}")
            self._connection.exec_driver_sql(f"CREATE TABLE scratch.{name} ({columns}) WITHOUT ROWID")
        for place in self._staging.in_order():
            self.found[place.target] = self._compare(place, Due(now, refresh_s(place.target)))

    def coming(self, target: Target) -> Iterator[Coming]:
        """Yield who comes, by ascending member key."""
        found = self.found[target]
        for part in range(found.parts if found.delta.adds or found.delta.refreshes else 0):
            cells = found.place.cells(part, found.parts)
            rows = read_rows(self._wanted, cells)
            rows = rows.take(ascending(rows.member, partial(_by_identifier, rows)))
            known = self._coming.read(*cells)
            order = ascending(known.words[0])
            first = first_of_each(rows.member)
            at = find(rows.member[first], known.words[0][order])[np.cumsum(first) - 1]
            keep = np.flatnonzero(at >= 0)
            yield Coming(rows.take(keep), known.byte[order[at[keep]]], first[keep])

    def _compare(self, place: Place, due: Due) -> Found:
        known = 0 if place.remote is None else scanning.estimate(self._connection, place.remote)
        found = Found(place, _parts(max(self._staging.count(place), known), self._rows_at_once))
        tallies = Spill(self._folder, (MEMBER_WORDS,))
        try:
            for part in range(found.parts):
                self._by_digest(found, part, tallies, due)
            going = self._going(place, due)
            _count(tallies, going, np.full(len(going), merging.GOING, dtype=np.uint8))
            sieve = self._by_member(found, tallies)
        finally:
            tallies.close()
        if sieve is not None:
            self._pick_up(found, sieve)
        return found

    def _by_digest(self, found: Found, part: int, tallies: Spill, due: Due) -> None:
        place = found.place
        rows = self._staging.read(place, part, found.parts)
        kinds = set(np.unique(rows.kind).tolist())
        if place.remote is not None:
            kinds |= set(IdentifierKind)  # whatever the ledger may have there
        counting = np.zeros(len(rows), dtype=np.bool_)
        for kind in sorted(kinds):
            keys = Range(kind, *bounds(part, found.parts))
            counting[self._merge(place, rows, keys, tallies, due)] = True
        found.counting.append(None if counting.all() else np.packbits(counting))

    def _merge(self, place: Place, rows: Rows, keys: Range, tallies: Spill, due: Due) -> Places:
        """Compare one kind in one part; return which rows count."""
        resolved = merging.resolve(
            rows,
            np.flatnonzero(rows.kind == keys.kind),
            suppressed=scanning.suppressed(self._connection, place.family.value, keys),
            members=self._suppressed_members(place.family.value),
        )
        self._write("shared", place, keys, rows.digest[resolved.shared], rows.member[resolved.shared])
        if place.remote is None:
            flags = np.full(len(resolved.places), merging.STAGED | merging.MISSING, dtype=np.uint8)
            _count(tallies, resolved.member, flags)
            return resolved.places
        unknown = scanning.unknown(self._connection, place.remote, keys)
        self._write("undesired", place, keys, unknown[find(unknown, resolved.digest) < 0])
        sent = scanning.scan(self._connection, place.remote, keys, fresh=due.latest())
        # Whom a resync takes off is under way out, as with a removal that was sent.
        under_way = find(scanning.by_resync(self._connection, place.remote, keys), sent.digest)
        sent.standing[under_way[under_way >= 0]] = State.REMOVING
        taken_back = scanning.taken_back(self._connection, place.remote, keys)
        merged = merging.merge(rows, resolved, sent, taken_back=taken_back, due=due)
        self._write("leaving", place, keys, sent.digest[merged.leaving], sent.member[merged.leaving])
        self._write("forgotten", place, keys, sent.digest[merged.forgotten])
        self._write(
            "changed", place, keys, resolved.digest[merged.changed], resolved.member[merged.changed]
        )
        _count(tallies, resolved.member, merged.flags)
        flags = merged.sent_flags | self._outdated(place.remote, keys, sent, merged.leaving)
        told = np.flatnonzero(flags)
        _count(tallies, sent.member[told], flags[told])
        return resolved.places

    def _outdated(self, remote: int, keys: Range, sent: Sent, leaving: Places) -> Flags:
        """Mark the leaving rows that were sent under older rules and may wait for their turn."""
        flags = np.zeros(len(sent), dtype=np.uint8)
        if self._upgrade is not None and len(leaving):
            old = scanning.outdated(self._connection, remote, keys, version=self._upgrade.version)
            some = leaving[find(sent.digest[leaving], old) >= 0]
            flags[some[self._upgrade.waits(sent.member[some])]] = merging.OUTDATED
        return flags

    def _going(self, place: Place, due: Due) -> Words:
        """Read the members who share an identifier with what leaves, or with what is being taken back."""
        values = {
            "target": place.number,
            "remote": place.remote,
            "family": place.family.value,
            "now": format_time(datetime.fromtimestamp(due.now, UTC)),
        }
        rows = self._connection.exec_driver_sql(_GOING, values).scalars().all()
        return words_of(b"".join(rows), MEMBER_KEY_BYTES)

    def _by_member(self, found: Found, tallies: Spill) -> Sieve | None:
        """Count members and keep who comes; return a sieve for them, or None for nobody."""
        numbers = np.zeros(5, dtype=np.int64)
        sieve = None
        for part in range(found.parts):
            width = CELLS // found.parts
            told = tallies.read(part * width, (part + 1) * width)
            members, flags = merging.tally(told.words[0], told.byte)
            waits = merging.waits(flags)
            if waits.any():
                self._let_wait(found, members[waits])
                flags = np.where(waits, flags & ~np.uint8(merging.LEAVING), flags)
            refresh, comes = _who_comes(flags)
            comes &= ~waits
            numbers += (
                np.count_nonzero(flags & merging.STAGED),
                np.count_nonzero(comes & (refresh == 0)),
                np.count_nonzero(flags & merging.LEAVING),
                np.count_nonzero(comes & (refresh == 1)),
                np.count_nonzero(flags & merging.THERE),
            )
            if comes.any():
                sieve = sieve or Sieve()
                sieve.add(members[comes])
                cells = cells_of(members[comes], found.place.number * CELLS)
                self._coming.add(cells, Block((members[comes],), refresh[comes]))
        found.delta = Delta(*numbers.tolist())
        return sieve

    def _let_wait(self, found: Found, members: Words) -> None:
        """Keep what leaves of these where it is: what replaces it comes when their turn does."""
        found.waiting += len(members)
        number = found.place.number
        of_each = np.full(len(members), number, dtype=np.int64)
        bulk.insert(self._connection, "scratch.waiting", ("target", "member"), [of_each, members])
        self._connection.exec_driver_sql(
            "DELETE FROM scratch.leaving WHERE target = :target"
            " AND member IN (SELECT w.member FROM scratch.waiting w WHERE w.target = :target)",
            {"target": number},
        )

    def _pick_up(self, found: Found, sieve: Sieve) -> None:
        """Keep the rows of members that come, and of a few others: ``coming`` leaves these out."""
        for part in range(found.parts):
            rows = self._staging.read(found.place, part, found.parts)
            passes = sieve.passes(rows.member)
            bits = found.counting[part]
            if bits is not None:
                passes &= np.unpackbits(bits, count=len(rows)).view(np.bool_)
            put(self._wanted, found.place, rows.take(np.flatnonzero(passes)), by_member=True)

    def _suppressed_members(self, family: str) -> KeySet | None:
        if family not in self._suppressed:
            keys = scanning.suppressed_members(self._connection, family)
            self._suppressed[family] = KeySet(keys) if len(keys) else None
        return self._suppressed[family]

    def _write(self, table: str, place: Place, keys: Range, *columns: Words) -> None:
        count = len(columns[0])
        numbers = [np.full(count, number, dtype=np.int64) for number in (place.number, keys.kind)]
        names = ("target", "kind", "digest", "member")[: 2 + len(columns)]
        bulk.insert(self._connection, f"scratch.{table}", names, [*numbers, *columns])


def _parts(rows: int, rows_at_once: int) -> int:
    """Return in how many equal parts of their keys rows are gone through: a power of two."""
    parts = 1
    while parts < CELLS and rows > parts * rows_at_once:
        parts *= 2
    return parts


def bounds(part: int, parts: int) -> tuple[bytes, bytes]:
    """Return where a part's keys begin, and before what they end."""
    width = CELLS // parts
    low, high = part * width, (part + 1) * width
    return bytes([low]), bytes([high]) if high < CELLS else END


def _count(tallies: Spill, members: Words, flags: Flags) -> None:
    tallies.add(cells_of(members, 0), Block((members,), flags))


def _who_comes(flags: Flags) -> tuple[NDArray[np.uint8], Mask]:
    """Say of each member whether they are only sent again, and whether they come at all.

    Who stays while an identifier leaves that they carry or carried is sent again, behind the removal: a
    platform may take the whole person.
    """
    missing = (flags & merging.MISSING) > 0
    touched = (flags & (merging.DUE | merging.LEAVING | merging.GOING)) > 0
    comes = missing | (touched & ((flags & merging.STAGED) > 0))
    return (~missing).astype(np.uint8), comes


def _by_identifier(rows: Rows, places: Places) -> Sequence[Numbers]:
    """Sort a member's rows by kind and digest."""
    digest = rows.digest[places]
    return [rows.kind[places].astype(np.uint64), *(heads(digest, word) for word in range(digest.shape[1]))]
