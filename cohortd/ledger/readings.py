"""What the platforms said of our audiences over time: one reading a day and audience, and every change."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row

from cohortd.core.delivery import Flag, RemoteStatus
from cohortd.core.errors import LedgerError
from cohortd.core.times import format_time
from cohortd.ledger.database import Database

#: For so long readings are kept: a year, and the same weeks of the year before.
KEPT_FOR: Final = timedelta(days=400)
_DAY_S: Final = 86_400
_NEWEST: Final = "SELECT at, status FROM reading WHERE remote = ? ORDER BY at DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a remote audience."""

    at: datetime
    status: RemoteStatus
    #: Members whom the ledger held for confirmed then, and those it held there or on the way.
    confirmed: int
    held: int


class Readings:
    """The readings of all remote audiences."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, remote_pk: int, reading: Reading) -> None:
        """Keep a reading; one of the same day gives way to it, unless more than numbers changed.

        Raises:
            LedgerError: There is no such remote audience.
        """
        at = int(reading.at.timestamp())
        with self._database.write() as connection:
            _note_newest(connection, remote_pk, reading)
            newest = connection.exec_driver_sql(_NEWEST, (remote_pk,)).first()
            if newest is not None and _gives_way(newest, reading.status, at):
                connection.exec_driver_sql(
                    "DELETE FROM reading WHERE remote = ? AND at = ?", (remote_pk, newest.at)
                )
            _insert(connection, remote_pk, at, reading)

    def since(self, moment: datetime) -> Mapping[int, Sequence[Reading]]:
        """Return the key of each remote audience -> its readings from a moment on, oldest first."""
        found: defaultdict[int, list[Reading]] = defaultdict(list)
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT remote, at, status, confirmed, held FROM reading WHERE at >= ? ORDER BY remote, at",
                (int(moment.timestamp()),),
            ).all()
        for row in rows:
            at = datetime.fromtimestamp(row.at, UTC)
            found[row.remote].append(Reading(at, status_of_text(row.status), row.confirmed, row.held))
        return dict(found)

    def forget(self, now: datetime) -> None:
        """Delete what was kept long enough."""
        with self._database.write() as connection:
            before = int((now - KEPT_FOR).timestamp())
            connection.exec_driver_sql("DELETE FROM reading WHERE at < ?", (before,))


def text_of_status(status: RemoteStatus) -> str:
    """Write a status down."""
    return json.dumps(asdict(status), separators=(",", ":"), sort_keys=True)


def status_of_text(text: str) -> RemoteStatus:
    """Read what ``text_of_status`` wrote, also where an older cohortd did."""
    values: dict[str, Any] = json.loads(text)
    values["flags"] = tuple(Flag(each) for each in values.get("flags", ()))
    return RemoteStatus(**values)


def _note_newest(connection: Connection, remote_pk: int, reading: Reading) -> None:
    found = connection.exec_driver_sql(
        "UPDATE remote SET status = ?, checked_at = ? WHERE id = ?",
        (text_of_status(reading.status), format_time(reading.at), remote_pk),
    )
    if found.rowcount != 1:
        raise LedgerError(f"there is no remote audience {remote_pk}")


def _gives_way(newest: Row[Any], status: RemoteStatus, at: int) -> bool:
    if newest.at >= at:  # the same second, or a clock that was set back
        return bool(newest.at == at)
    is_same_day = newest.at // _DAY_S == at // _DAY_S
    return is_same_day and _without_numbers(status_of_text(newest.status)) == _without_numbers(status)


def _without_numbers(status: RemoteStatus) -> RemoteStatus:
    return replace(status, size_lower=None, size_upper=None, match_rate=None, upload_match_rate=None)


def _insert(connection: Connection, remote_pk: int, at: int, reading: Reading) -> None:
    connection.exec_driver_sql(
        "INSERT INTO reading (remote, at, status, confirmed, held) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (remote, at) DO NOTHING",
        (remote_pk, at, text_of_status(reading.status), reading.confirmed, reading.held),
    )
