"""Requests kept within a platform's quota before it has to refuse one.

A quota belongs to whatever the platform counts by, such as a Cloud project. So one pacer is shared by
all destinations that draw on it, and what was used of a day is kept where it outlives the process.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final, Protocol

from cohortd.core.delivery import Hold
from cohortd.core.errors import HeldError, LedgerError
from cohortd.core.times import Clock

#: A request waits for its turn no longer than this; what has to wait longer is for whoever sends.
LONGEST_WAIT_S: Final = 90.0
_MINUTE: Final = timedelta(minutes=1)
_HOUR_S: Final = 3600
#: Google does not say when its day begins. What was used of an hour counts until a day after that hour's
#: end: then no 24 hours hold too many, wherever they are cut. Seconds on top for slow requests.
_COUNTS_FOR_S: Final = _HOUR_S + 86_400 + 300
#: Requests are written down so many at a time, before they are made; a kill counts a few too many.
_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Quota:
    """How many requests a platform allows."""

    per_minute: int
    per_day: int
    #: The share of both that only revocations may use.
    reserve: float = 0.0

    def of(self, most: int, *, urgent: bool) -> int:
        """Requests that may be made out of *most*."""
        return most if urgent else most - int(most * self.reserve)


class DayBook(Protocol):
    """Requests of the last day, where they outlive the process; several processes may write."""

    def note(self, quota: str, *, hour: int, requests: int, since: int) -> Mapping[int, int]:
        """Add requests to an hour of a quota; a negative number takes them back.

        Args:
            quota: Whose.
            hour: Hours since 1970.
            requests: How many.
            since: What was noted of earlier hours may be forgotten.

        Returns:
            Hour -> requests.
        """
        ...


class Pacer:
    """One quota, shared by threads.

    A request counts against the minute from its beginning until a minute after its end: whenever in
    between it reached the platform, no minute there sees more than are allowed.
    """

    def __init__(
        self, name: str, quota: Quota, *, clock: Clock, book: DayBook, wait: Callable[[float], bool]
    ) -> None:
        """Do no I/O.

        Args:
            name: Under which the day is noted.
            quota: What is allowed.
            clock: For both, the minute and the day.
            book: Keeps the day.
            wait: Waits for so many seconds; true where the process was asked to stop.
        """
        self._quota = quota
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._minute = _Minute()
        self._day = _Day(name, book)

    def hold(self, *, urgent: bool) -> Hold | None:
        """Tell until when no request may be made; None where one may be made now."""
        with self._lock:
            return self._hold(self._clock(), urgent=urgent)

    def used_share(self) -> float:
        """Tell the share of the day's or of the minute's requests that is used, whichever is larger."""
        with self._lock:
            now = self._clock()
            day = self._day.used(now) / self._quota.per_day
            return max(day, self._minute.used(now) / self._quota.per_minute)

    @contextmanager
    def request(self, *, urgent: bool = False) -> Iterator[None]:
        """Count one request, made in the block, once it may be made.

        Raises:
            HeldError: That would take too long, or the process was asked to stop.
        """
        self._enter(urgent=urgent)
        try:
            yield
        finally:
            with self._lock:
                self._minute.end(self._clock())

    def close(self) -> None:
        """Take back what was noted of the day and not used."""
        with self._lock, suppress(LedgerError):
            self._day.give_back()

    def _enter(self, *, urgent: bool) -> None:
        waited = 0.0
        while True:
            with self._lock:
                now = self._clock()
                hold = self._hold(now, urgent=urgent)
                if hold is None:
                    self._day.begin(now, self._quota.of(self._quota.per_day, urgent=urgent))
                    self._minute.begin()
                    return
            wait_s = (hold.until - now).total_seconds()
            if waited + wait_s > LONGEST_WAIT_S or self._wait(wait_s):
                raise HeldError(hold.why, after_s=wait_s)
            waited += wait_s

    def _hold(self, now: datetime, *, urgent: bool) -> Hold | None:
        quota = self._quota
        until = self._day.free_at(now, quota.of(quota.per_day, urgent=urgent))
        if until is not None:
            return Hold(until, _why(quota.per_day, "day", urgent=urgent))
        until = self._minute.free_at(now, quota.of(quota.per_minute, urgent=urgent))
        return None if until is None else Hold(until, _why(quota.per_minute, "minute", urgent=urgent))


class _Minute:
    """Requests of the last minute, and those under way."""

    def __init__(self) -> None:
        self._under_way = 0
        self._ended: deque[datetime] = deque()

    def begin(self) -> None:
        self._under_way += 1

    def end(self, now: datetime) -> None:
        self._under_way -= 1
        self._ended.append(now)

    def used(self, now: datetime) -> int:
        """Count them."""
        return self._under_way + sum(now - at < _MINUTE for at in self._ended)

    def free_at(self, now: datetime, most: int) -> datetime | None:
        """Find when one of *most* is free; None for now, a guess where it is for requests under way."""
        if self._ended and self._ended[-1] > now:  # somebody set the clock back
            self._ended = deque(min(at, now) for at in self._ended)
        while self._ended and now - self._ended[0] >= _MINUTE:
            self._ended.popleft()
        too_many = self._under_way + len(self._ended) - most + 1
        if too_many <= 0:
            return None
        if too_many > len(self._ended):
            return now + _MINUTE
        return self._ended[too_many - 1] + _MINUTE


class _Day:
    """Requests of the last 24 hours and a little more, by the hour."""

    def __init__(self, name: str, book: DayBook) -> None:
        self._name = name
        self._book = book
        self._hours: dict[int, int] | None = None
        #: Noted already of which hour, and not used yet.
        self._left, self._left_of = 0, 0

    def begin(self, now: datetime, most: int) -> None:
        hour = _hour_of(now)
        if hour != self._left_of:
            self.give_back()
        if not self._left:
            room = most - sum(self._known(now).values())
            self._left, self._left_of = max(1, min(_AT_ONCE, room)), hour
            self._note(hour, self._left)
        self._left -= 1

    def give_back(self) -> None:
        if self._left:
            left, self._left = self._left, 0
            self._note(self._left_of, -left)

    def used(self, now: datetime) -> int:
        """Count them; what was only noted beforehand is not used yet."""
        return sum(self._known(now).values()) - self._left

    def free_at(self, now: datetime, most: int) -> datetime | None:
        """Find when one of *most* is free; None for now."""
        hours = self._known(now)
        too_many = sum(hours.values()) - self._left - most + 1
        if too_many <= 0:
            return None
        ordered = sorted(hours)
        gone = accumulate(hours[hour] for hour in ordered)
        last = next(hour for hour, requests in zip(ordered, gone, strict=True) if requests >= too_many)
        return datetime.fromtimestamp(last * _HOUR_S + _COUNTS_FOR_S, now.tzinfo)

    def _known(self, now: datetime) -> Mapping[int, int]:
        if self._hours is None:
            self._note(_hour_of(now), 0)
        since = _since(now)
        self._hours = {hour: requests for hour, requests in (self._hours or {}).items() if hour >= since}
        return self._hours

    def _note(self, hour: int, requests: int) -> None:
        since = hour - _COUNTS_FOR_S // _HOUR_S - 1
        self._hours = dict(self._book.note(self._name, hour=hour, requests=requests, since=since))


def _hour_of(at: datetime) -> int:
    return int(at.timestamp()) // _HOUR_S


def _since(now: datetime) -> int:
    """Find the earliest hour that counts still."""
    return (int(now.timestamp()) - _COUNTS_FOR_S) // _HOUR_S + 1


def _why(most: int, span: str, *, urgent: bool) -> str:
    kept = "" if urgent else ", but for what is kept for revocations"
    return f"the quota of {most:,} requests a {span} is used up{kept}"
