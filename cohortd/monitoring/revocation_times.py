"""How long revocations took, as a histogram of the whole removal log.

It is read from the log and not counted by the process, so that a restart, a hand-over and a revocation that
another process sent lose nothing, and a daemon that stands by tells the same as the one that leads.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from prometheus_client.core import HistogramMetricFamily

from cohortd.core.errands import Errand
from cohortd.core.errors import CohortdError
from cohortd.ledger import Confirmation, Overview
from cohortd.monitoring.catalog import REVOCATION_SECONDS

#: So many confirmations are read at once.
_PAGE: Final = 10_000
#: How long an answer waits for the log to be read, the first time; seconds. Ten million take a minute.
_FIRST_S: Final = 3.0
_BOUNDS: Final = REVOCATION_SECONDS.buckets


@dataclass(slots=True)
class _Counts:
    """Of one destination: how many fell below each bound, and above all of them."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))
    seconds: float = 0.0


@dataclass(slots=True)
class RevocationTimes:
    """Reads on where it left off; nothing is told before the whole log was read once.

    To tell less first and more later would look like revocations that were confirmed now.
    """

    overview: Overview
    destinations: Iterable[str]
    _counts: dict[str, _Counts] = field(default_factory=lambda: defaultdict(_Counts))
    _seen: int = 0
    _first: Errand[None] | None = None

    def family(self) -> HistogramMetricFamily | None:
        """Tell; None while the log is read for the first time.

        Raises:
            CohortdError: The ledger cannot be read.
        """
        if self._first is None:
            self._first = Errand("revocation-times", self._read_on)
        if not self._first.ends_within(_FIRST_S):
            return None
        try:
            self._first.result()
            self._read_on()
        except CohortdError:
            self._first = None
            raise
        return self._told()

    def _read_on(self) -> None:
        while page := self.overview.confirmed_after(self._seen, limit=_PAGE):
            for each in page:
                self._count(each)
            self._seen = page[-1].seq

    def _count(self, confirmation: Confirmation) -> None:
        took_s, counted = max(0.0, confirmation.took_s), self._counts[confirmation.destination]
        counted.counts[bisect_left(_BOUNDS, took_s)] += 1
        counted.seconds += took_s

    def _told(self) -> HistogramMetricFamily:
        metric = REVOCATION_SECONDS
        family = HistogramMetricFamily(metric.name, metric.told, labels=metric.labels)
        for name in sorted({*self.destinations, *self._counts}):
            counted, below = self._counts[name], 0
            buckets = []
            for bound, count in zip((*_BOUNDS, inf), counted.counts, strict=True):
                below += count
                buckets.append((_written(bound), below))
            family.add_metric((name,), buckets=buckets, sum_value=counted.seconds)
        return family


def _written(bound: float) -> str:
    return "+Inf" if bound == inf else repr(bound)
