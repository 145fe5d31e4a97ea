"""The removal log as it is read: page by page, in its order."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Row

from cohortd.core.removals import RemovalEntry
from cohortd.core.times import format_time
from cohortd.ledger import subject_keys
from cohortd.ledger.database import Database

#: What an entry's hash covers, besides the hash above.
FIELDS: Final = (
    "at",
    "event",
    "subject",
    "trigger",
    "source",
    "event_time",
    "audience",
    "destination",
    "platform",
    "account",
    "remote_id",
    "identifier_kinds",
    "batch",
    "detail",
    "schema_version",
    "record_id",
    "regulation",
    "legal_basis",
    "purpose",
    "rule",
    "evidence",
    "received_at",
    "due_at",
    "on_time",
    "attempts",
    "request",
    "operator",
)
#: ``trigger`` is a reserved word, so its column has another name.
COLUMNS: Final = ("seq", *("cause" if name == "trigger" else name for name in FIELDS), "previous", "hash")
_PAGE: Final = 5_000
_CLOCKS_SET_BACK: Final = timedelta(days=1)


def pages(
    database: Database, subject: str | None = None, since: datetime | None = None, *, after: int = 0
) -> Iterator[list[RemovalEntry]]:
    """Yield entries as they were sealed: all, or of one subject, or from a time or below a number on."""
    seq = after
    columns = ", ".join(COLUMNS)
    # Said outright: behind a coalesce() the index of subjects would not be used.
    whose = "" if subject is None else " AND subject IN (:ref, :name)"
    while True:
        with database.read() as connection:
            asked = {} if subject is None else _both(connection, subject)
            rows = connection.exec_driver_sql(
                f"SELECT {columns} FROM removal_log WHERE seq > :seq{whose}"
                " AND at >= coalesce(:since, at)"
                f" ORDER BY seq LIMIT {_PAGE}",
                {"seq": seq, "since": format_time(since) if since else None, **asked},
            ).all()
        yield [_entry(row) for row in rows]
        if len(rows) < _PAGE:
            return
        seq = rows[-1].seq


def tail(connection: Connection, most: int) -> list[RemovalEntry]:
    """Return the newest entries as they were sealed, the newest last."""
    rows = connection.exec_driver_sql(
        f"SELECT {', '.join(COLUMNS)} FROM removal_log ORDER BY seq DESC LIMIT ?", (most,)
    ).all()
    return [_entry(row) for row in reversed(rows)]


def last_before(connection: Connection, since: datetime) -> int:
    """Return the number of an entry behind which all later ones stand; 0 where there is none.

    Times ascend but where a clock was set back, for which a day is left. Read from the end, so what is
    older costs nothing.
    """
    row = connection.exec_driver_sql(
        "SELECT seq FROM removal_log WHERE at < ? ORDER BY seq DESC LIMIT 1",
        (format_time(since - _CLOCKS_SET_BACK),),
    ).first()
    return 0 if row is None else int(row.seq)


def _both(connection: Connection, subject: str) -> dict[str, str]:
    """The names under which a subject's entries stand, older and newer ones."""
    found = subject_keys.find(connection, {subject})
    return {"ref": found[0].ref, "name": found[0].name} if found else {"ref": subject, "name": subject}


def _entry(row: Row[tuple[object, ...]]) -> RemovalEntry:
    values = row._asdict()
    return RemovalEntry(trigger=values.pop("cause"), **values)
