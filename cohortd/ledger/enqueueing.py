"""A comparison's difference made into batches: written in turns, between which others write.

A turn holds the ledger for seconds at most, however much there is to queue: a revocation waits for no
more than that. Nobody sends a batch before all are written; what a crash leaves of them, the next plan
replaces.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self, TypeAlias

import numpy as np
from sqlalchemy import Connection

from cohortd.core.delivery import Action
from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.planning import Target
from cohortd.core.times import format_time
from cohortd.ledger import bulk, carrying
from cohortd.ledger.batches import FILLING, OPEN
from cohortd.ledger.finding import Finding, Found, bounds
from cohortd.ledger.keys import Places, heads
from cohortd.ledger.memberships import State
from cohortd.ledger.rows import Rows
from cohortd.ledger.turns import ROWS_A_TURN, Turns

#: Longest that a resync may take until whom it takes off is taken off by name; Google takes a day for each
#: of its two steps.
CARRIED_AT_MOST: Final = timedelta(days=4)

_UNSENT: Final = (
    f"SELECT id FROM batch WHERE remote = ? AND {OPEN} AND state = 'pending' AND attempts = 0"
    " AND (by_resync = 0 OR action = 'add')"
)
_NUMBER_LEAVING: Final = """
    INSERT INTO scratch.numbered (number, member)
    SELECT row_number() OVER (ORDER BY l.member), l.member
    FROM (SELECT DISTINCT member FROM scratch.leaving WHERE target = :target) l {which}
"""
_BY_NAME: Final = "WHERE l.member IN (SELECT n.member FROM scratch.by_name n)"
_BY_RESYNC: Final = "WHERE l.member NOT IN (SELECT n.member FROM scratch.by_name n)"
#: Whom no resync takes off: who was sent since the moment from which on it lets members stay, or whose
#: last sending had not come to its end before. Whether a platform counts from when it was told or from
#: when it did it, is not documented.
_FIND_BY_NAME: Final = f"""
    INSERT INTO scratch.by_name (member)
    SELECT DISTINCT l.member FROM scratch.leaving l
        CROSS JOIN membership m ON m.remote = :remote AND m.kind = l.kind AND m.digest = l.digest
    WHERE l.target = :target
      AND NOT (m.state = {State.PRESENT:d} AND m.sent_at > 0 AND m.sent_at < :since
        AND EXISTS (SELECT 1 FROM batch b WHERE b.id = m.batch AND b.settled_at < :since_at))
"""
#: Whoever comes back is no longer taken off by the resync.
_STAY: Final = f"""
    DELETE FROM batch_item AS i WHERE i.batch IN (
        SELECT b.id FROM batch b WHERE b.remote = :remote AND b.{OPEN} AND b.by_resync = 1
          AND b.action = 'remove')
      AND EXISTS (SELECT 1 FROM batch a CROSS JOIN batch_item j ON j.batch = a.id
        WHERE a.remote = :remote AND a.state = '{FILLING}' AND a.action = 'add' AND j.kind = i.kind
          AND j.digest = i.digest)
"""
#: The payload as it was sent; what changed since the comparison is looked at again.
_REMOVE_ITEMS: Final = f"""
    INSERT INTO batch_item (batch, kind, digest, position, member, payload)
    SELECT :first + (n.number - 1) / :size, l.kind, l.digest, (n.number - 1) % :size, l.member, m.payload
    FROM scratch.leaving l CROSS JOIN scratch.numbered n ON n.member = l.member
        CROSS JOIN membership m ON m.remote = :remote AND m.kind = l.kind AND m.digest = l.digest
    WHERE l.target = :target AND l.kind = :kind AND l.digest >= :low AND l.digest < :high
      AND (m.state IN ({State.ADDING:d}, {State.PRESENT:d})
        OR (m.state = {State.REJECTED:d} AND m.doubt = 1))
