"""Jobs as they are done: noted, told, watched, left."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from daemon_notes import HOURLY, NOW, Notes
from structlog.testing import capture_logs

from cohortd.core.delivery import Lane
from cohortd.core.errors import SourceError, StoppedError
from cohortd.core.times import now_utc
from cohortd.core.turns import Turn
from cohortd.daemon.breaking_off import BrokenOff
from cohortd.daemon.jobs import Job, lookouts_of
from cohortd.daemon.leading import Ending, Leader, Led, settle
from cohortd.daemon.running import Runner
from cohortd.daemon.serving import code_of
from cohortd.daemon.timer import Timer, first_turns
from cohortd.daemon.watchdog import Watchdog
from cohortd.daemon.work import Work
from cohortd.ledger import JobRow
from cohortd.monitoring.counting import Counting
from cohortd.pipeline.turns import LOOKOUTS


def _raising(error: Exception) -> Job:
    def do() -> str:
        raise error

    return Job("sync", do, HOURLY)


@pytest.mark.parametrize(
    ("job", "outcome", "detail", "told"),
    [
        (Job("sync", lambda: "partial", HOURLY), "partial", "", []),
        (_raising(SourceError("no table")), "failed", "no table", ["job_failed"]),
        (_raising(StoppedError()), "interrupted", "", []),
        (
            _raising(KeyError("leak@example.com")),
            "broke",
            "KeyError at test_jobs_under_way.py:",
            ["job_broke"],
        ),
    ],
)
def test_how_a_job_ended_is_noted_and_the_daemon_goes_on(
    runner: Runner, notes: Notes, *, job: Job, outcome: str, detail: str, told: list[str]
) -> None:
    with capture_logs() as logs:
        runner.run(job)
    [began, (name, noted, why)] = notes.said

    assert began == ("sync", "began")
    assert (name, noted, why[: len(detail)]) == ("sync", outcome, detail)
    assert [each["event"] for each in logs] == told
    assert "leak" not in str(logs) + str(notes.said)
    assert runner.under_way() == []


def test_a_look_that_fails_is_counted_under_a_name_that_monitoring_knows(runner: Runner) -> None:
    counting = Counting()
    runner.pipeline.observer = counting  # type: ignore[misc]
    looks = lookouts_of(Work(runner.pipeline, 1))
    runner.run(Job("alerts", _raising(SourceError("no table"))))

    assert counting.registry.get_sample_value("cohortd_job_failures_total", {"name": "alerts"}) == 1
    assert {each.name for each in looks} == set(LOOKOUTS)


def test_nothing_begins_once_stopped_and_only_what_is_urgent_while_settings_wait(runner: Runner) -> None:
    done: list[str] = []
    jobs = [
        Job(name, lambda name=name: done.append(name) or "done", is_urgent=name == "watch")
        for name in ("sync", "watch")
    ]  # type: ignore[misc, func-returns-value]
    runner.holds.set()
    for job in jobs:
        runner.run(job)
    runner.pipeline.stop.set()
    for job in jobs:
        runner.run(job)

    assert done == ["watch"]


def test_a_turn_that_comes_while_the_last_one_runs_is_told_once_a_run(runner: Runner) -> None:
    def long() -> str:
        for _ in range(3):
            runner.missed("sync")
        return "done"

    with capture_logs() as logs:
        runner.run(Job("sync", long, HOURLY))
        runner.run(Job("sync", long, HOURLY))
        runner.run(Job("watch", lambda: runner.missed("watch") or "done"))  # type: ignore[func-returns-value]

    assert [(each["event"], each["job"]) for each in logs] == [("job_turn_skipped", "sync")] * 2


def test_a_stuck_job_is_told_once_by_its_places_and_given_up_when_it_stays_so(
    runner: Runner, notes: Notes
) -> None:
    stands, goes = threading.Event(), threading.Event()

    def hang() -> str:
        stands.set()
        goes.wait(60)
        return "done"

    thread = threading.Thread(target=runner.run, args=[Job("sync", hang, HOURLY)])
    thread.start()
    assert stands.wait(60)
    [under_way] = runner.under_way()
    minutes = iter([14, 16, 30, 77])
    watchdog = Watchdog(runner, timedelta(hours=1), clock=lambda: under_way.since + 60 * next(minutes))
    with capture_logs() as logs:
        looks = [watchdog.look() for _ in range(4)]
    goes.set()
    thread.join(60)
    [stuck] = logs

    assert looks == [False, False, False, True]
    assert (stuck["event"], stuck["job"]) == ("job_stuck", "sync")
    assert any(each.startswith("test_jobs_under_way.py:") for each in stuck["at"])
    assert notes.said[1][1].startswith("stuck at threading.py:")


def test_what_only_computes_is_left_and_then_says_no_more(runner: Runner, notes: Notes) -> None:
    stands, goes = threading.Event(), threading.Event()

    def compute() -> str:
        stands.set()
        goes.wait(60)
        raise ValueError

    thread = threading.Thread(target=runner.run, args=[Job("sync", compute, HOURLY)])
    thread.start()
    assert stands.wait(60)
    pulse = Counting().pulse
    with capture_logs() as logs:
        is_quiet = settle(runner, longest_s=0, looked=lambda: pulse.beat("main"))
        goes.set()
        thread.join(60)

    assert not is_quiet
    assert "main" in pulse.beats
    assert settle(runner, longest_s=0)
    assert [each["event"] for each in logs] == ["jobs_left"]
    assert notes.said == [("sync", "began")]


def test_what_is_overdue_comes_at_once_and_a_sync_makes_a_look_at_members_time_needless(
    runner: Runner, notes: Notes
) -> None:
    jobs = [Job(name, lambda: "done", HOURLY) for name in ("revocations", "sync", "expiry", "heads")]
    notes.rows = {
        name: JobRow(name, NOW - timedelta(minutes=20), NOW, "done") for name in ("revocations", "heads")
    }

    firsts = {job.name: at - NOW for job, at in first_turns(runner, jobs)}

    assert firsts == {
        "revocations": timedelta(),
        "sync": timedelta(milliseconds=1),
        "expiry": timedelta(hours=1),
        "heads": timedelta(minutes=40),
    }


def test_jobs_begin_at_their_turn_and_the_end_of_the_timer_shows(runner: Runner, notes: Notes) -> None:
    runner.pipeline.clock = now_utc  # type: ignore[misc]
    done, looked = threading.Event(), threading.Event()
    sync = Job("sync", lambda: done.set() or "done", HOURLY)  # type: ignore[func-returns-value]
    timer = Timer(runner, [sync], [Job("watch", lambda: looked.set() or "done")])  # type: ignore[func-returns-value]
    before = timer.is_alive
    timer.start()
    began = done.wait(60) and looked.wait(60)
    during = timer.is_alive
    timer.shutdown()

    assert (before, began, during, timer.is_alive) == (False, True, True, False)
    assert notes.said == [("sync", "began"), ("sync", "done", "")]


def test_jobs_come_by_the_new_time_when_the_clock_was_set_back(runner: Runner) -> None:
    runner.pipeline.clock = now_utc  # type: ignore[misc]
    turn = Turn("sync", "1h", lambda at: at + timedelta(hours=1), at_most=timedelta(minutes=15))
    timer = Timer(runner, [Job("sync", lambda: "done", turn)], [Job("watch", lambda: "done")])
    timer.start(paused=True)
    for name, hours in (("sync", 3), ("watch", 2)):  # as they were reckoned two hours ago
        timer.modify_job(name, next_run_time=now_utc() + timedelta(hours=hours))
    with capture_logs() as logs:
        for ahead_s in (7200.0, 7199.0, 0.0, 0.0):
            timer.keep_up(ahead_s)
    left = {job.id: job.next_run_time - now_utc() for job in timer.get_jobs()}
    timer.shutdown()

    assert left["watch"] <= timedelta()
    assert left["sync"] <= timedelta(hours=1)
    assert [(each["event"], each["by_s"]) for each in logs] == [("clock_turned_back", 7199)]


@pytest.mark.parametrize(
    ("leads", "is_alive", "ending"),
    [(True, True, None), (False, True, Ending.LOST), (True, False, Ending.GAVE_UP)],
)
def test_a_leader_ends_when_another_leads_or_its_scheduler_is_dead(
    runner: Runner, *, leads: bool, is_alive: bool, ending: Ending | None
) -> None:
    pipeline = SimpleNamespace(ledger=SimpleNamespace(leads=lambda _: leads))
    leader = Leader(pipeline, 1, None, None, BrokenOff())  # type: ignore[arg-type]

    found = leader._look(SimpleNamespace(is_alive=is_alive), Watchdog(runner, None))  # type: ignore[arg-type]

    assert found is ending
    assert code_of(Led(found or Ending.STOPPED)) == (found is Ending.GAVE_UP)


def test_a_platform_that_is_slow_to_say_what_became_of_batches_holds_up_no_revocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stands, goes = threading.Event(), threading.Event()
    lanes: list[Lane | None] = []

    class Slow:
        def __init__(self, *_: object) -> None: ...

        def poll(self) -> None:
            stands.set()
            goes.wait(60)

        def drain(self, *, lane: Lane | None = None) -> None:
            lanes.append(lane)

    monkeypatch.setattr("cohortd.daemon.work.Delivery", Slow)
    monkeypatch.setattr("cohortd.daemon.work.finish_erasures", lambda _: 0)
    work = Work(None, 1)  # type: ignore[arg-type]
    thread = threading.Thread(target=work.polling)
    thread.start()
    assert stands.wait(60)
    work.watch()
    meanwhile = list(lanes)
    goes.set()
    thread.join(60)

    assert (meanwhile, lanes) == ([Lane.REVOCATION], [Lane.REVOCATION, None])


def test_what_polling_sends_holds_up_no_revocation_and_leaves_the_rest_to_a_sync_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lanes: list[Lane | None] = []

    class Sending:
        def __init__(self, *_: object) -> None: ...

        def poll(self) -> None: ...

        def drain(self, *, lane: Lane | None = None) -> None:
            lanes.append(lane)
            if lane is None:
                work.watch()

    monkeypatch.setattr("cohortd.daemon.work.Delivery", Sending)
    monkeypatch.setattr("cohortd.daemon.work.finish_erasures", lambda _: 0)
    work = Work(None, 1)  # type: ignore[arg-type]
    work.polling()
    beside_nothing = list(lanes)
    with work.alone:
        work.polling()

    assert (beside_nothing, lanes) == ([None, Lane.REVOCATION], [None, Lane.REVOCATION])
