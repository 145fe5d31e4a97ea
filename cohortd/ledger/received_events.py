"""Consent events that came by HTTP: each once, and those that could not be read put aside."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from cohortd.core.consenting import ConsentRecord
from cohortd.core.times import format_time, parse_time
from cohortd.ledger.consent_store import ConsentStore
from cohortd.ledger.database import Database
from cohortd.ledger.removal_log import RemovalLog
from cohortd.ledger.withdrawing import Withdrawn

_INSERT: Final = (
    "INSERT INTO received_event (source, event, body, size, received_at, fault, subjects)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
#: Which came before a time, the oldest first, but for those that a person has yet to look at.
_FORGET: Final = """
    DELETE FROM received_event WHERE received_at < ? AND id IN (
        SELECT id FROM received_event WHERE fault = '' OR seen = 1 ORDER BY id LIMIT ?)
"""
_FORGOTTEN_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an event comes to."""

    withdrawn: Sequence[Withdrawn]
    #: All it says, withdrawals too.
    records: Sequence[ConsentRecord]
    size: int
    #: Why it cannot be taken as it is; empty where it can.
    fault: str = ""
    #: Whom it names, as the removal log names them, where it is at fault.
    subjects: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """What tells one event from all others."""

    source: str
    #: The event's own id; empty where the body alone says which it is.
    event: str
    #: SHA-256 of the body as it came.
    body: bytes


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that could not be taken as it is; the body itself is not kept."""

    id: int
    event: ReceivedEvent
    size: int
    received_at: datetime
    fault: str
    #: Whom it names, as the removal log names them.
    subjects: tuple[str, ...]


class ReceivedEvents:
    """Which events came."""

    def __init__(self, database: Database, log: RemovalLog, consent: ConsentStore) -> None:
        self._database, self._log, self._consent = database, log, consent

    def is_known(self, event: ReceivedEvent) -> bool:
        """Tell whether it came before, and what it says is in the ledger."""
        with self._database.read() as connection:
            return bool(
                connection.exec_driver_sql(
                    "SELECT EXISTS (SELECT 1 FROM received_event"
                    " WHERE source = ? AND event = ? AND body = ?)",
                    (event.source, event.event, event.body),
                ).scalar_one()
            )

    def note(
        self,
        event: ReceivedEvent,
        *,
        size: int,
        at: datetime,
        fault: str = "",
        subjects: Sequence[str] = (),
    ) -> None:
        """Note an event whose records are in the ledger; with a fault it is put aside for a person."""
        with self._database.write() as connection:
            _note(connection, event, size=size, at=at, fault=fault, subjects=subjects)

    def take(self, event: ReceivedEvent, outcome: Outcome, *, now: datetime) -> None:
        """Take an event in, all or nothing: withdrawals with removals, records, the note that it came."""
        with self._log.transaction() as (connection, journal):
            self._consent.take_in(connection, journal, outcome.withdrawn, outcome.records, now=now)
            _note(
                connection,
                event,
                size=outcome.size,
                at=now,
                fault=outcome.fault,
                subjects=outcome.subjects,
            )

    def forget(self, before: datetime) -> int:
        """Forget events that came before a time, a part at a time; return how many.

        What they said stays: the same bytes, were they to come again, would make the same records.
        """
        forgotten, part = 0, _FORGOTTEN_AT_ONCE
        while part == _FORGOTTEN_AT_ONCE:
            with self._database.write() as connection:
                part = connection.exec_driver_sql(
                    _FORGET, (format_time(before), _FORGOTTEN_AT_ONCE)
                ).rowcount
            forgotten += part
        return forgotten

    def parked(self, *, limit: int = 1_000) -> Sequence[ParkedEvent]:
        """Return those put aside that nobody has looked at, oldest first."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT id, source, event, body, size, received_at, fault, subjects FROM received_event"
                " WHERE fault != '' AND seen = 0 ORDER BY id LIMIT ?",
                (limit,),
            ).all()
        return [
            ParkedEvent(
                row.id,
                ReceivedEvent(row.source, row.event, row.body),
                row.size,
                parse_time(row.received_at),
                row.fault,
                tuple(json.loads(row.subjects)),
            )
            for row in rows
        ]

    def count_parked(self) -> int:
        """Count those put aside that nobody has looked at."""
        with self._database.read() as connection:
            return int(
                connection.exec_driver_sql(
                    "SELECT count(*) FROM received_event WHERE fault != '' AND seen = 0"
                ).scalar_one()
            )

    def mark_seen(self, *, until: int) -> None:
        """Note that a person has looked at those up to one."""
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "UPDATE received_event SET seen = 1 WHERE fault != '' AND seen = 0 AND id <= ?", (until,)
            )


def _note(
    connection: Connection,
    event: ReceivedEvent,
    *,
    size: int,
    at: datetime,
    fault: str,
    subjects: Sequence[str],
) -> None:
    values = (event.source, event.event, event.body, size, format_time(at), fault)
    connection.exec_driver_sql(_INSERT, (*values, json.dumps(list(subjects))))
