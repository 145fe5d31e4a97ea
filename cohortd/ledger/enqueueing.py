"""A comparison's difference made into batches, in one transaction."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import Action
from cohortd.core.errors import LedgerError
from cohortd.core.planning import Target
from cohortd.core.times import format_time
from cohortd.ledger.batches import OPEN
from cohortd.ledger.memberships import State

_UNSENT: Final = f"SELECT id FROM batch WHERE remote = ? AND {OPEN} AND state = 'pending' AND attempts = 0"
_NUMBER_COMING: Final = """
    INSERT INTO scratch.numbered (member) SELECT member FROM scratch.coming
    WHERE target = :target AND refresh = :refresh ORDER BY member
"""
_NUMBER_LEAVING: Final = """
    INSERT INTO scratch.numbered (member) SELECT DISTINCT member FROM scratch.leaving
    WHERE target = :target ORDER BY member
"""
_ADD_ITEMS: Final = """
    INSERT INTO batch_item (batch, kind, digest, position, member, payload)
    SELECT :first + (n.number - 1) / :size, s.kind, s.digest, (n.number - 1) % :size, s.member, s.payload
    FROM scratch.staged s CROSS JOIN scratch.numbered n ON n.member = s.member WHERE s.target = :target
"""
#: The payload as it was sent; what changed since the comparison is looked at again.
_REMOVE_ITEMS: Final = f"""
    INSERT INTO batch_item (batch, kind, digest, position, member, payload)
    SELECT :first + (n.number - 1) / :size, l.kind, l.digest, (n.number - 1) % :size, l.member, m.payload
    FROM scratch.leaving l CROSS JOIN scratch.numbered n ON n.member = l.member
        CROSS JOIN membership m ON m.remote = l.target AND m.kind = l.kind AND m.digest = l.digest
    WHERE l.target = :target
      AND (m.state IN ({State.ADDING:d}, {State.PRESENT:d})
        OR (m.state = {State.REJECTED:d} AND m.doubt = 1))
"""
#: Left out when it is sent again, but remembered: the first attempt may still land. A target that may
#: not be fed gets nobody, by an old batch neither.
_PRUNE: Final = f"""
    UPDATE batch_item AS i SET dropped = 1
    WHERE i.batch IN (SELECT b.id FROM batch b WHERE b.remote = :remote AND b.{OPEN} AND b.action = 'add'
        AND b.attempts > 0 AND b.state != 'accepted'
        AND b.id NOT IN (SELECT value FROM json_each(:in_flight)))
      AND (:held OR NOT EXISTS (SELECT 1 FROM scratch.staged s WHERE s.target = :remote AND s.kind = i.kind
        AND s.digest = i.digest))
"""
_FORGET_REJECTED: Final = f"""
    DELETE FROM membership WHERE remote = :remote AND state = {State.REJECTED:d} AND doubt = 0
      AND (kind, digest) IN (SELECT f.kind, f.digest FROM scratch.forgotten f WHERE f.target = :remote)
"""
#: Whoever carried an identifier before stays findable by it.
_FORMER_OWNERS: Final = """
    INSERT OR IGNORE INTO co_owner (family, kind, digest, member)
    SELECT r.family, m.kind, m.digest, m.member FROM scratch.changed c
        CROSS JOIN remote r ON r.id = c.target
        CROSS JOIN membership m ON m.remote = c.target AND m.kind = c.kind AND m.digest = c.digest
    WHERE c.target = :remote
"""
_NEW_OWNERS: Final = """
    UPDATE membership SET member = (SELECT c.member FROM scratch.changed c
        WHERE c.target = :remote AND c.kind = membership.kind AND c.digest = membership.digest)
    WHERE remote = :remote
      AND (kind, digest) IN (SELECT c.kind, c.digest FROM scratch.changed c WHERE c.target = :remote)
