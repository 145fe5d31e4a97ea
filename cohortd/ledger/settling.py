"""What a platform's answer changes: memberships, the removal log, the batch itself."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from cohortd.core.delivery import Action, BatchState, Lane, Receipt
from cohortd.core.removals import RemovalEvent
from cohortd.core.times import format_time
from cohortd.ledger import batches, late
from cohortd.ledger.batches import OPEN, Work
from cohortd.ledger.journal import Journal
from cohortd.ledger.memberships import State
from cohortd.ledger.queueing import Leaving, Schedule, log_batch, log_rows, queue_removals

#: A removal that the platform refused is tried again after an hour, then two, at most a day.
RETRY_REFUSED: Final = timedelta(hours=1)
RETRY_REFUSED_AT_MOST: Final = timedelta(days=1)

_ITEM: Final = """
    i.batch = :batch AND membership.remote = :remote AND membership.kind = i.kind
      AND membership.digest = i.digest"""
_CONFIRM_ADDS: Final = f"""
    UPDATE membership SET state = {State.PRESENT:d}, doubt = 0, reason = NULL FROM batch_item i
    WHERE {_ITEM} AND i.dropped = 0 AND membership.state = {State.ADDING:d} AND membership.batch = :batch
"""
_REFUSE_ADDS: Final = f"""
    UPDATE membership SET state = {State.REJECTED:d}, reason = f.reason
    FROM batch_item i JOIN temp.refused f ON f.position = i.position
    WHERE {_ITEM} AND i.dropped = 0 AND membership.state = {State.ADDING:d} AND membership.batch = :batch
"""
#: Back among the present; sent again if desired, since nobody knows what the platform holds.
_REFUSE_REMOVALS: Final = f"""
    UPDATE membership SET state = {State.PRESENT:d}, reason = f.reason, sent_at = 0
    FROM batch_item i JOIN temp.refused f ON f.position = i.position
    WHERE {_ITEM} AND membership.state = {State.REMOVING:d}
"""
#: An add that is still under way, or whose answer was lost, may land after the removal: its rows stay
#: until it has ended, or until the removal was repeated. Which of the two the platform carried out last,
#: nobody knows: who is desired is sent again.
_KEEP_IN_FLIGHT: Final = f"""
    UPDATE membership SET state = {State.ADDING:d}, sent_at = 0, reason = NULL,
        batch = CASE a.action WHEN 'add' THEN a.id ELSE membership.batch END
    FROM batch_item i CROSS JOIN batch a CROSS JOIN batch_item j
    WHERE {_ITEM} AND membership.state = {State.REMOVING:d} AND a.remote = :remote AND a.{OPEN}
      AND (a.state IN ('sending', 'accepted') AND a.action = 'add'
        OR a.lane = 'revocation' AND a.refresh = 1 AND a.id != :batch)
      AND j.batch = a.id AND j.kind = i.kind AND j.digest = i.digest
"""
#: An add that ends while a removal is under way may have been carried out last: its rows stay until the
#: next plan, or the repeated removal.
_OVERTAKEN: Final = "an add ended while the removal was under way"
_NOTE_OVERTAKEN: Final = f"""
    UPDATE membership SET reason = '{_OVERTAKEN}' FROM batch_item i
    WHERE {_ITEM} AND membership.state = {State.REMOVING:d}
"""
_KEEP_OVERTAKEN: Final = f"""
    UPDATE membership SET state = {State.ADDING:d}, reason = NULL FROM batch_item i
    WHERE {_ITEM} AND membership.state = {State.REMOVING:d} AND membership.reason = '{_OVERTAKEN}'
"""
_GONE: Final = f"""
    FROM membership m WHERE m.remote = :remote AND m.state = {State.REMOVING:d}
      AND (m.kind, m.digest) IN (SELECT i.kind, i.digest FROM batch_item i WHERE i.batch = :batch)
"""
#: Whether a platform takes only the identifiers named or the whole person is nowhere documented:
#: whoever shares a person with what left is in doubt, and sent again by the next plan. (The plus keeps
#: SQLite from walking through the whole remote audience instead of looking the members up.)
_DOUBT_WHO_STAYS: Final = f"""
    UPDATE membership SET sent_at = 0 WHERE +remote = :remote AND state = {State.PRESENT:d} AND member IN (
        SELECT i.member FROM batch_item i WHERE i.batch = :batch
        UNION SELECT c.member FROM batch_item i CROSS JOIN co_owner c
            ON c.family = :family AND c.kind = i.kind AND c.digest = i.digest WHERE i.batch = :batch)
"""
_REMEMBER: Final = f"""
    INSERT INTO past_membership
        (remote, kind, digest, member, added_at, removed_at, added_batch, removed_batch)
    SELECT m.remote, m.kind, m.digest, m.member, m.added_at, :now, m.batch, :batch {_GONE}
