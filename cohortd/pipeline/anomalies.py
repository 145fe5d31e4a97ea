"""What looks broken about a table, compared with how the last finished sync saw it: pure checks.

Each of these would move people although none of them did anything.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from cohortd.core.figures import ColumnFigures, Rows, TableFigures
from cohortd.core.planning import GuardStop
from cohortd.core.times import parse_time

GUARD: Final = "source_anomaly"
#: With fewer rows chance says as much as a fault.
_ENOUGH: Final = 30
#: Of new rows more: a sale, a campaign or an import of some hundred rows is no fault of the source.
_ENOUGH_NEW: Final = 500
#: Most rows of one day, or of midnight, where it was far fewer before.
_MOST: Final = 0.5
_FEW: Final = 0.25
#: Days that were known before, from which on a gap can be told from a shop's usual pauses.
_DAYS_KNOWN: Final = 14
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AnomalyLimits:
    """From where on a difference is a fault of the source."""

    #: A column's median this many times as large or as small: another unit.
    unit_factor: float = 8.0
    #: Share of rows that repeat others, above what it was.
    duplicates: float = 0.1
    #: Days without any event, or by which the newest event went back.
    gap_days: int = 3
    #: Share of rows whose time is yet to come, above what it was.
    future: float = 0.01


def find_anomalies(
    now: Collection[TableFigures],
    before: Mapping[str, TableFigures],
    limits: AnomalyLimits,
    *,
    time_went_on: bool,
) -> tuple[GuardStop, ...]:
    """Name every table and column that looks broken, and how.

    Args:
        now: What this run sees.
        before: What the last finished sync saw, by table; a table without says nothing.
        limits: See there.
        time_went_on: Whether this run looks from no earlier time than that one: else events that
            are not there yet say nothing.
    """
    stops: list[str] = []
    for table in now:
        was = before.get(table.table)
        if was is None:
            continue
        for name, column in table.columns.items():
            if name in was.columns:
                stops += [
                    f"{table.table}.{name}: {told}" for told in _column(column, was.columns[name], limits)
                ]
        stops += [f"{table.table}: {told}" for told in _repeats(table, was, limits)]
        stops += [f"{table.table}.occurred_at: {told}" for told in _clock(table, was)]
        if time_went_on:
            stops += [f"{table.table}.occurred_at: {told}" for told in _calendar(table, was, limits)]
    return tuple(GuardStop(GUARD, told) for told in stops)


def _column(now: ColumnFigures, was: ColumnFigures, limits: AnomalyLimits) -> Iterator[str]:
    if now.constant and not was.constant and min(now.rows, was.rows) >= _ENOUGH:
        yield f"all {now.rows:,} rows say the same; at the last sync they differed"
        return
    if was.middle is None or was.numbers < _ENOUGH:
        return
    for middle, numbers, enough, whose in (
        (now.middle, now.numbers, _ENOUGH, "all rows"),
        (now.new_middle, now.new_numbers, _ENOUGH_NEW, "the new rows"),
    ):
        if middle is not None and numbers >= enough and _is_another_unit(middle, was.middle, limits):
            yield (
                f"the median of {whose} is about {middle:.3g}, at the last sync it was {was.middle:.3g}:"
                " has the unit changed?"
            )
            return


def _is_another_unit(now: float, was: float, limits: AnomalyLimits) -> bool:
    return max(now / was, was / now) >= limits.unit_factor


def _repeats(now: TableFigures, was: TableFigures, limits: AnomalyLimits) -> Iterator[str]:
    usual = was.all.repeated_share
    for rows, whose in ((now.all, "rows"), (now.new, "new rows")):
        if rows.rows >= _ENOUGH_NEW and rows.repeated_share - usual > limits.duplicates:
            yield (
                f"{rows.repeated_share:.1%} of the {rows.rows:,} {whose} only repeat another"
                f" (same customer, time and amounts); at the last sync {usual:.1%}"
            )
            return


def _clock(now: TableFigures, was: TableFigures) -> Iterator[str]:
    """Times of day that are lost, and everything on one day."""
    usual = was.all.midnight_share
    for rows, whose in ((now.all, "rows"), (now.new, "new rows")):
        if rows.rows >= _ENOUGH_NEW and usual < _FEW and rows.midnight_share - usual > _MOST:
            yield (
                f"{rows.midnight_share:.1%} of the {rows.rows:,} {whose} are of midnight; at the last"
                f" sync {usual:.1%}"
            )
            break
    if now.new.rows >= _ENOUGH_NEW and was.new.latest_share < _FEW and now.new.latest_share > _MOST:
        yield f"{now.new.latest_share:.1%} of the {now.new.rows:,} new rows are of one second"
    before, busiest = _share(was.busiest, was.all), _share(now.busiest, now.all)
    if now.all.rows >= _ENOUGH_NEW and before < _FEW and busiest > _MOST:
        yield f"{busiest:.1%} of the rows are of one day; at the last sync {before:.1%} were of the busiest"


def _calendar(now: TableFigures, was: TableFigures, limits: AnomalyLimits) -> Iterator[str]:
    """Events that are yet to come, and days that are missing."""
    later, usual = _later_share(now), _later_share(was)
    if later - usual > limits.future:
        yield (
            f"{later:.1%} of the rows ({now.later:,}) are of a time yet to come; at the last sync"
            f" {usual:.1%}"
        )
    if not (now.newest and was.newest):
        return
    newest, newest_before = parse_time(now.newest), parse_time(was.newest)
    if newest_before - newest > limits.gap_days * _DAY:
        yield (
            f"the newest event is of {newest:%Y-%m-%d}; at the last sync it was of {newest_before:%Y-%m-%d}"
        )
        return
    lost = _lost_days(now, was)
    if lost:
        yield f"{_days(lost)} had events at the last sync and have none now: {lost[0]} to {lost[-1]}"
    gap = _longest_gap(newest_before.date(), newest, now.days)
    if now.new.rows >= _ENOUGH_NEW and len(gap) >= limits.gap_days and len(gap) > 2 * _usual_gap(was):
        yield f"{_days(gap)} without any event, and later ones have some: {gap[0]} to {gap[-1]}"


def _lost_days(now: TableFigures, was: TableFigures) -> list[date]:
    """Days that had more than a few events; a table that only holds its last weeks may lose its oldest."""
    return [
        day
        for day in map(date.fromisoformat, was.days)
        if was.days[day.isoformat()] >= _ENOUGH
        and day > date.fromisoformat(now.oldest)
        and _is_told(day, now)
        and not now.days.get(day.isoformat())
    ]


def _is_told(day: date, now: TableFigures) -> bool:
    """Whether *day* is within the days that are told one by one."""
    return bool(now.days) and day >= date.fromisoformat(min(now.days))


def _longest_gap(after: date, newest: datetime, days: Mapping[str, int]) -> list[date]:
    """The most days in a row without an event, from the day after the newest one known before."""
    longest: list[date] = []
    run: list[date] = []
    first = max(after + _DAY, date.fromisoformat(min(days)))
    for number in range((newest.date() - first).days):
        day = first + number * _DAY
        run = [] if days.get(day.isoformat()) else [*run, day]
        longest = max(longest, run, key=len)
    return longest


def _usual_gap(was: TableFigures) -> int:
    """The most days in a row without an event that the last sync saw; endless where it saw too little."""
    days = sorted(map(date.fromisoformat, was.days))
    if len(days) < _DAYS_KNOWN:
        return 10**6
    return max((later - day).days - 1 for day, later in pairwise(days))


def _later_share(table: TableFigures) -> float:
    rows = table.all.rows + table.later
    return table.later / rows if rows else 0.0


def _share(part: int, rows: Rows) -> float:
    return part / rows.rows if rows.rows else 0.0


def _days(days: Collection[date]) -> str:
    return f"{len(days)} {'day' if len(days) == 1 else 'days'}"
