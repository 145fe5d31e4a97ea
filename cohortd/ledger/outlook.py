"""The open batches and what ended, as whoever sends or reports wants to know it."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import Action, BatchState, Lane
from cohortd.core.planning import Target
from cohortd.core.times import format_time, parse_time
from cohortd.ledger import replacing
from cohortd.ledger.batches import OPEN, PollDue
from cohortd.ledger.remotes import COLUMNS, remote_of
from cohortd.ledger.settling import Tally

#: A removal that only repeats another one waits a day for its time; nothing waits for it.
_AWAITED: Final = "NOT (b.refresh = 1 AND b.lane = 'revocation' AND b.state = 'pending')"


def due_polls(connection: Connection, *, now: datetime, destinations: Collection[str]) -> Sequence[PollDue]:
    """Return the accepted batches to ask about now, revocations' and then the oldest first."""
    rows = connection.exec_driver_sql(
        f"SELECT b.id AS batch_id, b.request, b.accepted_at, b.polls, b.action, {COLUMNS} FROM batch b"
        f" JOIN remote ON remote.id = b.remote WHERE b.{OPEN} AND b.state = 'accepted'"
        " AND b.next_at <= ? AND remote.destination IN (SELECT value FROM json_each(?))"
        " ORDER BY b.lane = 'regular', b.id",
        (format_time(now), json.dumps(list(destinations))),
    ).all()
    return [
        PollDue(
            row.batch_id,
            remote_of(row),
            row.request,
            parse_time(row.accepted_at),
            row.polls,
            Action(row.action),
        )
        for row in rows
    ]


def next_due(
    connection: Connection, destinations: Collection[str], *, lane: Lane | None, accepted: bool
) -> datetime | None:
    """Return when the next open batch may be sent or asked about; with *accepted*, only asked about."""
    at = connection.exec_driver_sql(
        f"SELECT min(b.next_at) FROM batch b JOIN remote r ON r.id = b.remote WHERE b.{OPEN}"
        f" AND {_AWAITED} AND r.destination IN (SELECT value FROM json_each(?))"
        " AND r.remote_id IS NOT NULL"
        " AND r.state != 'paused' AND (b.lane = 'revocation' OR NOT EXISTS (SELECT 1 FROM resync y"
        " WHERE y.remote = b.remote AND (y.began_at IS NOT NULL OR b.by_resync = 1)))"
        " AND b.lane = coalesce(?, b.lane)"
        " AND b.state = coalesce(?, b.state)",
        (
            json.dumps(list(destinations)),
            lane.value if lane else None,
            BatchState.ACCEPTED.value if accepted else None,
        ),
    ).scalar()
    return parse_time(at) if at is not None else None


def forced(connection: Connection, since: datetime) -> Mapping[Target, str]:
    """Say how refused removals were carried out from *since* on, a target; the newest one's way."""
    rows = connection.exec_driver_sql(
        "SELECT r.audience, r.destination, b.note FROM batch b JOIN remote r ON r.id = b.remote"
        " WHERE b.settled_at >= ? AND b.note IN (?, ?) ORDER BY b.settled_at, b.id",
        (format_time(since), replacing.BY_REPLACING, replacing.BY_DELETING),
    ).all()
    return {Target(row.audience, row.destination): row.note for row in rows}


def summary(connection: Connection, since: datetime) -> Mapping[Target, dict[str, int]]:
    """Count members of batches that ended from *since* on; see ``Outbox.summary``."""
    found: dict[Target, dict[str, int]] = defaultdict(
        lambda: {"added": 0, "removed": 0, "pending": 0, "rejected": 0}
    )
    rows = connection.exec_driver_sql(
        "SELECT r.audience, r.destination, b.action, b.refresh, b.result,"
        f" CASE WHEN b.{OPEN} AND {_AWAITED} THEN b.rows ELSE 0 END AS pending"
        f" FROM batch b JOIN remote r ON r.id = b.remote WHERE b.{OPEN} OR b.settled_at >= ?",
        (format_time(since),),
    ).all()
    for row in rows:
        counts, tally = found[Target(row.audience, row.destination)], Tally.read(row.result)
        counts["pending"] += row.pending
        counts["rejected"] += sum(tally.rejected.values())
        if not row.refresh or row.action == "remove":
            counts["added" if row.action == "add" else "removed"] += tally.done
    return dict(found)
