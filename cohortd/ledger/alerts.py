"""What people were told of what needs them, so that a restart tells nothing twice."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Row

from cohortd.core.times import format_time, parse_time
from cohortd.ledger.database import Database

_COLUMNS: Final = "channel, key, subject, detail, since, told_at, gone_at"


@dataclass(frozen=True, slots=True)
class Told:
    """One condition as a channel knows it."""

    key: str
    subject: str
    detail: str
    since: datetime
    told_at: datetime | None = None
    #: When it was first seen to be over; None while it stands.
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FailingChannel:
    """A channel that did not take the last message."""

    name: str
    since: datetime
    tries: int
    #: When it is tried again.
    next_at: datetime
    reason: str


class Alerts:
    """What was told by each channel, and which channels fail."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def told(self, channel: str) -> Mapping[str, Told]:
        """Return what a channel knows, by key."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT {_COLUMNS} FROM alert WHERE channel = ? ORDER BY key", (channel,)
            ).all()
        return {row.key: _told(row) for row in rows}

    def keep(self, channel: str, known: Sequence[Told]) -> None:
        """Let a channel know exactly this."""
        with self._database.write() as connection:
            connection.exec_driver_sql("DELETE FROM alert WHERE channel = ?", (channel,))
            for each in known:
                connection.exec_driver_sql(
                    f"INSERT INTO alert ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        channel,
                        each.key,
                        each.subject,
                        each.detail,
                        format_time(each.since),
                        _text(each.told_at),
                        _text(each.gone_at),
                    ),
                )

    def failing(self) -> Mapping[str, FailingChannel]:
        """Return the channels that fail, by name."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, failed_since, tries, next_at, reason FROM alert_channel ORDER BY name"
            ).all()
        return {
            row.name: FailingChannel(
                row.name, parse_time(row.failed_since), row.tries, parse_time(row.next_at), row.reason
            )
            for row in rows
        }

    def failed(self, channel: str, *, now: datetime, again_after: timedelta, reason: str) -> None:
        """Note that a channel took no message."""
        at, next_at = format_time(now), format_time(now + again_after)
        with self._database.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO alert_channel (name, failed_since, tries, next_at, reason)"
                " VALUES (?, ?, 1, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET tries = alert_channel.tries + 1,"
                " next_at = excluded.next_at, reason = excluded.reason",
                (channel, at, next_at, reason),
            )

    def took(self, channel: str) -> None:
        """Note that a channel took a message."""
        if channel in self.failing():
            with self._database.write() as connection:
                connection.exec_driver_sql("DELETE FROM alert_channel WHERE name = ?", (channel,))

    def forget_others(self, channels: Collection[str]) -> None:
        """Forget what channels knew that are no longer set."""
        with self._database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT channel AS name FROM alert UNION SELECT name FROM alert_channel"
            ).all()
        gone = {row.name for row in rows} - set(channels)
        if not gone:
            return
        with self._database.write() as connection:
            for name in sorted(gone):
                connection.exec_driver_sql("DELETE FROM alert WHERE channel = ?", (name,))
                connection.exec_driver_sql("DELETE FROM alert_channel WHERE name = ?", (name,))


def _told(row: Row[tuple[str, ...]]) -> Told:
    return Told(
        key=row.key,
        subject=row.subject,
        detail=row.detail,
        since=parse_time(row.since),
        told_at=parse_time(row.told_at) if row.told_at else None,
        gone_at=parse_time(row.gone_at) if row.gone_at else None,
    )


def _text(at: datetime | None) -> str:
    return "" if at is None else format_time(at)
