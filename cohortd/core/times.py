"""Points in time and durations: always aware, always UTC."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def now_utc() -> datetime:
    """Read the real clock."""
    return datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 date or time; without an offset it is UTC.

    Raises:
        ValueError: The text is no ISO 8601 time.
    """
    at = datetime.fromisoformat(text.strip())
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def format_time(at: datetime) -> str:
    """Write *at* as ISO 8601 in UTC with microseconds, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_duration(text: str) -> timedelta:
    """Read ``30s``, ``15m``, ``12h``, ``90d`` or ``13w``.

    Raises:
        ValueError: The text is no such duration, or is not positive.
    """
    found = re.fullmatch(r"\s*(\d+)\s*([smhdw])\s*", text)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{text!r} is not a duration such as 12h, 90d or 4w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def minute_of(at: datetime) -> str:
    """Write a time for people."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
