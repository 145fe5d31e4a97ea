"""Every metric of cohortd's own: what it is called, what it counts, by what."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """As Prometheus knows them."""

    GAUGE = "gauge"
    #: Counts from the start of the process on.
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    name: str
    kind: Kind
    #: One sentence.
    told: str
    labels: tuple[str, ...] = ()
    #: Upper bounds, for a histogram.
    buckets: tuple[float, ...] = ()


def _gauge(name: str, told: str, *labels: str) -> Metric:
    return Metric(f"cohortd_{name}", Kind.GAUGE, told, labels)


def _counter(name: str, told: str, *labels: str) -> Metric:
    return Metric(f"cohortd_{name}", Kind.COUNTER, told, labels)


_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0

BUILD_INFO: Final = _gauge("build_info", "1; says which version runs.", "version")
LEADER: Final = _gauge("leader", "1 where this process leads and sends, 0 where it stands by.")
LEDGER_UP: Final = _gauge("ledger_up", "1 where the ledger could be read for this answer.")
CONDITIONS: Final = _gauge(
    "conditions",
    "What needs a person, by kind: what `status` calls BAD and alerts tell; at most a minute old.",
    "kind",
)
SYNC_LAG: Final = _gauge(
    "sync_lag_seconds",
    "Time since the end of the last sync that sent; before the first, since the ledger was made.",
)
LAST_RUN: Final = _gauge(
    "sync_last_end_timestamp_seconds",
    "When a sync ended so last: done, partial, stopped or failed.",
    "status",
)
RUNS: Final = _counter("runs_total", "Syncs and re-clusterings that ended, by how.", "kind", "status")
RUN_SECONDS: Final = Metric(
    "cohortd_run_seconds",
    Kind.HISTOGRAM,
    "How long syncs and re-clusterings took.",
    ("kind",),
    (1.0, 5.0, 15.0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 3 * _HOUR, 12 * _HOUR),
)
GUARD_STOPS: Final = _counter("guard_stops_total", "Runs that a guard stopped, by guard.", "guard")
# Not by `job`: that label is Prometheus' own, for what it reads.
JOB_SUCCESS: Final = _gauge(
    "job_last_success_timestamp_seconds", "When a job of the daemon last ended well.", "name"
)
JOB_OVERDUE: Final = _gauge(
    "job_overdue", "1 where a job has missed its turns, or takes longer than it may.", "name"
)
JOB_FAILURES: Final = _counter(
    "job_failures_total",
    "Jobs of the daemon that failed, and what it looks for besides (`alerts`, `watch`, ...).",
    "name",
)
LOOP_AGE: Final = _gauge(
    "loop_age_seconds",
    "Time since the daemon's main loop, and its scheduler where it leads, last went round.",
    "loop",
)
BATCHES: Final = _counter(
    "batches_total",
    "Answers of platforms to batches: accepted, confirmed, rejected, failed, retried or stopped. One that"
    " was accepted is counted again when it is confirmed or rejected.",
    "platform",
    "operation",
    "outcome",
)
BATCHES_OPEN: Final = _gauge(
    "batches_open",
    "Batches that are not over: pending, sending or accepted.",
    "destination",
    "lane",
    "state",
)
MEMBERS: Final = _gauge(
    "members",
    "Members as the last finished sync counted them: adding, present, removing or rejected.",
    "audience",
    "destination",
    "state",
)
HELD: Final = _gauge(
    "audience_held",
    "1 where the last finished sync sent nobody to an audience on purpose.",
    "audience",
    "destination",
)
REVOCATIONS_OPEN: Final = _gauge(
    "revocations_open", "Withdrawals that a destination has not confirmed.", "destination"
)
REVOCATIONS_OVERDUE: Final = _gauge(
    "revocations_overdue",
    "Those of them that are past their time; without one (`consent.due`), older than 36 hours.",
    "destination",
)
REVOCATION_OLDEST: Final = _gauge(
    "revocation_oldest_open_seconds", "Age of the oldest of them, from when we were told.", "destination"
)
REVOCATION_SECONDS: Final = Metric(
    "cohortd_revocation_confirmed_seconds",
    Kind.HISTOGRAM,
    "From when we were told of a withdrawal until a destination confirmed it, one for each audience the"
    " person was in; read from the removal log, of all time.",
    ("destination",),
    (
        1.0,
        5.0,
        15.0,
        _MINUTE,
        5 * _MINUTE,
        15 * _MINUTE,
        _HOUR,
        6 * _HOUR,
        _DAY,
        1.5 * _DAY,
        3 * _DAY,
        7 * _DAY,
    ),
)
PARKED: Final = _gauge("consent_events_parked", "Consent events and files that nobody could read.")
SOURCE_ROWS: Final = _gauge(
    "source_rows", "Rows of a table at the last finished sync: kept or dropped.", "table", "kind"
)
DROPPED_ROWS: Final = _gauge("source_dropped_rows", "Rows that were dropped, by why.", "table", "reason")
MOVED_SHARE: Final = _gauge(
    "model_moved_share", "Share of customers who changed segment at the last finished sync."
)
DRIFT: Final = _gauge(
    "model_drift_psi_max", "Drift of the feature that moved farthest from the model's fit (PSI)."
)
INERTIA: Final = _gauge("model_inertia_ratio", "Spread around the centres, by that at the model's fit.")
SILHOUETTE: Final = _gauge("model_silhouette", "How well the segments are set apart, -1 to 1.")
MODEL_VERSION: Final = _gauge("model_version", "Number of the model version in force.")
MODEL_HELD: Final = _gauge("model_held_back", "1 where `segmentation.churn_budget` holds a version back.")
PAUSED: Final = _gauge("destination_paused", "1 where a destination waits for a person.", "destination")
QUOTA: Final = _gauge(
    "quota_used_ratio",
    "How much of what a platform allows is used, 0 to 1: the day's or minute's quota of a Google project,"
    " Meta's own word. Known after the first request; of the Google Ads API nothing is known beforehand.",
    "destination",
)

METRICS: Final = tuple(each for each in list(vars().values()) if isinstance(each, Metric))
