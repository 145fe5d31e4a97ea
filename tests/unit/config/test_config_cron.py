from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.triggers.cron import CronTrigger

from config.cron import check_cron, longest_wait, trigger_fields


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/5 * * * *",
        "0 3 * * 1",
        "0,30 8-18/2 1 jan,jul *",
        "0 0 * * sun",
        "5 4 29 2 *",
        "0 0 * * 1-5",
    ],
)
def test_crontab_lines_are_taken(text):
    assert check_cron(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every hour",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5/10 * * * *",
        "9-3 * * * *",
        "a * * * *",
        "1,, * * * *",
        "-1 * * * *",
        "@daily",
    ],
)
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="must "):
        check_cron(text)


def test_a_date_that_never_comes_is_refused():
    with pytest.raises(ValueError, match="never comes due"):
        check_cron("0 0 31 2,4 *")


def test_a_day_and_a_weekday_together_are_refused():
    with pytest.raises(ValueError, match="not both"):
        check_cron("0 0 1 * 1")


@pytest.mark.parametrize(
    ("weekday", "named"),
    [
        ("0", "sun"),
        ("7", "sun"),
        ("1", "mon"),
        ("5-7", "sun,fri,sat"),
        ("1-5", "mon,tue,wed,thu,fri"),
        ("*", "*"),
    ],
)
def test_weekdays_count_from_sunday_as_in_crontab(weekday, named):
    assert trigger_fields(f"0 3 * * {weekday}")["day_of_week"] == named


def test_apscheduler_takes_the_translation():
    trigger = CronTrigger(**trigger_fields("0 3 * * 1"), timezone=UTC)
    due = trigger.get_next_fire_time(None, datetime(2026, 11, 18, tzinfo=UTC))
    assert due == datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert f"{due:%A}" == "Monday"


def test_the_schedule_checks_its_timetables(loading):
    assert loading.faults("schedule: {sync: hourly}")[0].startswith("schedule.sync: must be five fields")
    assert loading("schedule: {sync: null}").schedule.sync is None


@pytest.mark.parametrize(
    ("text", "days"),
    [
        (None, 1),
        ("*/5 * * * *", 1),
        ("30 4 * * *", 1),
        ("0 3 * * 1", 7),
        ("0 3 1 * *", 31),
        ("0 3 1 jan *", 366),
    ],
)
def test_the_longest_wait_is_told_in_days(text, days):
    assert longest_wait(text) == timedelta(days=days)
