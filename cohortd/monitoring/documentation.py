"""``docs/metrics.md``, from what the metrics really are."""

from cohortd.monitoring.catalog import METRICS, Kind, Metric

_HEAD = """\
<!-- Written by `python -m cohortd.monitoring > docs/metrics.md`; change monitoring/catalog.py instead. -->
# Metrics

What `/metrics` tells where [`monitoring.listen`](settings.md) is set, in Prometheus' text format. How to
have it read, and what to be alarmed by: [operations.md](operations.md#health-and-metrics-by-http).

- **Gauges** are read from the ledger when somebody asks, so that a daemon that stands by tells the same as
  the one that leads: take `max` over both. Members, rows and the model's numbers are those of the last
  finished sync; one that a guard stopped before everything was read counts nothing.
- **Counters and histograms** begin at 0 when the process starts, and when it reads its settings anew; only
  the daemon that leads counts. `cohortd_revocation_confirmed_seconds` alone is read from the removal log:
  it goes on over restarts and hand-overs, and both daemons tell the same, so take `max`, not `sum`. It is
  told once the whole log was read, which takes a minute for ten million removals.
- Labels hold names from your settings, ids of audiences, reasons and states: no customer, no contact field,
  no digest, no account id.
- A daemon tells of its own process as well: `process_cpu_seconds_total`, `process_resident_memory_bytes`,
  `process_open_fds`, `process_start_time_seconds` and others.

| metric | kind | labels | meaning |
|---|---|---|---|
"""


def document() -> str:
    """Return ``docs/metrics.md``."""
    return _HEAD + "".join(f"{_row(metric)}\n" for metric in METRICS)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    bounds = f" Buckets: {', '.join(f'{bound:g}' for bound in metric.buckets)}." if metric.buckets else ""
    kind = metric.kind.value if metric.kind is not Kind.HISTOGRAM else "histogram, seconds"
    return f"| `{metric.name}` | {kind} | {labels} | {metric.told}{bounds} |"
