"""How a time of leading ends, and what becomes of the jobs under way."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from daemon_notes import HOURLY, Notes
from structlog.testing import capture_logs

from cohortd.core.errors import SourceError, StoppedError
from cohortd.daemon.breaking_off import MOST_TIMES, BrokenOff
from cohortd.daemon.jobs import Job
from cohortd.daemon.leading import Ending, Leader, Led
from cohortd.daemon.running import Runner
from cohortd.daemon.watchdog import Watchdog

SIGNALS = SimpleNamespace(wait=lambda _: False, looked=lambda: None, grace_s=0.1, since_s=0.0)


def test_a_lost_leadership_leaves_a_stuck_job_and_what_ends_late_notes_nothing(
    runner: Runner, notes: Notes
) -> None:
    stands, goes = threading.Event(), threading.Event()

    def hang() -> str:
        stands.set()
        goes.wait(60)
        raise SourceError("too late")

    thread = threading.Thread(target=runner.run, args=[Job("sync", hang, HOURLY)])
    thread.start()
    assert stands.wait(60)
    leader = Leader(runner.pipeline, 1, SIGNALS, None, BrokenOff())  # type: ignore[arg-type]
    with capture_logs() as logs:
        led = leader._end(runner, Ending.LOST)
        goes.set()
        thread.join(60)

    assert led == Led(Ending.LOST, runner)
    assert runner.pipeline.stop.is_set()
    assert [each["event"] for each in logs] == ["jobs_left"]
    assert notes.said == [("sync", "began")]


def test_a_job_that_is_left_for_new_settings_counts_as_interrupted_and_not_as_cut_off(
    runner: Runner, notes: Notes
) -> None:
    stands, goes = threading.Event(), threading.Event()
    job = Job("sync", lambda: stands.set() or str(goes.wait(60)), HOURLY)  # type: ignore[func-returns-value]
    thread = threading.Thread(target=runner.run, args=[job])
    thread.start()
    assert stands.wait(60)
    leader = Leader(runner.pipeline, 1, SIGNALS, None, BrokenOff())  # type: ignore[arg-type]
    led = leader._end(runner, Ending.RELOAD)
    goes.set()
    thread.join(60)

    assert led == Led(Ending.RELOAD, runner)
    assert notes.said == [("sync", "began"), ("sync", "interrupted", "")]


@pytest.mark.parametrize(("urgent", "minutes", "told"), [(True, 20, True), (False, 20, False)])
def test_what_only_looks_counts_as_stuck_too(
    runner: Runner, *, urgent: bool, minutes: int, told: bool
) -> None:
    def look() -> str:
        [under_way] = runner.under_way()
        watchdog = Watchdog(
            runner,
            None,
            long=timedelta(hours=12),
            short=timedelta(minutes=15),
            clock=lambda: under_way.since + 60 * minutes,
        )
        watchdog.look()
        return "done"

    with capture_logs() as logs:
        runner.run(Job("watch", look, is_urgent=urgent))

    assert [each["event"] for each in logs] == ["job_stuck"] * told


def test_after_a_lost_leadership_nothing_of_it_begins_and_the_pipeline_goes_on(
    runner: Runner, notes: Notes
) -> None:
    leader = Leader(runner.pipeline, 1, SIGNALS, None, BrokenOff())  # type: ignore[arg-type]
    led = leader._end(runner, Ending.LOST)
    runner.run(Job("sync", lambda: "done", HOURLY))

    assert (led.ending, led.is_quiet) == (Ending.LOST, True)
    assert not runner.pipeline.stop.is_set()
    assert notes.said == []


def test_new_settings_break_a_job_off_so_often_and_then_wait_until_it_has_ended_once(
    runner: Runner,
) -> None:
    broken_off = BrokenOff()
    leader = Leader(runner.pipeline, 1, SIGNALS, None, broken_off)  # type: ignore[arg-type]
    found = []

    def broken() -> str:
        found.append(leader._may_break_off(runner))
        raise StoppedError

    with capture_logs() as logs:
        for _ in range(MOST_TIMES + 1):
            runner.run(Job("sync", broken, HOURLY, is_urgent=True))
        runner.run(Job("sync", lambda: "done", HOURLY, is_urgent=True))
        runner.run(Job("sync", broken, HOURLY, is_urgent=True))

    assert found == [*[True] * MOST_TIMES, False, True]
    assert [(each["event"], each["jobs"]) for each in logs] == [("settings_held_up", ["sync"])]
