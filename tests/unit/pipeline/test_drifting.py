"""What of a platform's word is told to people, and what is no reason for alarm."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cohortd.core.delivery import Flag, RemoteStatus
from cohortd.core.identifiers import Family
from cohortd.core.planning import Target
from cohortd.ledger import Reading, Remote
from cohortd.pipeline.drifting import find
from cohortd.pipeline.listing import change_in_a_week, matched_share

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
REMOTE = Remote(
    id=1,
    target=Target("s1", "google"),
    platform="google_data_manager",
    account="1",
    remote_id="77",
    name="cohortd · Regulars",
    state="ready",
    status=None,
    checked_at=None,
    note="",
    family=Family.GOOGLE,
    intended_at=NOW,
)


def reading(days_ago: float, size: int | None, confirmed: int, held: int | None = None) -> Reading:
    status = RemoteStatus(size, size, state="open", description="Buys often")
    held = confirmed if held is None else held
    return Reading(NOW - timedelta(days=days_ago), status, confirmed=confirmed, held=held)


def past(size: int | None, confirmed: int) -> list[Reading]:
    """Two calm weeks, until eleven days ago."""
    return [reading(day, size, confirmed) for day in range(25, 10, -1)]


def now(size: int | None, confirmed: int) -> list[Reading]:
    """So since yesterday."""
    return [reading(1, size, confirmed), reading(0, size, confirmed)]


def kinds(readings: list[Reading], *, days: int | None = 540) -> list[str]:
    return [each.kind for each in find(REMOTE, readings, days=days, now=NOW)]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param([], [], id="nothing was ever read"),
        pytest.param([reading(0, 0, 50_000)], [], id="all was sent a moment ago"),
        pytest.param([*past(6_000, 10_000), reading(0, 5_500, 10_000)], [], id="a calm day"),
        pytest.param([*past(6_000, 10_000), *now(2_900, 10_000)], ["shrunk"], id="under half"),
        pytest.param([*past(6_000, 10_000), reading(0, 2_900, 10_000)], [], id="under half for a moment"),
        pytest.param([*past(6_000, 10_000), *now(3_100, 10_000)], [], id="just over half"),
        pytest.param([*past(6_000, 10_000), *now(0, 10_000)], ["shrunk"], id="emptied by hand"),
        pytest.param([*past(6_000, 10_000), *now(2_900, 4_800)], [], id="most of them left"),
        pytest.param([*past(6_000, 10_000), *now(6_100, 90_000)], [], id="many came just now"),
        pytest.param(
            [*past(6_000, 10_000), *(reading(day, 6_100, 90_000) for day in (2.9, 2, 1, 0))],
            [],
            id="many came and the platform is late by days",
        ),
        pytest.param(
            [*past(6_000, 10_000), *(reading(day, 6_100, 90_000) for day in (6, 4, 2, 0))],
            ["shrunk"],
            id="many came long ago and the platform never showed them",
        ),
        pytest.param([*past(6_000, 10_000), *now(None, 10_000)], [], id="the size is hidden"),
        pytest.param([*past(500, 900), *now(0, 900)], [], id="a small audience"),
        pytest.param([*past(1_500, 40_000), *now(0, 20_000)], [], id="so few that they may be hidden"),
        pytest.param([reading(12, 6_000, 10_000), *now(0, 10_000)], [], id="too little past"),
        pytest.param([*past(9_000, 10_000), *now(21_100, 10_000)], ["more_than_sent"], id="strangers"),
        pytest.param([*past(9_000, 10_000), *now(19_000, 10_000)], [], id="two accounts a person"),
        pytest.param([*past(60_000, 60_000), *now(60_000, 90)], [], id="whoever left is shown still"),
        pytest.param(
            [*past(60_000, 60_000), *(reading(day, 60_000, 90) for day in (6, 4, 2, 0))],
            ["more_than_sent"],
            id="whoever left days ago is shown still",
        ),
        pytest.param(now(90_000, 10_000), [], id="nobody knows who was there before"),
        pytest.param([reading(4, 6_000, 10_000)], ["unread"], id="not read for days"),
    ],
)
def test_sizes_are_told_only_where_they_part_clearly(readings: list[Reading], expected: list[str]) -> None:
    assert kinds(readings) == expected


@pytest.mark.parametrize(
    ("changes", "days", "expected"),
    [
        ({"membership_days": 540}, 540, []),
        ({"membership_days": 540}, 90, []),
        ({"membership_days": 30}, 540, ["duration"]),
        ({"membership_days": 90}, None, ["duration"]),
        ({"membership_days": None}, 540, []),
        ({"name": "cohortd · Regulars", "marked": True}, 540, []),
        ({"name": "cohortd · Regulars (2)"}, 540, []),
        ({"name": "Our best"}, 540, ["renamed"]),
        ({"marked": False}, 540, ["unmarked"]),
        ({"description": "Mine"}, 540, ["edited"]),
        ({"description": "Buys often"}, 540, []),
        ({"description": None}, 540, []),
        ({"description": "Mine", "marked": False}, 540, ["unmarked"]),
        ({"flags": (Flag.TOO_SMALL,)}, 540, []),
        ({"flags": (Flag.CLOSED, Flag.UNUSED)}, 540, ["closed", "unused"]),
        ({"flags": (Flag.FLAGGED,)}, 540, ["flagged"]),
        ({"flags": (Flag.GONE,), "state": "gone"}, 540, ["gone"]),
    ],
)
def test_what_people_changed_on_the_platform_is_told(
    changes: dict[str, object], days: int | None, expected: list[str]
) -> None:
    newest = reading(0, 6_000, 10_000)
    changed = replace(newest, status=replace(newest.status, **changes))

    assert kinds([*past(6_000, 10_000), changed], days=days) == expected


def test_an_audience_that_was_closed_when_it_was_empty_is_nobodys_concern() -> None:
    emptied = reading(0, 0, 0)
    closed = replace(emptied, status=replace(emptied.status, flags=(Flag.CLOSED,)))

    assert kinds([*past(500, 900), closed]) == []


def test_what_is_going_to_be_deleted_says_when_and_what_to_do() -> None:
    newest = reading(0, 6_000, 10_000)
    status = replace(newest.status, flags=(Flag.EXPIRING,), deleted_at="2027-01-31", cure="Use it.")
    [drift] = find(REMOTE, [replace(newest, status=status)], days=540, now=NOW)

    assert drift.sentence.endswith("on 2027-01-31")
    assert (drift.cure, drift.needs_person) == ("Use it.", True)


@pytest.mark.parametrize(
    ("days_ago", "expected"), [((7, 0), 400), ((8.5, 0), 400), ((4, 0), None), ((0,), None), ((), None)]
)
def test_the_change_in_a_week_needs_a_reading_from_about_then(
    days_ago: tuple[float, ...], expected: int | None
) -> None:
    readings = [reading(ago, 6_400 if ago == 0 else 6_000, 10_000) for ago in days_ago]

    assert change_in_a_week(readings) == expected


def test_the_matched_share_is_of_confirmed_members_and_of_no_small_number() -> None:
    assert matched_share([reading(0, 4_700, 10_000)]) == {"lower": 0.47, "upper": 0.47}
    assert matched_share([reading(0, 470, 999)]) is None
    assert matched_share(now(None, 10_000)) is None
    assert matched_share([]) is None


def test_an_audience_that_another_tool_feeds_is_told_with_what_to_do() -> None:
    [drift] = find(REMOTE, [*past(9_000, 10_000), *now(50_000, 10_000)], days=540, now=NOW)

    assert drift.sentence == "at least 50,000 people are in it, and at most 10,000 were sent lately"
    assert "sync --replace" in drift.cure