"""
#: Co-owners of what left were there as well.
_REMEMBER_CO_OWNERS: Final = f"""
    INSERT INTO past_membership
        (remote, kind, digest, member, added_at, removed_at, added_batch, removed_batch)
    SELECT g.remote, g.kind, g.digest, c.member, g.added_at, :now, g.batch, :batch
    FROM (SELECT m.* {_GONE}) g CROSS JOIN co_owner c
        ON c.family = :family AND c.kind = g.kind AND c.digest = g.digest WHERE c.member != g.member
"""
_FORGET_CO_OWNERS: Final = """
    DELETE FROM co_owner AS c WHERE c.family = :family
      AND (c.kind, c.digest) IN (SELECT i.kind, i.digest FROM batch_item i WHERE i.batch = :batch)
      AND NOT EXISTS (SELECT 1 FROM remote r CROSS JOIN membership m ON m.remote = r.id AND m.kind = c.kind
        AND m.digest = c.digest WHERE r.family = c.family)
"""
_REFUSED_REVOCATIONS: Final = """
    SELECT m.remote, i.withdrawal, m.member, m.kind, m.digest, m.payload
    FROM batch_item i JOIN temp.refused f ON f.position = i.position
        CROSS JOIN membership m ON m.remote = :remote AND m.kind = i.kind AND m.digest = i.digest
    WHERE i.batch = :batch AND i.withdrawal IS NOT NULL AND EXISTS (
        SELECT 1 FROM suppression s WHERE s.withdrawal = i.withdrawal AND s.family = :family
            AND s.lifted_at IS NULL)
"""


@dataclass(slots=True)
class Tally:
    """What became of a batch's members so far."""

    done: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, text: str) -> "Tally":
        """Read what ``write`` wrote."""
        values = json.loads(text) if text else {}
        return cls(values.get("done", 0), Counter(values.get("rejected", {})))

    def write(self) -> str:
        """Write it as JSON."""
        return json.dumps({"done": self.done, "rejected": dict(self.rejected)})


def accept(
    connection: Connection,
    journal: Journal,
    work: Work,
    *,
    receipt: Receipt,
    now: datetime,
    next_at: datetime,
) -> None:
    """Keep that the platform took the batch and works on it."""
    connection.exec_driver_sql(
        "UPDATE batch SET state = 'accepted', request = ?, accepted_at = ?, next_at = ?,"
        " polls = 0, note = ?"
        " WHERE id = ?",
        (receipt.request, format_time(now), format_time(next_at), receipt.note, work.id),
    )
    log_batch(connection, journal, work.id, event=RemovalEvent.ACCEPTED, at=now)


def end(
    connection: Connection, journal: Journal, work: Work, *, receipt: Receipt, now: datetime, how: str = ""
) -> None:
    """Carry out what the platform said of the whole batch; it is over then.

    Args:
        how: What the removal log says besides, where people were taken out otherwise than by name.
    """
    places = batches.positions(connection, work.id)
    refused = {places[index]: reason for index, reason in receipt.rejected.items() if index < len(places)}
    unnamed = Counter(receipt.unattributed)
    if receipt.state is BatchState.REJECTED:
        why = receipt.fault or ", ".join(sorted(unnamed)) or receipt.note or "rejected"
        refused = dict.fromkeys(places, why) | refused
        unnamed.clear()  # everybody is counted by name then
    tally = refuse(connection, journal, work, refused=refused, now=now)
    tally.rejected.update(unnamed)
    left = len(places) - len(refused)
    if work.action is Action.ADD:
        tally.done += max(0, left - unnamed.total())
        blind = work.attempts > 1
        _end_add(connection, journal, work, landed=left > 0 or blind, blind=blind, now=now)
    else:
        tally.done += _end_removal(connection, journal, work, now=now, detail=how or receipt.handed)
    close(connection, work, state=receipt.state, now=now, note=receipt.note, tally=tally)


def end_emptied(connection: Connection, journal: Journal, work: Work, *, now: datetime) -> None:
    """End a batch from which everybody was left out."""
    if work.action is Action.ADD:
        blind = work.attempts > 0
        _end_add(connection, journal, work, landed=blind, blind=blind, now=now)
    close(
        connection,
        work,
        state=BatchState.CONFIRMED,
        now=now,
        note=batches.EMPTIED,
        tally=Tally.read(work.result),
    )


def refuse(
    connection: Connection, journal: Journal, work: Work, *, refused: Mapping[int, str], now: datetime
) -> Tally:
    """Carry out that the platform refused some rows, and take them out of the batch.

    A refused removal of a revoked person is queued again, later each time.
    """
    tally = Tally.read(work.result)
    if not refused:
        return tally
    tally.rejected.update(refused.values())
    note_refused(connection, refused)
    values = {"batch": work.id, "remote": work.remote, "family": work.family}
    if work.action is Action.ADD:
        connection.exec_driver_sql(_REFUSE_ADDS, values)
    else:
        connection.exec_driver_sql(_REFUSE_REMOVALS, values)
        _log_refused(connection, journal, work, now)
        _queue_refused(connection, journal, work, now=now)
    if work.action is Action.REMOVE or work.attempts == 1:
        connection.exec_driver_sql(
            "DELETE FROM batch_item WHERE batch = ? AND position IN (SELECT position FROM temp.refused)",
            (work.id,),
        )
    else:  # an earlier attempt may have landed: remember them until the batch ends
        connection.exec_driver_sql(
            "UPDATE batch_item SET dropped = 1 WHERE batch = ?"
            " AND position IN (SELECT position FROM temp.refused)",
            (work.id,),
        )
    return tally


