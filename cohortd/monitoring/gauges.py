"""What ``/metrics`` reads of the ledger whenever it is asked, in a few cheap questions."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from types import MappingProxyType
from typing import Any, Final

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

import cohortd
from cohortd.core.conditions import KINDS
from cohortd.core.delivery import BatchState, Lane
from cohortd.core.errors import CohortdError
from cohortd.ledger import SyncEnd
from cohortd.monitoring import catalog
from cohortd.monitoring.catalog import Metric
from cohortd.monitoring.counting import Counting
from cohortd.monitoring.revocation_times import RevocationTimes
from cohortd.pipeline.looking import current_conditions
from cohortd.pipeline.open_removals import is_overdue
from cohortd.pipeline.turns import last_rows, overdue
from cohortd.pipeline.wiring import Pipeline
from connectors.protocol import used_share_of

#: How a sync ended that sent.
SENT: Final = ("done", "partial")
#: How a sync ended that counted everything.
COUNTED: Final = (*SENT, "stopped")
#: How a job ended that did what it should; a guard that stopped it did, too.
WELL: Final = frozenset(COUNTED)
_ENDS: Final = (*COUNTED, "failed")
#: Where a membership may stand, and a batch that is open.
_STATES: Final = ("adding", "present", "removing", "rejected")
_OPEN: Final = (BatchState.PENDING, BatchState.SENDING, BatchState.ACCEPTED)
#: For so long what needs a person is not looked for again.
_LOOKED_FOR: Final = timedelta(minutes=1)
#: How many syncs are looked at for how they ended.
_LOOKED_AT: Final = 100
Sample = tuple[tuple[str, ...], float]
Samples = Mapping[Metric, Sequence[Sample]]
Family = GaugeMetricFamily | HistogramMetricFamily
_NOTHING: Final[Samples] = MappingProxyType({})


@dataclass(slots=True, eq=False)
class LedgerGauges(Collector):
    """Reads the ledger for every answer; where that fails, the answer says so and has the rest."""

    pipeline: Pipeline
    counting: Counting
    #: What the newest sync that counted everything came to, and which that was.
    _counted: tuple[str, Samples] = ("", _NOTHING)
    _succeeded: dict[str, float] = field(default_factory=dict)
    _conditions: Samples = field(default_factory=lambda: _NOTHING)
    _looked_at: datetime | None = None
    _times: RevocationTimes = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Read nothing yet."""
        self._times = RevocationTimes(self.pipeline.ledger.overview, self.pipeline.destinations)

    def describe(self) -> Iterator[Family]:
        """Name nothing beforehand: to know it, the ledger would be read."""
        yield from ()

    def text(self) -> bytes:
        """Everything as Prometheus reads it."""
        return generate_latest(self.counting.registry)

    def collect(self) -> Iterator[Family]:
        """Read, and tell."""
        with self._lock:
            found, times = {**_of_process(self.counting), **self._of_ledger()}, None
            with suppress(CohortdError):
                times = self._times.family()
        if times is not None:
            yield times
        for metric, samples in found.items():
            family = GaugeMetricFamily(metric.name, metric.told, labels=metric.labels)
            for labels, value in samples:
                family.add_metric(labels, value)
            yield family

    def _of_ledger(self) -> Samples:
        try:
            return {
                catalog.LEDGER_UP: [((), 1.0)],
                **self._of_syncs(),
                **self._of_jobs(),
                **_of_removals(self.pipeline),
                **_of_delivery(self.pipeline),
                **_of_model(self.pipeline),
                **self._of_conditions(),
            }
        except CohortdError:
            return {catalog.LEDGER_UP: [((), 0.0)]}

    def _of_syncs(self) -> Samples:
        ends = self.pipeline.ledger.overview.newest_syncs(_LOOKED_AT)
        return {**_of_ends(self.pipeline, ends), **self._of_newest(ends)}

    def _of_newest(self, ends: Sequence[SyncEnd]) -> Samples:
        """What the newest sync counted; one that was stopped before it had read says nothing."""
        for each in ends:
            if each.status not in COUNTED:
                continue
            if each.run_id != self._counted[0]:
                run = self.pipeline.ledger.runs.get(each.run_id)
                if run is None or not run.summary.get("sources"):
                    continue
                self._counted = each.run_id, _of_summary(run.summary)
            return self._counted[1]
        return _NOTHING

    def _of_conditions(self) -> Samples:
        """As alerts look for them, once a minute: with hundreds of audiences a look takes a second."""
        now = self.pipeline.clock()
        if self._looked_at is None or now - self._looked_at >= _LOOKED_FOR:
            counts = Counter(each.kind for each in current_conditions(self.pipeline))
            self._conditions = {catalog.CONDITIONS: _by_name({**dict.fromkeys(KINDS, 0), **counts})}
            self._looked_at = now
        return self._conditions

    def _of_jobs(self) -> Samples:
        """When each ended well; what failed last ended well before, if this process knows when."""
        for row in last_rows(self.pipeline).values():
            if row.name in self.pipeline.turns and row.outcome in WELL and row.finished_at is not None:
                self._succeeded[row.name] = row.finished_at.timestamp()
        return {
            catalog.JOB_SUCCESS: _by_name(self._succeeded),
            catalog.JOB_OVERDUE: _by_name(overdue(self.pipeline)),
        }


