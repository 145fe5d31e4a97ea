"""Birth date and gender."""

import re
from collections.abc import Callable
from datetime import date, datetime

from cohortd.identity.steps import Absent, PlacedStep, Where

_DATED = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].*)?|([0-9]{4})([0-9]{2})([0-9]{2})")
_NUMBER = re.compile(r"[0-9]{1,4}")
#: Meta takes birth years from here on.
_FIRST_YEAR = 1900
_LONGEST_PART = 2

_NOT_A_DATE = Absent("not_a_date")
_IMPOSSIBLE = Absent("impossible_date")

_GENDERS = {"m": "m", "male": "m", "f": "f", "female": "f"}


def gender(value: str) -> str | Absent:
    """``m`` or ``f``; anything else is somebody's answer, but none that Meta takes."""
    return _GENDERS.get(value) or Absent("not_m_or_f")


def whole_date(value: str, where: Where) -> str | Absent:
    """An ISO date, or the date part, as written, of an ISO datetime; ``YYYY-MM-DD``."""
    found = _DATED.fullmatch(value)
    if found is None:
        return _NOT_A_DATE
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        datetime.fromisoformat(value)  # the time of day must be one, too
        born = date(year, month, day)
    except ValueError:
        return _IMPOSSIBLE
    return born.isoformat() if date(_FIRST_YEAR, 1, 1) <= born <= where.today else _IMPOSSIBLE


def _year(text: str, where: Where) -> str | Absent:
    return f"{int(text)}" if _FIRST_YEAR <= int(text) <= where.today.year else _IMPOSSIBLE


def _within(last: int) -> Callable[[str, Where], str | Absent]:
    def part(text: str, _where: Where) -> str | Absent:
        fits = len(text) <= _LONGEST_PART and 1 <= int(text) <= last
        return f"{int(text):02}" if fits else _IMPOSSIBLE

    return part


def _part_of_date(position: slice, alone: PlacedStep) -> PlacedStep:
    """Take one part of a date, or the part alone as somebody checking a value would type it."""

    def run(value: str, where: Where) -> str | Absent:
        if _NUMBER.fullmatch(value):
            return alone(value, where)
        born = whole_date(value, where)
        return born if isinstance(born, Absent) else born[position]

    return run


birth_year = _part_of_date(slice(0, 4), _year)
birth_month = _part_of_date(slice(5, 7), _within(12))
birth_day = _part_of_date(slice(8, 10), _within(31))