"""
#: Left out when it is sent again, but remembered: the first attempt may still land. A target that may
#: not be fed gets nobody, by an old batch neither.
_PRUNE: Final = f"""
    UPDATE batch_item AS i SET dropped = 1
    WHERE i.batch IN (SELECT b.id FROM batch b WHERE b.remote = :remote AND b.{OPEN} AND b.action = 'add'
        AND b.attempts > 0 AND b.state != 'accepted'
        AND b.id NOT IN (SELECT CAST(value AS INTEGER) FROM json_each(:in_flight)))
      AND (:held OR (i.kind, i.digest) IN
        (SELECT u.kind, u.digest FROM scratch.undesired u WHERE u.target = :target))
"""
_FORGET_REJECTED: Final = f"""
    DELETE FROM membership WHERE remote = :remote AND state = {State.REJECTED:d} AND doubt = 0
      AND (kind, digest) IN (SELECT f.kind, f.digest FROM scratch.forgotten f WHERE f.target = :target)
"""
#: Whoever carried an identifier before stays findable by it.
_FORMER_OWNERS: Final = """
    INSERT INTO co_owner (family, kind, digest, member)
    SELECT :family, m.kind, m.digest, m.member FROM scratch.changed c
        CROSS JOIN membership m ON m.remote = :remote AND m.kind = c.kind AND m.digest = c.digest
    WHERE c.target = :target
    ON CONFLICT DO NOTHING
"""
_NEW_OWNERS: Final = """
    UPDATE membership SET member = (SELECT c.member FROM scratch.changed c
        WHERE c.target = :target AND c.kind = membership.kind AND c.digest = membership.digest)
    WHERE remote = :remote
      AND (kind, digest) IN (SELECT c.kind, c.digest FROM scratch.changed c WHERE c.target = :target)
"""
_CO_OWNERS: Final = """
    INSERT INTO co_owner (family, kind, digest, member)
    SELECT :family, kind, digest, member FROM scratch.shared WHERE target = :target
    ON CONFLICT DO NOTHING
"""
_BATCH: Final = f"""
    INSERT INTO batch (id, remote, action, lane, state, refresh, rows, version, created_at, next_at,
        by_resync)
    VALUES (?, ?, ?, 'regular', '{FILLING}', ?, ?, ?, ?, ?, ?)
"""
#: What a crash left half-written goes, as does what nobody will send since its audience was replaced.
_DROP_HALF: Final = (
    f"DELETE FROM batch_item WHERE batch IN (SELECT id FROM batch WHERE state = '{FILLING}')",
    f"DELETE FROM batch WHERE state = '{FILLING}'",
)
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS scratch.numbered (number INTEGER PRIMARY KEY, member BLOB UNIQUE)",
    "CREATE TABLE IF NOT EXISTS scratch.by_name (member BLOB PRIMARY KEY)",
)
Values: TypeAlias = Mapping[str, int | str | bytes]


@dataclass(frozen=True, slots=True)
class Order:
    """What the caller of ``Comparison.enqueue`` asked for."""

    targets: Collection[Target]
    held: Collection[Target]
    rows_per_batch: Callable[[str], int]
    version: int
    at: datetime
    #: Batches under way in this process: their rows must not move.
    in_flight: Collection[int]
    #: Targets that are about to be replaced: whoever was last sent before is taken off by that.
    replaced: Mapping[Target, datetime]
    #: Those of them whose new members come by that as well.
    carried: Collection[Target]


@dataclass(frozen=True, slots=True)
class Cut:
    """One direction of one target, in batches of one size."""

    action: Action
    refresh: int
    members: int
    size: int
    by_resync: int = 0

    @classmethod
    def of(
        cls,
        action: Action,
        refresh: int,
        members: int,
        *,
        target: Target,
        order: Order,
        by_resync: bool = False,
    ) -> Self:
        """Cut members into the batches that the target's platform takes."""
        size = order.rows_per_batch(target.destination)
        return cls(action, refresh, members, size, int(by_resync))


