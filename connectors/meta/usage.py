"""How much of Meta's allowance is used, from the headers of every answer, and when to hold back."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from cohortd.core.times import Clock

#: The allowance that calls about custom audiences draw on; that of ads or insights may be used up by
#: other tools without any harm to ours.
_OURS = "custom_audience"
_FULL_PERCENT = 100.0
_PERCENTS = ("call_count", "total_cputime", "total_time", "acc_id_util_pct")
#: From here on adds wait and leave the rest of the allowance to removals. Ours, not Meta's.
_NEARLY_USED_PERCENT = 90.0
_NEARLY_USED_S = 300.0
_LONGEST_S = 3600.0


class Pace:
    """Remembers until when an account must be left alone: calls while limited prolong the limit."""

    def __init__(self, account: str, *, clock: Clock) -> None:
        self._account = account.removeprefix("act_")
        self._clock = clock
        self._limits_in_a_row = 0
        self._all_until: datetime | None = None
        self._adds_until: datetime | None = None
        #: Highest percentage of any allowance in the last answer; 0 where none was told.
        self.percent = 0.0

    def wait_s(self, *, is_add: bool) -> float:
        """Seconds until the next call may be made; 0 for now."""
        until = [self._all_until, self._adds_until if is_add else None]
        return max([0.0, *((at - self._clock()).total_seconds() for at in until if at is not None)])

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
        self._adds_until = (
            now + timedelta(seconds=_NEARLY_USED_S) if self.percent >= _NEARLY_USED_PERCENT else None
        )

    def limited(self, after_s: float) -> float:
        """Note a refusal for too many calls; gives the seconds to wait.

        Without a time of Meta's own the wait doubles with every refusal in a row, up to an hour.
        """
        told = self.wait_s(is_add=False)
        wait_s = told or min(after_s * 2**self._limits_in_a_row, max(_LONGEST_S, after_s))
        self._limits_in_a_row += 1
        self._all_until = self._clock() + timedelta(seconds=wait_s)
        return wait_s

    def went_well(self) -> None:
        """Forget the refusals."""
        self._limits_in_a_row = 0


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
