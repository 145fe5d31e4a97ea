"""A remote audience that is gone for good: whoever was in it is out, and another may be made."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import BatchState
from cohortd.core.errors import LedgerError
from cohortd.core.removals import RemovalEvent
from cohortd.core.times import format_time
from cohortd.ledger import batches, settling
from cohortd.ledger.batches import OPEN
from cohortd.ledger.journal import Journal
from cohortd.ledger.queueing import log_batch
from cohortd.ledger.remotes import supersede

_ANEW: Final = """
    UPDATE remote SET remote_id = NULL,
        state = CASE state WHEN 'retired' THEN state ELSE 'creating' END, status = NULL,
        checked_at = NULL, note = '', match_rate = '', created_at = ? WHERE id = ?
"""
#: Whoever carries an identifier was there with it, the co-owners too.
_REMEMBER: Final = """
    INSERT INTO past_membership
        (remote, kind, digest, member, added_at, removed_at, added_batch, removed_batch)
    SELECT m.remote, m.kind, m.digest, m.member, m.added_at, :now, m.batch, 0 FROM membership m
        WHERE m.remote = :remote
    UNION SELECT m.remote, m.kind, m.digest, c.member, m.added_at, :now, m.batch, 0 FROM membership m
        CROSS JOIN co_owner c ON c.family = :family AND c.kind = m.kind AND c.digest = m.digest
        WHERE m.remote = :remote
"""
_FORGET_CO_OWNERS: Final = """
    DELETE FROM co_owner AS c WHERE c.family = :family AND NOT EXISTS (
        SELECT 1 FROM remote r CROSS JOIN membership m ON m.remote = r.id AND m.kind = c.kind
            AND m.digest = c.digest WHERE r.family = c.family)
"""


def renew(connection: Connection, journal: Journal, remote_pk: int, *, now: datetime, detail: str) -> int:
    """Give a remote audience up with everybody in it; return how many members it had.

    Its row is free for another audience, which gets a marker of its own: should the old one come to
    light again, it is not taken for the new one.
    """
    row = connection.exec_driver_sql("SELECT family FROM remote WHERE id = ?", (remote_pk,)).first()
    if row is None:
        raise LedgerError(f"there is no remote audience {remote_pk}")
    gone = supersede(connection, remote_pk, now)
    connection.exec_driver_sql("DELETE FROM resync WHERE remote = ?", (remote_pk,))
    connection.exec_driver_sql(_ANEW, (format_time(now), remote_pk))
    _confirm_revocations(connection, journal, gone, now=now, detail=detail)
    values = {"remote": gone, "family": row.family, "now": int(now.timestamp())}
    members: int = connection.exec_driver_sql(
        "SELECT count(DISTINCT member) FROM membership WHERE remote = :remote", values
    ).scalar_one()
    connection.exec_driver_sql(_REMEMBER, values)
    connection.exec_driver_sql("DELETE FROM membership WHERE remote = :remote", values)
    connection.exec_driver_sql(_FORGET_CO_OWNERS, values)
    return members


def _confirm_revocations(
    connection: Connection, journal: Journal, gone: int, *, now: datetime, detail: str
) -> None:
    opened = connection.exec_driver_sql(f"SELECT id FROM batch WHERE remote = ? AND {OPEN}", (gone,)).all()
    for batch in opened:
        work = batches.load(
            connection, batch.id, states=(BatchState.PENDING, BatchState.SENDING, BatchState.ACCEPTED)
        )
        log_batch(connection, journal, batch.id, event=RemovalEvent.CONFIRMED, at=now, detail=detail)
        tally = settling.Tally.read(work.result)
        tally.done += len(batches.positions(connection, batch.id))
        settling.close(connection, work, state=BatchState.CONFIRMED, now=now, note=detail, tally=tally)
