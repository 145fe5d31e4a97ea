from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cohortd.core.turns import Turn
from cohortd.ledger import JobRow
from cohortd.pipeline.turns import is_due, job_lines, job_rows, next_at

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _hourly(job: str) -> Turn:
    return Turn(job, "1h", lambda at: at + HOUR, at_most=timedelta(minutes=15))


def _row(job: str, ago: timedelta, outcome: str = "done", **more: object) -> JobRow:
    finished = None if outcome == "running" else NOW - ago
    return JobRow(job, NOW - ago, finished, outcome, **more)  # type: ignore[arg-type]


def _pipeline(*rows: JobRow, jobs: tuple[str, ...] = ("sync",)) -> SimpleNamespace:
    ledger = SimpleNamespace(
        jobs=SimpleNamespace(all=lambda: {row.name: row for row in rows}),
        runs=SimpleNamespace(last=lambda **_: None),
        models=SimpleNamespace(current=lambda: None),
    )
    return SimpleNamespace(ledger=ledger, clock=lambda: NOW, turns={job: _hourly(job) for job in jobs})


@pytest.mark.parametrize(
    ("row", "due"),
    [
        (None, True),
        (_row("sync", HOUR / 2), False),
        (_row("sync", HOUR), True),
        (_row("sync", HOUR / 2, "failed"), True),
        (_row("sync", HOUR / 2, "broke"), True),
        (_row("sync", HOUR / 2, "interrupted", cut_off=2), True),
        (_row("sync", HOUR / 2, "interrupted", cut_off=3), False),
        (_row("sync", HOUR, "interrupted", cut_off=3), True),
        (_row("sync", -24 * 365 * HOUR), False),
    ],
)
def test_what_is_overdue_failed_or_was_cut_off_is_due_at_the_start(
    row: JobRow | None, *, due: bool
) -> None:
    assert is_due(_hourly("sync"), row, NOW) is due


def test_turns_that_came_while_a_job_was_at_it_are_not_missed() -> None:
    long = JobRow("sync", NOW - 9 * HOUR, NOW - HOUR / 2, "done")
    [line] = job_lines(_pipeline(_row("daemon", HOUR, "running"), long))

    assert line.ok
    assert "next 2026-11-22 13:00:00" in line.detail
    assert not is_due(_hourly("sync"), long, NOW)


def test_a_job_that_began_by_a_clock_that_was_wrong_comes_at_its_next_turn() -> None:
    assert next_at(_hourly("sync"), _row("sync", -24 * 365 * HOUR), NOW) == NOW + HOUR


def test_the_first_model_is_left_to_the_first_sync() -> None:
    assert not is_due(_hourly("recluster"), None, NOW)


@pytest.mark.parametrize(
    ("row", "ok", "told"),
    [
        (None, True, "never ran; next 2026-11-22 13:30:00 UTC (1h)"),
        (_row("sync", HOUR / 2), True, "done 2026-11-22 12:00:00 UTC; next 2026-11-22 13:00:00 UTC"),
        (_row("sync", 2.9 * HOUR), True, "done"),
        (_row("sync", 3.1 * HOUR), False, "overdue"),
        (_row("sync", HOUR / 2, "failed", detail="why"), False, "why"),
        (_row("sync", HOUR / 6, "running"), True, "began 2026-11-22 12:20:00"),
        (_row("sync", HOUR / 2, "running", detail="stuck at a.py:1"), False, "since, stuck at a.py:1"),
    ],
)
def test_status_tells_what_is_overdue_failed_or_stuck(row: JobRow | None, *, ok: bool, told: str) -> None:
    daemon = _row("daemon", HOUR, "running")
    [line] = job_lines(_pipeline(daemon, *([row] if row else [])))

    assert (line.subject, line.ok) == ("job sync", ok)
    assert told in line.detail


def test_nothing_is_overdue_where_no_daemon_ever_led() -> None:
    [line] = job_lines(_pipeline(_row("sync", 9 * HOUR)))

    assert line.ok


def test_settings_that_could_not_be_read_again_are_told_until_they_are_mended() -> None:
    broken = _row("settings", HOUR, "failed", detail="schedule.sync: no crontab")
    [bad] = job_lines(_pipeline(broken, jobs=()))

    assert (bad.ok, bad.detail) == (False, "those in use are older: schedule.sync: no crontab")
    assert job_lines(_pipeline(_row("settings", HOUR), jobs=())) == []


def test_each_job_is_answered_with_last_and_next() -> None:
    rows = job_rows(_pipeline(_row("sync", HOUR / 2), jobs=("sync", "heads")))

    assert rows == [
        {
            "name": "sync",
            "schedule": "1h",
            "last_started_at": "2026-11-22 12:00:00+00:00",
            "last_finished_at": "2026-11-22 12:00:00+00:00",
            "last_outcome": "done",
            "next_at": "2026-11-22 13:00:00+00:00",
        },
        {
            "name": "heads",
            "schedule": "1h",
            "last_started_at": None,
            "last_finished_at": None,
            "last_outcome": None,
            "next_at": "2026-11-22 13:30:00+00:00",
        },
    ]
