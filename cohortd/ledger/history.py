"""What became of batches: each with the platform's own words, and the rows that it did not take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row

from cohortd.core.delivery import Action, Lane
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.planning import Target
from cohortd.core.times import format_time, parse_time
from cohortd.ledger.batches import FILLING
from cohortd.ledger.database import Database
from cohortd.ledger.memberships import State
from cohortd.ledger.settling import Tally


@dataclass(frozen=True, slots=True)
class PastBatch:
    """A batch as it stands now, ended or not."""

    id: int
    target: Target
    remote_id: str | None
    action: Action
    lane: Lane
    #: pending, sending (no answer yet), accepted, confirmed or rejected.
    state: str
    attempts: int
    members: int
    #: Members of whom the platform said that it is done.
    done: int
    #: The platform's reason -> members it did not take.
    rejected: Mapping[str, int]
    #: What to ask the platform by.
    request: str
    note: str
    queued_at: datetime
    accepted_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class RejectedRow:
    """An identifier that a platform did not take, and has not taken since."""

    kind: IdentifierKind
    digest: bytes
    reason: str


class History:
    """Batches that something was done with in a span of time, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def batches(self, since: datetime, until: datetime) -> Sequence[PastBatch]:
        """Return what was queued, accepted or ended in a span; whoever waits since before it as well."""
        span = {"since": format_time(since), "until": format_time(until)}
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT b.id, r.audience, r.destination, r.remote_id, b.action, b.lane, b.state,"
                " b.attempts, b.rows, b.result, b.request, b.note, b.created_at, b.accepted_at,"
                " b.settled_at FROM batch b JOIN remote r ON r.id = b.remote"
                f" WHERE b.state != '{FILLING}' AND b.created_at <= :until"
                " AND (b.settled_at IS NULL OR b.settled_at >= :since) ORDER BY b.id",
                span,
            ).all()
        return [_batch(row) for row in rows]

    def rejected(self, target: Target, batch: int, *, most: int) -> Sequence[RejectedRow]:
        """Return some of the rows of a batch that are on no platform for the reason it gave.

        The audience's rows are read one after another: seconds where there are millions.
        """
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT m.kind, m.digest, m.reason FROM membership m JOIN remote r ON r.id = m.remote"
                " WHERE r.audience = :audience AND r.destination = :destination AND m.batch = :batch"
                f" AND m.state = {State.REJECTED:d} ORDER BY m.kind, m.digest LIMIT :most",
                {
                    "audience": target.audience,
                    "destination": target.destination,
                    "batch": batch,
                    "most": most,
                },
            ).all()
        return [RejectedRow(IdentifierKind(row.kind), row.digest, row.reason or "") for row in rows]


def _batch(row: Row[tuple[str, ...]]) -> PastBatch:
    tally = Tally.read(row.result)
    return PastBatch(
        id=row.id,
        target=Target(row.audience, row.destination),
        remote_id=row.remote_id,
        action=Action(row.action),
        lane=Lane(row.lane),
        state=row.state,
        attempts=row.attempts,
        members=row.rows,
        done=tally.done,
        rejected=dict(tally.rejected),
        request=row.request,
        note=row.note,
        queued_at=parse_time(row.created_at),
        accepted_at=parse_time(row.accepted_at) if row.accepted_at else None,
        settled_at=parse_time(row.settled_at) if row.settled_at else None,
    )