def _of_process(counting: Counting) -> Samples:
    pulse = counting.pulse
    return {
        catalog.BUILD_INFO: [((cohortd.__version__,), 1.0)],
        catalog.LEADER: [((), float(pulse.leads))],
        catalog.LOOP_AGE: [((loop,), age) for loop, age in pulse.ages().items()],
    }


def _of_ends(pipeline: Pipeline, ends: Sequence[SyncEnd]) -> Samples:
    last: dict[str, datetime] = {}
    for each in ends:
        last.setdefault(each.status, each.finished_at)
    overview = pipeline.ledger.overview
    sent = max((at for status, at in last.items() if status in SENT), default=None)
    lag = pipeline.clock() - (sent or overview.last_end(SENT) or overview.created_at())
    return {
        catalog.SYNC_LAG: [((), lag.total_seconds())],
        catalog.LAST_RUN: [((status,), at.timestamp()) for status, at in last.items() if status in _ENDS],
    }


def _of_summary(newest: Mapping[str, Any]) -> Samples:
    sources, stability = newest.get("sources", []), newest.get("stability", {})
    drift = stability.get("drift", {})
    return {
        catalog.SOURCE_ROWS: [
            sample
            for each in sources
            for sample in (
                ((each["table"], "kept"), each["kept"]),
                ((each["table"], "dropped"), sum(each["dropped"].values())),
            )
        ],
        catalog.DROPPED_ROWS: [
            ((each["table"], reason), count)
            for each in sources
            for reason, count in each["dropped"].items()
        ],
        catalog.MEMBERS: [
            ((each["audience"], each["destination"], state), each["states"].get(state, 0))
            for each in newest.get("members", [])
            for state in _STATES
        ],
        catalog.HELD: [
            ((each["audience"], each["destination"]), float(each["held"] is not None))
            for each in newest.get("audiences", [])
        ],
        catalog.MOVED_SHARE: _known(newest.get("moved_share")),
        catalog.DRIFT: _known(max(drift.values(), default=None)),
        catalog.INERTIA: _known(stability.get("inertia_ratio")),
        catalog.SILHOUETTE: _known(stability.get("silhouette")),
    }


def _of_removals(pipeline: Pipeline) -> Samples:
    now = pipeline.clock()
    counts: dict[str, int] = dict.fromkeys(pipeline.destinations, 0)
    overdue, oldest = dict(counts), dict.fromkeys(pipeline.destinations, 0.0)
    for each in pipeline.ledger.overview.open_removals():
        name, age = each.destination, (now - each.received_at).total_seconds()
        counts[name] = counts.get(name, 0) + each.count
        overdue[name] = overdue.get(name, 0) + (each.count if is_overdue(each, now) else 0)
        oldest[name] = max(oldest.get(name, 0.0), age)
    return {
        catalog.REVOCATIONS_OPEN: _by_name(counts),
        catalog.REVOCATIONS_OVERDUE: _by_name(overdue),
        catalog.REVOCATION_OLDEST: _by_name(oldest),
        catalog.PARKED: [((), float(pipeline.ledger.received.count_parked()))],
    }


def _of_delivery(pipeline: Pipeline) -> Samples:
    paused = pipeline.ledger.remotes.paused_destinations()
    used = {name: used_share_of(each.connector) for name, each in pipeline.destinations.items()}
    batches: dict[tuple[str, ...], float] = dict.fromkeys(product(used, Lane, _OPEN), 0.0)
    for each in pipeline.ledger.overview.open_batches():
        place = (each.destination, each.lane, each.state)
        batches[place] = batches.get(place, 0.0) + each.count
    return {
        catalog.BATCHES_OPEN: list(batches.items()),
        catalog.PAUSED: _by_name({name: name in paused for name in pipeline.destinations}),
        catalog.QUOTA: _by_name({name: share for name, share in used.items() if share is not None}),
    }


def _of_model(pipeline: Pipeline) -> Samples:
    version = pipeline.ledger.models.current()
    waiting = pipeline.ledger.models.waiting()
    return {
        catalog.MODEL_VERSION: _known(None if version is None else version.id),
        catalog.MODEL_HELD: [((), float(waiting is not None))],
    }


def _by_name(values: Mapping[str, float]) -> list[Sample]:
    return [((name,), float(value)) for name, value in sorted(values.items())]


def _known(value: float | None) -> list[Sample]:
    return [] if value is None else [((), float(value))]
