"""Cron text: checked as crontab reads it, and translated for APScheduler."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from cohortd.core.times import parse_duration

_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST: Final = dict(zip(range(1, 13), (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))
_FIELDS: Final = ("minute", "hour", "day", "month", "day_of_week")
_BOUNDS: Final = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "day_of_week": (0, 7),
}
_NAMES: Final[Mapping[str, Mapping[str, int]]] = {
    "month": {name: number for number, name in enumerate(_MONTHS, 1)},
    "day_of_week": {name: number for number, name in enumerate(_WEEKDAYS)},
}
_INTERVAL: Final = re.compile(r"\s*\d+\s*[smhdw]\s*")
_PART: Final = re.compile(
    r"(?:(?P<any>\*)|(?P<low>[a-z]{3}|\d{1,2})(?:-(?P<high>[a-z]{3}|\d{1,2}))?)(?:/(?P<step>\d{1,2}))?"
)


def trigger_fields(text: str) -> dict[str, str]:
    """Translate crontab text into the keyword arguments of APScheduler's ``CronTrigger``.

    Weekdays become names: crontab counts them from Sunday, APScheduler from Monday.

    Raises:
        ValueError: The text is no crontab line of five fields, or never comes due.
    """
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise ValueError("must be five fields: minute hour day month weekday, such as '0 3 * * 1'")
    fields = dict(zip(_FIELDS, parts, strict=True))
    chosen = {name: _expand(name, part) for name, part in fields.items()}
    _refuse_unclear(fields, chosen)
    if fields["day_of_week"] != "*":
        fields["day_of_week"] = ",".join(
            _WEEKDAYS[day] for day in sorted({day % 7 for day in chosen["day_of_week"]})
        )
    return fields


def check_cron(text: str) -> str:
    """Return *text* if it is a crontab line that can come due.

    Raises:
        ValueError: It is not.
    """
    trigger_fields(text)
    return text


def interval_of(when: str) -> timedelta | None:
    """Read ``15m`` as a duration; None where the text is no interval but crontab.

    Raises:
        ValueError: It is an interval of nothing.
    """
    return parse_duration(when) if _INTERVAL.fullmatch(when) else None


def longest_wait(text: str | None) -> timedelta:
    """Say how long it takes at most from one time to the next: a day, a week, a month, a year.

    A day for whatever comes more often, and where there is no timetable.
    """
    every = interval_of(text) if text else None
    if every is not None:
        return max(every, timedelta(days=1))
    _, _, day, month, weekday = (text or "0 0 * * *").split()
    if month != "*":
        return timedelta(days=366)
    if day != "*":
        return timedelta(days=31)
    return timedelta(days=1 if weekday == "*" else 7)


def _expand(name: str, field: str) -> set[int]:
    return {number for part in field.split(",") for number in _expand_part(name, part)}


def _expand_part(name: str, part: str) -> range:
    found = _PART.fullmatch(part)
    lowest, highest = _BOUNDS[name]
    unclear = ValueError(
        f"the {name.replace('_', ' ')} field must hold {lowest} to {highest}, ranges, lists or '*'"
    )
    if found is None or found["step"] == "0" or (found["step"] and not (found["any"] or found["high"])):
        raise unclear
    if found["any"]:
        return range(lowest, highest + 1, int(found["step"] or 1))
    low = _number(name, found["low"])
    high = _number(name, found["high"]) if found["high"] else low
    if low is None or high is None or not lowest <= low <= high <= highest:
        raise unclear
    return range(low, high + 1, int(found["step"] or 1))


def _number(name: str, text: str) -> int | None:
    return int(text) if text.isdigit() else _NAMES.get(name, {}).get(text)


def _refuse_unclear(fields: Mapping[str, str], chosen: Mapping[str, set[int]]) -> None:
    if fields["day"] != "*" and fields["day_of_week"] != "*":
        raise ValueError(
            "give a day of the month or a weekday, not both: schedulers disagree about what both mean"
        )
    if min(chosen["day"]) > max(_LONGEST[month] for month in chosen["month"]):
        raise ValueError("never comes due: no such day in these months")
