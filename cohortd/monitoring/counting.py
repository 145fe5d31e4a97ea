"""What this process counts as it goes: from its start on, nothing is kept."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from cohortd.core.delivery import Action
from cohortd.core.observing import BatchAnswer, Outcome, RunEnd, Trace, untraced
from cohortd.monitoring import catalog
from cohortd.monitoring.catalog import Kind, Metric
from cohortd.pipeline.turns import FAILED

#: The guards that there are; each is told with 0 from the start, so that its first stop is an increase.
GUARDS: Final = (
    "approval", "audience_drop", "bad_rows", "churn_budget", "first_size", "moved_share", "null_share",
    "removed_share", "source_anomaly", "source_drop",
)  # fmt: skip
#: The loops of a daemon.
MAIN: Final = "main"
SCHEDULER: Final = "scheduler"


@dataclass(slots=True)
class Pulse:
    """Whether the process leads, and when its loops last went round."""

    leads: bool = False
    beats: dict[str, float] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic

    def beat(self, loop: str) -> None:
        """Note that a loop goes round."""
        self.beats[loop] = self.now()

    def ages(self) -> Mapping[str, float]:
        """Seconds since each loop that should go round last did."""
        now = self.now()
        loops = (MAIN, SCHEDULER) if self.leads else (MAIN,)
        return {loop: now - self.beats[loop] for loop in loops if loop in self.beats}


class Counting:
    """Hears what is done, and counts it for ``/metrics``; tells a tracer, if there is one."""

    def __init__(self, *, trace: Trace = untraced) -> None:
        """Begin at 0, with every label that is known beforehand; tell *trace* of steps."""
        self.trace = trace
        self.pulse = Pulse()
        self.registry = CollectorRegistry()
        self._runs = self._counter(catalog.RUNS)
        self._run_seconds = self._histogram(catalog.RUN_SECONDS)
        self._guards = self._counter(catalog.GUARD_STOPS)
        self._batches = self._counter(catalog.BATCHES)
        self._failures = self._counter(catalog.JOB_FAILURES)
        for guard in GUARDS:
            self._guards.labels(guard)
        for kind in ("sync", "recluster"):
            for status in ("done", "partial", "stopped", "failed"):
                self._runs.labels(kind, status)

    def expect(self, platforms: Iterable[str], jobs: Iterable[str]) -> None:
        """Tell platforms and jobs with 0 from the start."""
        for job in jobs:
            self._failures.labels(job)
        for platform in platforms:
            for action in Action:
                for outcome in Outcome:
                    self._batches.labels(platform, action.value, outcome.value)

    def batch_answered(self, answer: BatchAnswer) -> None:
        """Count an answer."""
        self._batches.labels(answer.platform, answer.action.value, answer.outcome.value).inc()

    def run_ended(self, end: RunEnd) -> None:
        """Count a run, and the guards that stopped it."""
        self._runs.labels(end.kind, end.status).inc()
        self._run_seconds.labels(end.kind).observe(max(0.0, end.seconds))
        for guard in sorted(set(end.guards)):
            self._guards.labels(guard).inc()

    def job_ended(self, job: str, outcome: str) -> None:
        """Count a job that failed; when one ended well, the ledger knows."""
        if outcome in FAILED:
            self._failures.labels(job).inc()

    def turned(self, loop: str) -> None:
        """Note that a loop goes round."""
        self.pulse.beat(loop)

    def led(self, *, leads: bool) -> None:
        """Note whether this process leads; its scheduler begins with it."""
        self.pulse.leads = leads
        self.pulse.beat(SCHEDULER)

    def _counter(self, metric: Metric) -> Counter:
        assert metric.kind is Kind.COUNTER
        return Counter(metric.name, metric.told, metric.labels, registry=self.registry)

    def _histogram(self, metric: Metric) -> Histogram:
        return Histogram(
            metric.name, metric.told, metric.labels, buckets=metric.buckets, registry=self.registry
        )
