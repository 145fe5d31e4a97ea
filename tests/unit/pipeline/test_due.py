from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cohortd.core.deadlines import Allowance, Deadlines
from cohortd.core.removals import RemovalEntry
from cohortd.core.times import format_time
from cohortd.pipeline.due import due_words

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DUE = Deadlines({"*": Allowance(timedelta(hours=72))})


def entry(seq: int, event: str, *, on_time: str = "") -> RemovalEntry:
    blank = dict.fromkeys(
        ("trigger", "source", "platform", "account", "identifier_kinds", "detail", "previous", "hash"), ""
    )
    place = "" if event == "recorded" else "meta"
    return replace(
        RemovalEntry(
            seq=seq,
            at=format_time(NOW),
            event=event,
            subject="a" * 32,
            event_time=format_time(NOW),
            audience=place,
            destination=place,
            remote_id=place,
            batch=1,
            **blank,
        ),
        due_at=format_time(NOW + timedelta(hours=72)),
        on_time=on_time,
    )


@pytest.mark.parametrize(
    ("after_h", "said"),
    [(1, "by 2026-11-25T12:00Z"), (40, "SOON: by 2026-11-25T12:00Z"), (80, "LATE: by 2026-11-25T12:00Z")],
)
def test_what_is_queued_says_by_when_and_whether_that_is_near(after_h: float, said: str) -> None:
    log = [entry(1, "recorded"), entry(2, "queued"), entry(3, "sent")]

    assert due_words(log, DUE, NOW + timedelta(hours=after_h)) == {2: said}


@pytest.mark.parametrize(("on_time", "said"), [("yes", "on time"), ("no", "was late")])
def test_what_is_confirmed_says_whether_it_was_on_time(on_time: str, said: str) -> None:
    log = [entry(1, "recorded"), entry(2, "queued"), entry(3, "confirmed", on_time=on_time)]

    assert due_words(log, DUE, NOW + timedelta(hours=100)) == {3: said}
