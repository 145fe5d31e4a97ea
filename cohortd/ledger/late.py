"""Adds that may land late: the platform took one, and its answer was lost.

Nobody knows when such an add is carried out: it may be after the removal that followed it. So whoever
was revoked meanwhile, or soon after, is taken back once more when nothing can land any more. Until
then their rows stay in the ledger; so do those of whoever left for another reason, until the next plan
after that.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from cohortd.core.times import format_time
from cohortd.ledger.batches import EMPTIED, OPEN, Work
from cohortd.ledger.journal import Journal
from cohortd.ledger.memberships import State
from cohortd.ledger.queueing import Leaving, Schedule, queue_removals

#: Longest a platform takes to carry out what it took; both of Google's interfaces say a day.
LANDS_WITHIN: Final = timedelta(days=1)

#: Items of an ended add whose person was revoked meanwhile.
_REVOKED: Final = """
    WITH revoked AS (
        SELECT i.kind, i.digest, i.position, i.member, i.payload, s.withdrawal FROM batch_item i
            CROSS JOIN suppression s ON s.family = :family AND s.kind = i.kind AND s.key = i.digest
            WHERE i.batch = :batch AND s.lifted_at IS NULL
        UNION ALL SELECT i.kind, i.digest, i.position, i.member, i.payload, s.withdrawal FROM batch_item i
            CROSS JOIN suppression s ON s.family = :family AND s.kind = 0 AND s.key = i.member
            WHERE i.batch = :batch AND s.lifted_at IS NULL)
    SELECT :remote, min(v.withdrawal), v.member, v.kind, v.digest, v.payload FROM revoked v
"""
_UNLESS_QUEUED: Final = f"""
    WHERE NOT EXISTS (
        SELECT 1 FROM batch b
            CROSS JOIN batch_item j ON j.batch = b.id AND j.kind = v.kind AND j.digest = v.digest
        WHERE b.remote = :remote AND b.{OPEN} AND b.state = 'pending' AND b.lane = 'revocation'
          AND b.refresh = 0)
"""
_EACH: Final = " GROUP BY v.kind, v.digest, v.position, v.member, v.payload"
#: Adds that ended not long ago, of which an attempt was never answered.
BLIND: Final = f"""
    b.settled_at > :since AND b.action = 'add'
      AND (b.attempts > 1 OR (b.attempts = 1 AND b.note = '{EMPTIED}'))
"""
_BLIND: Final = f"""
    SELECT b.remote, max(b.settled_at) AS settled_at FROM batch b WHERE {BLIND} GROUP BY b.remote
"""
#: Rows that withdrawals take back from where an attempt of an add may yet land; unless a repetition that
#: will be sent was queued since. (Who was in such an add is not kept, and may have been added again
#: since: one removal too many does no harm.)
_SENT_BLINDLY: Final = f"""
    SELECT m.remote, k.withdrawal, m.member, m.kind, m.digest, m.payload FROM ({_BLIND}) a
        CROSS JOIN remote r ON r.id = a.remote
        CROSS JOIN temp.w_family f ON f.family = r.family
        CROSS JOIN temp.w_key k ON k.withdrawal = f.withdrawal AND k.family = f.family
        CROSS JOIN membership m ON m.remote = r.id AND m.kind = k.kind AND m.digest = k.key
    WHERE NOT EXISTS (
        SELECT 1 FROM batch b CROSS JOIN batch_item j ON j.batch = b.id AND j.kind = m.kind
            AND j.digest = m.digest
            CROSS JOIN suppression s ON s.withdrawal = j.withdrawal AND s.family = r.family
        WHERE b.remote = m.remote AND b.{OPEN} AND b.lane = 'revocation' AND b.refresh = 1
          AND b.created_at >= a.settled_at AND s.lifted_at IS NULL)
"""
#: What a regular removal took off where an attempt of an add may yet land; ``i`` is its item. The next
#: plan takes it off once more.
_KEEP: Final = f"""
    UPDATE membership SET state = {State.ADDING:d} FROM batch_item i
    WHERE i.batch = :batch AND membership.remote = :remote AND membership.kind = i.kind
      AND membership.digest = i.digest AND membership.state = {State.REMOVING:d}
      AND EXISTS (SELECT 1 FROM batch a WHERE a.remote = :remote AND a.action = 'add' AND a.attempts > 1
            AND a.{OPEN}
        UNION ALL SELECT 1 FROM ({_BLIND}) a WHERE a.remote = :remote)
"""


def take_back(connection: Connection, journal: Journal, work: Work, *, blind: bool, now: datetime) -> None:
    """Take back whoever was revoked while an add was under way, now that it has ended.

    Args:
        blind: Whether an attempt was made whose outcome nobody knows: then once more, later.
    """
    values = {"batch": work.id, "remote": work.remote, "family": work.family}
    at_once = _leaving(connection, _REVOKED + _UNLESS_QUEUED + _EACH, values)
    schedule = Schedule(now, now, detail="an add was under way when consent was withdrawn")
    queue_removals(connection, journal, at_once, schedule=schedule)
    if blind:
        repeat(connection, journal, _leaving(connection, _REVOKED + _EACH, values), now=now)


def sent_blindly(connection: Connection, *, now: datetime) -> list[Leaving]:
    """Return what the withdrawals at hand take back of adds that may land once more."""
    return _leaving(connection, _SENT_BLINDLY, {"since": format_time(now - LANDS_WITHIN)})


def repeat(
    connection: Connection,
    journal: Journal,
    rows: Iterable[Leaving],
    *,
    now: datetime,
    wait: timedelta = LANDS_WITHIN,
) -> None:
    """Queue removals that only repeat what was or will be confirmed, for when nothing can land any more."""
    queue_removals(connection, journal, rows, schedule=Schedule(now, now + wait, repeats=True))


def keep_who_left(connection: Connection, work: Work, *, now: datetime) -> None:
    """Keep in mind whom a regular removal took off, where a lost add may bring them back."""
    values = {"batch": work.id, "remote": work.remote, "since": format_time(now - LANDS_WITHIN)}
    connection.exec_driver_sql(_KEEP, values)


def leave_out_returned(connection: Connection, work: Work) -> None:
    """Leave people out of a repeated removal who have given consent again since."""
    connection.exec_driver_sql(
        "DELETE FROM batch_item AS i WHERE i.batch = ? AND NOT EXISTS (SELECT 1 FROM suppression s"
        " WHERE s.withdrawal = i.withdrawal AND s.family = ? AND s.lifted_at IS NULL)",
        (work.id, work.family),
    )


def _leaving(connection: Connection, query: str, values: dict[str, object]) -> list[Leaving]:
    return [Leaving(*row) for row in connection.exec_driver_sql(query, values)]