def enqueue(turns: Turns, finding: Finding, order: Order) -> int:
    """Replace what waits unsent by what is needed now; return how many batches there are."""
    for statement in (*_DROP_HALF, *_TABLES):
        turns.connection().exec_driver_sql(statement)
    queued: list[int] = []
    for target, found in finding.found.items():
        if target in order.targets:
            queued += _queue(turns, finding, found, order)
            turns.rest()
    _open(turns.connection(), queued)
    return len(queued)


def _queue(turns: Turns, finding: Finding, found: Found, order: Order) -> list[int]:
    """Queue the difference of one target; return its batches."""
    target, connection = found.place.target, turns.connection()
    remote, held = _remote(connection, target), target in order.held
    if remote is None:
        if not held:
            _refuse_unintended(found)
        return []
    values = {
        "target": found.place.number,
        "remote": remote,
        "family": found.place.family.value,
        "held": held,
    }
    _clear(connection, values, order)
    queued = _queue_removals(turns, values, found, order=order)
    if not held:
        turns.connection().exec_driver_sql(_CO_OWNERS, values)
        queued += _queue_adds(turns, finding, found, remote, order=order)
        if target not in order.replaced:
            turns.connection().exec_driver_sql(_STAY, values)
    return queued


def _open(connection: Connection, queued: Collection[int]) -> None:
    """Let the batches be sent, now that they are whole."""
    values = {"queued": json.dumps(list(queued))}
    ours = "IN (SELECT CAST(value AS INTEGER) FROM json_each(:queued))"
    connection.exec_driver_sql(
        "DELETE FROM batch_item WHERE batch IN"
        f" (SELECT id FROM batch WHERE id {ours} AND state != '{FILLING}')",
        values,
    )
    connection.exec_driver_sql(
        f"UPDATE batch SET state = 'pending' WHERE id {ours} AND state = '{FILLING}'", values
    )


def _remote(connection: Connection, target: Target) -> int | None:
    """Find the remote audience as it is now: it may have been made since the comparison."""
    found: int | None = connection.exec_driver_sql(
        "SELECT id FROM remote WHERE audience = ? AND destination = ? AND superseded = 0",
        (target.audience, target.destination),
    ).scalar()
    return found


def _refuse_unintended(found: Found) -> None:
    if found.delta.adds or found.delta.refreshes:
        raise LedgerError(
            f"{found.place.target.audience} on {found.place.target.destination} is to get members, but no"
            f" remote audience was intended for it"
        )


def _clear(connection: Connection, values: Values, order: Order) -> None:
    """Drop regular work that nobody saw, and bring unknown outcomes and owners up to date."""
    remote = (values["remote"],)
    unsent = f"{_UNSENT} AND lane = 'regular'"
    connection.exec_driver_sql(f"DELETE FROM batch_item WHERE batch IN ({unsent})", remote)
    connection.exec_driver_sql(f"DELETE FROM batch WHERE id IN ({unsent})", remote)
    bound = {**values, "in_flight": json.dumps(sorted(order.in_flight))}
    for statement in (_PRUNE, _FORGET_REJECTED, _FORMER_OWNERS, _NEW_OWNERS):
        connection.exec_driver_sql(statement, bound)
    # Where nobody may be added, nobody is sent anew either.
    old = order.at + CARRIED_AT_MOST if values["held"] else order.at - CARRIED_AT_MOST
    carrying.give_up(connection, int(values["remote"]), before=old)


def _queue_removals(turns: Turns, values: Values, found: Found, *, order: Order) -> list[int]:
    """Cut what leaves a target into batches: by name, or as the target is replaced."""
    since = order.replaced.get(found.place.target)
    if since is None:
        return _queue_leaving(turns, values, found, order=order)
    connection = turns.connection()
    connection.exec_driver_sql("DELETE FROM scratch.by_name")
    connection.exec_driver_sql(
        _FIND_BY_NAME, {**values, "since": int(since.timestamp()), "since_at": format_time(since)}
    )
    return [
        batch
        for which in (_BY_NAME, _BY_RESYNC)
        for batch in _queue_leaving(turns, values, found, order=order, which=which)
    ]


