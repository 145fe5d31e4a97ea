"""A fault schedule strikes what it names, when it says, the same way every time."""

import json
from pathlib import Path

import pytest

from cohortd.core.errors import SettingsError
from cohortd.emulators.fault_files import load_schedule, schedule_from
from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule


def strikes(schedule: FaultSchedule, call: str, times: int) -> str:
    return "".join("x" if schedule.next(call) else "." for _ in range(times))


def test_no_faults_strike_nothing() -> None:
    assert strikes(FaultSchedule(), "users.add", 3) == "..."


def test_a_fault_strikes_once_unless_told_otherwise() -> None:
    assert strikes(FaultSchedule([Fault()]), "any", 3) == "x.."
    assert strikes(FaultSchedule([Fault(times=2)]), "any", 4) == "xx.."
    assert strikes(FaultSchedule([Fault(times=None)]), "any", 4) == "xxxx"


def test_a_fault_lets_the_first_calls_through() -> None:
    assert strikes(FaultSchedule([Fault(after=2)]), "any", 4) == "..x."


def test_only_matching_calls_are_struck_and_counted() -> None:
    schedule = FaultSchedule([Fault(call="users.*", after=1)])
    assert strikes(schedule, "audiences.list", 3) == "..."
    assert strikes(schedule, "users.add", 1) == "."
    assert strikes(schedule, "users.remove", 2) == "x."


def test_the_first_fault_due_wins_and_the_next_has_its_turn_later() -> None:
    first, second = Fault(kind=FaultKind.QUOTA), Fault(kind=FaultKind.DROP_AFTER)
    schedule = FaultSchedule([first, second])
    assert [schedule.next("a"), schedule.next("a"), schedule.next("a")] == [first, second, None]
    assert schedule.struck == [("a", first), ("a", second)]


def test_chance_is_the_same_for_the_same_seed() -> None:
    runs = [
        strikes(FaultSchedule([Fault(probability=0.5, times=None)], seed=seed), "a", 64)
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]
    assert 16 < runs[0].count("x") < 48


def test_faults_may_be_added_and_cleared_while_running() -> None:
    schedule = FaultSchedule()
    schedule.add(Fault(times=None))
    assert strikes(schedule, "a", 1) == "x"
    schedule.clear()
    assert strikes(schedule, "a", 1) == "."


@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_a_schedule_is_read_from_yaml_and_json(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"faults.{ending}"
    faults = [{"call": "users.add", "kind": "half_apply", "share": 0.25, "times": None}]
    file.write_text(
        json.dumps({"seed": 7, "faults": faults})
        if ending == "json"
        else "seed: 7\nfaults:\n  - {call: users.add, kind: half_apply, share: 0.25, times: null}\n"
    )
    schedule = load_schedule(file)
    assert schedule.next("users.add") == Fault(
        call="users.add", kind=FaultKind.HALF_APPLY, share=0.25, times=None
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "must hold"),
        ("faults: {}", "are a list"),
        ("fault: []", "not fault"),
        ("faults: [boom]", "mapping"),
        ("faults: [{kind: boom}]", "one of error"),
        ("faults: [{statuses: 503}]", "has no statuses"),
        ("faults: [{probability: 2}]", "between 0 and 1"),
        ("faults: [{after: -1}]", "negative"),
        ("faults: [{delay_s: soon}]", "fault 1: its delay_s must be a number, not 'soon'"),
        ("faults: [{}, {times: two}]", "fault 2: its times must be a whole number, or null for ever"),
        ("faults: [{times: true}]", "whole number"),
        ("faults: [{kind: drop_befor}]", "did you mean drop_before"),
        ("faults: [{dely_s: 3}]", "did you mean delay_s"),
        ("faults: [{call: user.add}]", "no call is named user.add .did you mean users.add"),
        ("faults: [{status: 99}]", "no HTTP status"),
        ("faults: [{status: UNAVAIL_ABLE}]", "did you mean UNAVAILABLE"),
        ("faults: [{kind: delay}]", "delay needs delay_s"),
        ("faults: [{kind: late, delay_s: 9}]", "dm.processing and ads.processing only"),
        ("faults: [{call: users.add, status: INTERNAL}]", "Meta answers with HTTP statuses"),
        ("faults: [{call: users.add, code: X}]", "Meta's codes are numbers"),
        ("faults: [{call: users.add, kind: warn}]", "names no rows"),
        ("faults: [{call: ads.search, subcode: 3}]", "Meta's only"),
        ("faults: [{call: ads.search, code: nonsense}]", "with its family"),
        ("faults: [{call: dm.user_lists.get, code: 7}]", "as a reason such as"),
        ("faults: [", "cannot be read"),
    ],
)
def test_a_schedule_that_cannot_be_meant_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=said):
        load_schedule(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        load_schedule(tmp_path / "nowhere.yaml")


def test_nothing_at_all_is_a_schedule_without_faults() -> None:
    assert schedule_from({}).next("a") is None
