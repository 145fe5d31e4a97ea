"""The Data Manager's quotas of a Cloud project: calls a minute and a day, by what they do.

Source: developers.google.com/data-manager/api/devguides/limits
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from cohortd.core.times import Clock
from cohortd.emulators.google_calls import Problem, RefusedError

PER_MINUTE: Final = 300
_PER_DAY: Final[Mapping[str, int]] = {"Ingestion": 100_000, "Management": 50_000}
_SPANS: Final = {"Minute": timedelta(minutes=1), "Day": timedelta(days=1)}
_READS: Final = frozenset({"dm.request_status.retrieve", "dm.user_lists.get", "dm.user_lists.list"})


class Quotas:
    """Counts calls and refuses what is over; every method is called under the emulator's lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)

    def count(self, name: str) -> None:
        """Count a call by the name it has in fault schedules.

        Raises:
            RefusedError: There were too many within the minute or the day.
        """
        service = "Management" if name.startswith("dm.user_lists") else "Ingestion"
        kind = f"{service}{'Read' if name in _READS else 'Mutate'}"
        allowed = {"Minute": PER_MINUTE, "Day": _PER_DAY[service]}
        now = self._clock()
        for span, length in _SPANS.items():
            calls = self._calls[kind, span]
            while calls and now - calls[0] >= length:
                calls.popleft()
            if len(calls) >= allowed[span]:
                refused = RefusedError("RESOURCE_EXHAUSTED", Problem("RESOURCE_EXHAUSTED"))
                refused.quota_limit = f"{kind}RequestsPer{span}PerProject"
                raise refused
        for span in _SPANS:
            self._calls[kind, span].append(now)
