"""How much of Meta's allowance is used, from the headers of every answer, and when to hold back."""

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from cohortd.core.delivery import Hold
from cohortd.core.times import Clock

#: The allowance that calls about custom audiences draw on; that of ads or insights may be used up by
#: other tools without any harm to ours.
_OURS = "custom_audience"
_FULL_PERCENT = 100.0
_PERCENTS = ("call_count", "total_cputime", "total_time", "acc_id_util_pct")
#: How far apart regular uploads are, in seconds, by what is used. The steps are ours, not Meta's.
_CALM_PERCENT = 50.0
_BUSY_PERCENT = 75.0
_CALM_GAP_S = 1.0
_BUSY_GAPS_S = (5.0, 30.0)
#: From here on regular uploads wait and leave the rest of the allowance to revocations.
_NEARLY_USED_PERCENT = 90.0
_NEARLY_USED_S = 300.0
_LONGEST_S = 3600.0


class Pace:
    """Remembers until when an account must be left alone: calls while limited prolong the limit.

    Threads may share it.
    """

    def __init__(self, account: str, *, clock: Clock) -> None:
        self._account = account.removeprefix("act_")
        self._clock = clock
        self._lock = threading.Lock()
        self._limits_in_a_row = 0
        self._all_until: datetime | None = None
        self._regular_until: datetime | None = None
        #: When the last regular upload began, or will.
        self._last_turn: datetime | None = None
        #: Highest percentage of any allowance in the last answer; 0 where none was told.
        self.percent = 0.0

    def hold(self, *, urgent: bool) -> Hold | None:
        """Tell until when nothing is to be uploaded; None for now."""
        now = self._clock()
        if self._all_until is not None and self._all_until > now:
            return Hold(self._all_until, "Meta's limit of calls is reached", is_told=True)
        if urgent or self._regular_until is None or self._regular_until <= now:
            return None
        return Hold(
            self._regular_until,
            f"{self.percent:.0f} % of Meta's allowance is used; the rest is kept for revocations",
        )

    def seconds_to(self, hold: Hold) -> float:
        """Seconds until the end of a hold."""
        return (hold.until - self._clock()).total_seconds()

    def turn_s(self) -> float:
        """Take the next turn of a regular upload; gives the seconds until then."""
        with self._lock:
            now = self._clock()
            turn = now
            if self._last_turn is not None:
                turn = max(now, self._last_turn + timedelta(seconds=gap_s(self.percent)))
            self._last_turn = turn
            return (turn - now).total_seconds()

    def read(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer's headers tell."""
        told = list(_usages(headers, self._account))
        self.percent = max((_number(usage.get(key)) for usage in told for key in _PERCENTS), default=0.0)
        regain_s = 60 * max(
            (_number(usage.get("estimated_time_to_regain_access")) for usage in told), default=0.0
        )
        regain_s = max([regain_s, *map(_reset_s, told)])
        now = self._clock()
        if regain_s > 0:
            self._all_until = now + timedelta(seconds=regain_s)
        self._regular_until = (
            now + timedelta(seconds=_NEARLY_USED_S) if self.percent >= _NEARLY_USED_PERCENT else None
        )

    def limited(self, after_s: float) -> float:
        """Note a refusal for too many calls; gives the seconds to wait.

        Without a time of Meta's own the wait doubles with every refusal in a row, up to an hour.
        """
        told = self.hold(urgent=True)
        wait_s = (
            self.seconds_to(told)
            if told
            else min(after_s * 2**self._limits_in_a_row, max(_LONGEST_S, after_s))
        )
        self._limits_in_a_row += 1
        self._all_until = self._clock() + timedelta(seconds=wait_s)
        return wait_s

    def went_well(self) -> None:
        """Forget the refusals."""
        self._limits_in_a_row = 0


def gap_s(percent: float) -> float:
    """Seconds between two regular uploads where so much of an allowance is used."""
    if percent < _CALM_PERCENT:
        return 0.0
    if percent < _BUSY_PERCENT:
        return _CALM_GAP_S
    least, most = _BUSY_GAPS_S
    share = (percent - _BUSY_PERCENT) / (_NEARLY_USED_PERCENT - _BUSY_PERCENT)
    return least + min(share, 1.0) * (most - least)


def _usages(headers: Mapping[str, str], account: str) -> Iterator[Mapping[str, object]]:
    business = _parsed(headers.get("X-Business-Use-Case-Usage"))
    ours = business.get(account)
    for entries in [ours] if ours is not None else business.values():
        if isinstance(entries, list):
            yield from (
                entry for entry in entries if isinstance(entry, dict) and entry.get("type", _OURS) == _OURS
            )
    for name in ("X-App-Usage", "X-Ad-Account-Usage"):
        yield _parsed(headers.get(name))


def _reset_s(usage: Mapping[str, object]) -> float:
    """Seconds until an ad account's own score begins anew, where it is used up."""
    is_full = _number(usage.get("acc_id_util_pct")) >= _FULL_PERCENT
    return _number(usage.get("reset_time_duration")) if is_full else 0.0


def _parsed(header: str | None) -> Mapping[str, object]:
    try:
        value = json.loads(header or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