"""
_CO_OWNERS: Final = """
    INSERT OR IGNORE INTO co_owner (family, kind, digest, member)
    SELECT t.family, h.kind, h.digest, h.member FROM scratch.staged_shared h
        CROSS JOIN scratch.staged_target t ON t.target = h.target WHERE h.target = :target
"""
_BATCH: Final = """
    INSERT INTO batch (id, remote, action, lane, state, refresh, rows, version, created_at, next_at)
    VALUES (?, ?, ?, 'regular', 'pending', ?, ?, ?, ?, ?)
"""


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


def enqueue(connection: Connection, numbered: Sequence[tuple[int, Target]], order: Order) -> int:
    """Replace what waits unsent by what is needed now; return how many batches there are."""
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS scratch.numbered (number INTEGER PRIMARY KEY, member BLOB UNIQUE)"
    )
    queued = 0
    for number, target in numbered:
        if target not in order.targets:
            continue
        remote = _remote(connection, target)
        if remote is not None:
            _clear(connection, remote, order, held=target in order.held)
            queued += _queue(connection, Action.REMOVE, number, remote, target=target, order=order)
        if target in order.held:
            continue
        if remote is None:
            _refuse_unintended(connection, number, target)
            continue
        connection.exec_driver_sql(_CO_OWNERS, {"target": number})
        for refresh in (0, 1):
            queued += _queue(
                connection, Action.ADD, number, remote, target=target, order=order, refresh=refresh
            )
    return queued


def _remote(connection: Connection, target: Target) -> int | None:
    """Find the remote audience as it is now: it may have been made since the comparison."""
    found: int | None = connection.exec_driver_sql(
        "SELECT id FROM remote WHERE audience = ? AND destination = ? AND superseded = 0",
        (target.audience, target.destination),
    ).scalar()
    return found


def _refuse_unintended(connection: Connection, number: int, target: Target) -> None:
    if connection.exec_driver_sql(
        "SELECT 1 FROM scratch.coming WHERE target = ? LIMIT 1", (number,)
    ).first():
        raise LedgerError(
            f"{target.audience} on {target.destination} is to get members, but no remote audience"
            f" was intended for it"
        )


def _clear(connection: Connection, remote: int, order: Order, *, held: bool) -> None:
    """Drop regular work that nobody saw, and bring unknown outcomes and owners up to date."""
    unsent = f"{_UNSENT} AND lane = 'regular'"
    connection.exec_driver_sql(f"DELETE FROM batch_item WHERE batch IN ({unsent})", (remote,))
    connection.exec_driver_sql(f"DELETE FROM batch WHERE id IN ({unsent})", (remote,))
    values = {"remote": remote, "held": held, "in_flight": json.dumps(sorted(order.in_flight))}
    for statement in (_PRUNE, _FORGET_REJECTED, _FORMER_OWNERS, _NEW_OWNERS):
        connection.exec_driver_sql(statement, values)


def _queue(
    connection: Connection,
    action: Action,
    number: int,
    remote: int,
    *,
    target: Target,
    order: Order,
    refresh: int = 0,
) -> int:
    """Cut one direction of one target into batches."""
    values = {"target": number, "refresh": refresh}
    connection.exec_driver_sql("DELETE FROM scratch.numbered")
    connection.exec_driver_sql(_NUMBER_COMING if action is Action.ADD else _NUMBER_LEAVING, values)
    members: int = connection.exec_driver_sql("SELECT count(*) FROM scratch.numbered").scalar_one()
    if not members:
        return 0
    size = order.rows_per_batch(target.destination)
    first: int = connection.exec_driver_sql("SELECT coalesce(max(id), 0) + 1 FROM batch").scalar_one()
    at = format_time(order.at)
    batches = [
        (first + n, remote, action.value, refresh, min(size, members - start), order.version, at, at)
        for n, start in enumerate(range(0, members, size))
    ]
    connection.exec_driver_sql(_BATCH, batches)
    items = _ADD_ITEMS if action is Action.ADD else _REMOVE_ITEMS
    connection.exec_driver_sql(items, {**values, "first": first, "size": size})
    return len(batches)