def _queue_leaving(
    turns: Turns, values: Values, found: Found, *, order: Order, which: str = ""
) -> list[int]:
    connection = turns.connection()
    connection.exec_driver_sql("DELETE FROM scratch.numbered")
    connection.exec_driver_sql(_NUMBER_LEAVING.format(which=which), values)
    members: int = connection.exec_driver_sql("SELECT count(*) FROM scratch.numbered").scalar_one()
    if not members:
        return []
    target, by_resync = found.place.target, which == _BY_RESYNC
    cut = Cut.of(Action.REMOVE, 0, members, target=target, order=order, by_resync=by_resync)
    batches = _insert_batches(connection, values["remote"], cut, order)
    for keys in _ranges(found.parts):
        placed = {**values, **keys, "first": batches[0], "size": cut.size}
        turns.took(turns.connection().exec_driver_sql(_REMOVE_ITEMS, placed).rowcount)
        turns.rest()
    return batches


def _ranges(parts: int) -> Iterator[Values]:
    """Cut the identifiers of a target into pieces of a turn each."""
    for kind in IdentifierKind:
        for part in range(parts):
            low, high = bounds(part, parts)
            yield {"kind": kind.value, "low": low, "high": high}


def _queue_adds(turns: Turns, finding: Finding, found: Found, remote: int, *, order: Order) -> list[int]:
    """Cut who comes to a target into batches: who is new first, then who is only sent again."""
    target = found.place.target
    carried = target in order.carried
    cuts = [
        Cut.of(Action.ADD, refresh, members, target=target, order=order, by_resync=carried)
        for refresh, members in enumerate((found.delta.adds, found.delta.refreshes))
    ]
    batches = [_insert_batches(turns.connection(), remote, cut, order) for cut in cuts]
    done = [0, 0]
    turns.rest()
    for coming in finding.coming(target):
        batch, position = np.empty((2, len(coming.rows)), dtype=np.int64)
        for refresh, cut in enumerate(cuts):
            places = np.flatnonzero(coming.refresh == refresh)
            number = done[refresh] + np.cumsum(coming.first[places]) - 1
            batch[places] = np.array(batches[refresh], dtype=np.int64)[number // cut.size]
            position[places] = number % cut.size
            done[refresh] += int(np.count_nonzero(coming.first[places]))
        for start in range(0, len(batch), ROWS_A_TURN):
            some = np.arange(start, min(start + ROWS_A_TURN, len(batch)))
            _insert_items(turns.connection(), coming.rows.take(some), batch[some], position[some])
            turns.took(len(some))
            turns.rest()
    return [each for some in batches for each in some]


def _insert_batches(connection: Connection, remote: object, cut: Cut, order: Order) -> list[int]:
    """Insert the batches of a cut, of which nobody knows yet; return their numbers."""
    first: int = connection.exec_driver_sql("SELECT coalesce(max(id), 0) + 1 FROM batch").scalar_one()
    at = format_time(order.at)
    rows = [
        (
            first + n,
            remote,
            cut.action.value,
            cut.refresh,
            min(cut.size, cut.members - start),
            order.version,
            at,
            at,
            cut.by_resync,
        )
        for n, start in enumerate(range(0, cut.members, cut.size))
    ]
    if rows:
        connection.exec_driver_sql(_BATCH, rows)
    return list(range(first, first + len(rows)))


def _insert_items(connection: Connection, rows: Rows, batch: Places, position: Places) -> None:
    """Insert items in the order of their key: scattered rows take several times as long."""
    sequence = np.lexsort((heads(rows.digest), rows.kind, batch))
    some = rows.take(sequence)
    bulk.insert(
        connection,
        "batch_item",
        ("batch", "kind", "digest", "position", "member"),
        (batch[sequence], some.kind, some.digest, position[sequence], some.member),
        payload=("payload", some.payload),
    )
