from datetime import UTC, datetime, timedelta

import pytest

from cohortd.timetables import JOBS, turns_of
from config.schedule import Schedule, Watchdog


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "timezone", "at", "nexts"),
    [
        ("0 * * * *", "UTC", "2026-11-22T12:00:03", ["2026-11-22T13:00:00", "2026-11-22T14:00:00"]),
        ("0 * * * *", "UTC", "2026-11-22T12:00:00", ["2026-11-22T13:00:00"]),
        # 02:30 is not on the day the clocks go forward, and twice on the day they go back.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2027-03-27T12:00:00",
            ["2027-03-28T01:30:00", "2027-03-29T00:30:00"],
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00",
            ["2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-10-26T01:30:00"],
        ),
        ("0 3 * * 1", "Asia/Kolkata", "2026-11-22T12:00:00", ["2026-11-22T21:30:00"]),
        ("90m", "UTC", "2026-11-22T12:00:03", ["2026-11-22T13:30:03", "2026-11-22T15:00:03"]),
    ],
)
def test_a_turn_comes_by_the_timetable_and_its_time_zone(
    when: str, timezone: str, at: str, nexts: list[str]
) -> None:
    turn = turns_of(Schedule(sync=when, timezone=timezone))["sync"]
    found, now = [], _at(at)
    for _ in nexts:
        after = turn.after(now)
        assert after is not None
        found.append(now := after)

    assert found == [_at(each) for each in nexts]


def test_every_job_has_a_timetable_unless_it_is_switched_off() -> None:
    switched_off = Schedule(**dict.fromkeys(JOBS))

    assert tuple(turns_of(Schedule())) == JOBS
    assert turns_of(switched_off) == {}
    assert {*JOBS} - {*turns_of(Schedule(), without=["reconciliation"])} == {"reconciliation"}


def test_whoever_wants_no_syncs_gets_none_for_the_sake_of_members_time() -> None:
    assert "expiry" not in turns_of(Schedule(sync=None))
    assert "expiry" in turns_of(Schedule(sync=None, expiry="1d"))


def test_a_job_that_sends_may_take_longer() -> None:
    turns = turns_of(Schedule(watchdog=Watchdog(long="2d", short="1h")))

    assert turns["sync"].at_most == timedelta(days=2)
    assert turns["revocations"].at_most == timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("5s", "shortest is 10s"),
        ("0m", "not a duration"),
        ("hourly", "five fields"),
        ("61 * * * *", "minute"),
    ],
)
def test_what_is_neither_crontab_nor_an_interval_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Schedule(sync=text)
