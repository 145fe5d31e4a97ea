"""The settings' monitoring, wired: what counts, what is traced, what answers."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from cohortd.core.observing import UNOBSERVED, Observer, Unobserved, untraced
from cohortd.monitoring.tracing import exported
from cohortd.pipeline.turns import LOOKOUTS
from cohortd.pipeline.wiring import Pipeline
from cohortd.probing import probe
from cohortd.receiver import Listening
from config.settings import Settings

if TYPE_CHECKING:
    from cohortd.monitoring.counting import Counting
    from cohortd.monitoring.serving import MonitoringServer


@contextmanager
def observing(settings: Settings, *, is_daemon: bool = False) -> Iterator[Observer]:
    """Give who hears what is done, for the length of a block.

    Args:
        settings: Whether there are traces, and somebody who asks for metrics.
        is_daemon: Whether it lives long enough for anybody to ask.

    Raises:
        SettingsError: Traces are asked for, and OpenTelemetry is not installed.
    """
    with exported() if settings.monitoring.traces else nullcontext(untraced) as trace:
        if is_daemon and settings.monitoring.listen is not None:
            # Loaded only where somebody may ask.
            from cohortd.monitoring.counting import Counting  # noqa: PLC0415

            yield Counting(trace=trace)
        else:
            yield Unobserved(trace) if settings.monitoring.traces else UNOBSERVED


@contextmanager
def open_monitoring(settings: Settings, pipeline: Pipeline) -> Iterator[Listening | None]:
    """Answer for the length of a block, as soon as the address can be had, where one is set."""
    place = settings.monitoring.place
    if place is None:
        yield None
        return
    from cohortd.monitoring.counting import Counting  # noqa: PLC0415 - see above

    counting = pipeline.observer
    assert isinstance(counting, Counting)
    with Listening(_binding(settings, pipeline, counting, place), name="monitoring") as listening:
        yield listening


def _binding(
    settings: Settings, pipeline: Pipeline, counting: "Counting", place: tuple[str, int]
) -> "partial[MonitoringServer]":
    from prometheus_client import ProcessCollector, disable_created_metrics  # noqa: PLC0415 - see above

    from cohortd.monitoring.gauges import LedgerGauges  # noqa: PLC0415
    from cohortd.monitoring.health import Readiness, health  # noqa: PLC0415
    from cohortd.monitoring.serving import MonitoringServer, Pages  # noqa: PLC0415

    disable_created_metrics()  # type: ignore[no-untyped-call] # when a series began: half of all lines, and Prometheus knows
    platforms = {each.platform for each in pipeline.destinations.values()}
    counting.expect(platforms, [*pipeline.turns, *LOOKOUTS])
    gauges = LedgerGauges(pipeline, counting)
    counting.registry.register(gauges)
    ProcessCollector(registry=counting.registry)
    fresh_for = settings.monitoring.fresh_for if settings.schedule.sync is not None else None
    readiness = Readiness(pipeline, counting.pulse, partial(probe, settings.database_url), fresh_for)
    pages = Pages(partial(health, counting.pulse), readiness.look, gauges.text)
    return partial(MonitoringServer, place, pages)
