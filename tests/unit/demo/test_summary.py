import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from cohortd.core.reporting import RevocationReport
from cohortd.demo.summary import DemoAudience, DemoResult, DemoWeek, render_summary

RESULT = DemoResult(
    status="done",
    seconds=41.23,
    weeks=(
        DemoWeek("2017-09-04T03:00:00Z", None, None, added=3821, removed=0),
        DemoWeek("2017-09-11T03:00:00Z", 0.06, 0.9, added=161, removed=140),
        DemoWeek("2017-09-18T03:00:00Z", 0.08, 0.8, added=150, removed=155),
    ),
    audiences=(
        DemoAudience("s1", "Big spenders", "google", "91", 480, 33, pending=0, rejected=0, size=447),
        DemoAudience("s1", "Big spenders", "meta", "17", 470, 28, pending=0, rejected=0, size=442),
        DemoAudience("s2", "[red]Lapsed[/red]", "google", "92", 130, 6, pending=2, rejected=1, size=124),
    ),
    revocations=(RevocationReport("google", 36, 36, 1.3), RevocationReport("meta", 36, 35, 0.42)),
    settings="/demo/cohortd.yaml",
    reports="/demo/var/reports",
)


def told(result: DemoResult, width: int = 100) -> str:
    out = io.StringIO()
    render_summary(result, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def test_machines_get_the_fields_the_design_promises() -> None:
    answer = json.loads(json.dumps(RESULT.as_json()))

    assert list(answer) == [
        "status",
        "seconds",
        "weeks",
        "audiences",
        "revocations",
        "settings",
        "reports",
        "segments",
    ]
    assert answer["weeks"][1] == {
        "as_of": "2017-09-11T03:00:00Z",
        "moved_share": 0.06,
        "naive_moved_share": 0.9,
        "added": 161,
        "removed": 140,
        "approved": "",
    }
    assert set(answer["audiences"][0]) == {
        *(
            "audience",
            "name",
            "destination",
            "remote_id",
            "added",
            "removed",
            "pending",
            "rejected",
            "size",
        ),
    }
    assert answer["revocations"][1] == {
        "destination": "meta",
        "revoked": 36,
        "confirmed": 35,
        "slowest_s": 0.42,
    }
    assert answer["settings"] == "/demo/cohortd.yaml"


def test_the_opening_says_what_was_done_where_and_how_fast() -> None:
    assert "2 audiences kept true on google and meta over 3 weeks, in 41 s." in told(RESULT)


def test_a_demo_that_fell_short_says_so_at_once() -> None:
    assert "in 41 s (partly done)." in told(replace(RESULT, status="partial"))


def test_every_audience_stands_with_its_size_on_each_platform() -> None:
    line = next(line for line in told(RESULT).splitlines() if "Big spenders" in line)

    assert line.split()[-2:] == ["447", "442"]


def test_what_is_open_stands_beside_its_audience() -> None:
    assert "2 to be confirmed and 1 not accepted" in told(RESULT)


def test_a_name_is_shown_as_it_is_and_never_read_as_markup() -> None:
    assert "[red]Lapsed[/red]" in told(RESULT)


def test_calm_is_told_against_the_naive_yardstick() -> None:
    text = " ".join(told(RESULT).split())

    assert "In a week 7.0% of the customers moved to another segment." in text
    assert "85.0% would have, 12 times as many." in text


def test_nothing_is_claimed_where_nothing_was_measured() -> None:
    assert "In a week" not in told(replace(RESULT, weeks=RESULT.weeks[:1]))


def test_revocations_are_told_by_destination_with_the_slowest() -> None:
    lines = [line.split() for line in told(RESULT).splitlines()]

    assert ["google", "36", "36", "1.3", "s"] in lines
    assert ["meta", "36", "35", "0.4", "s"] in lines


@pytest.mark.parametrize("width", [40, 80])
def test_paths_can_be_copied_whole_at_any_width(width: int) -> None:
    deep = "/a/folder/far/down/in/which/somebody/keeps/the/demo/and/its/reports/for/later"

    assert deep in told(replace(RESULT, reports=deep), width)


def test_a_demo_without_audiences_is_told_without_failing() -> None:
    bare = replace(RESULT, audiences=(), weeks=(), revocations=())

    assert "0 audiences kept true on no destination over 0 weeks" in told(bare)