def pause(first: timedelta, times: int, *, most: timedelta) -> timedelta:
    """Wait twice as long each time, at most *most*; it may have been refused for years."""
    wait: timedelta = first * 2 ** min(times, 20)
    return min(wait, most)


def note_refused(connection: Connection, refused: Mapping[int, str]) -> None:
    """Put positions and reasons where statements can join them."""
    connection.exec_driver_sql(
        "CREATE TEMP TABLE IF NOT EXISTS refused (position INTEGER PRIMARY KEY, reason TEXT)"
    )
    connection.exec_driver_sql("DELETE FROM temp.refused")
    if refused:
        connection.exec_driver_sql("INSERT INTO temp.refused VALUES (?, ?)", sorted(refused.items()))


def close(
    connection: Connection, work: Work, *, state: BatchState, now: datetime, note: str, tally: Tally
) -> None:
    """Mark a batch ended; its items go, its numbers stay."""
    connection.exec_driver_sql("DELETE FROM batch_item WHERE batch = ?", (work.id,))
    connection.exec_driver_sql(
        "UPDATE batch SET state = ?, settled_at = ?, note = ?, result = ? WHERE id = ?",
        (state.value, format_time(now), note, tally.write(), work.id),
    )


def _end_add(
    connection: Connection, journal: Journal, work: Work, *, landed: bool, blind: bool, now: datetime
) -> None:
    """Confirm the rows; take back, once more, whoever was revoked while the add was under way."""
    values = {"batch": work.id, "remote": work.remote, "family": work.family}
    connection.exec_driver_sql(_CONFIRM_ADDS, values)
    if landed:
        connection.exec_driver_sql(_NOTE_OVERTAKEN, values)
        late.take_back(connection, journal, work, blind=blind, now=now)


def _end_removal(
    connection: Connection, journal: Journal, work: Work, *, now: datetime, detail: str
) -> int:
    """Delete what the platform acknowledged; return how many members left."""
    values = {"batch": work.id, "remote": work.remote, "family": work.family, "now": int(now.timestamp())}
    connection.exec_driver_sql(_KEEP_IN_FLIGHT, values)
    connection.exec_driver_sql(_KEEP_OVERTAKEN, values)
    if work.lane is Lane.REGULAR:
        late.keep_who_left(connection, work, now=now)
    left: int = connection.exec_driver_sql(f"SELECT count(DISTINCT m.member) {_GONE}", values).scalar_one()
    connection.exec_driver_sql(_DOUBT_WHO_STAYS, values)
    connection.exec_driver_sql(_REMEMBER_CO_OWNERS, values)
    connection.exec_driver_sql(_REMEMBER, values)
    connection.exec_driver_sql(f"DELETE {_GONE.replace('membership m', 'membership AS m')}", values)
    connection.exec_driver_sql(_FORGET_CO_OWNERS, values)
    log_batch(connection, journal, work.id, event=RemovalEvent.CONFIRMED, at=now, detail=detail)
    return left


def _queue_refused(connection: Connection, journal: Journal, work: Work, *, now: datetime) -> None:
    if work.lane is not Lane.REVOCATION:
        return
    values = {"batch": work.id, "remote": work.remote, "family": work.family}
    rows = [Leaving(*row) for row in connection.exec_driver_sql(_REFUSED_REVOCATIONS, values)]
    wait = pause(RETRY_REFUSED, work.refusals, most=RETRY_REFUSED_AT_MOST)
    if work.repeats:
        late.repeat(connection, journal, rows, now=now, wait=wait)
        return
    schedule = Schedule(
        now, now + wait, refusals=work.refusals + 1, detail="the platform refused it before"
    )
    queue_removals(connection, journal, rows, schedule=schedule)


def _log_refused(connection: Connection, journal: Journal, work: Work, now: datetime) -> None:
    rows: Iterable[tuple[int, int, str]] = [
        (row.withdrawal, row.kind, row.reason)
        for row in connection.exec_driver_sql(
            "SELECT DISTINCT i.withdrawal, i.kind, f.reason FROM batch_item i JOIN temp.refused f"
            " ON f.position = i.position WHERE i.batch = ? AND i.withdrawal IS NOT NULL",
            (work.id,),
        )
    ]
    for reason in sorted({reason for _, _, reason in rows}):
        named = [(withdrawal, kind) for withdrawal, kind, said in rows if said == reason]
        log_rows(connection, journal, work.id, named, event=RemovalEvent.REJECTED, at=now, detail=reason)
