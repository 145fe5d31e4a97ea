"""docs/logs.md names every event that the code logs, with its level and fields, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("cohortd", "connectors", "clustering", "consent", "config")
LEVELS = {"debug", "info", "warning", "error", "critical"}
#: Functions that log what they are told, always at one level.
BY_HAND = {"_log": "info", "_tell": "error"}
#: Forms of the past that do not end in -ed.
PAST = {
    "began",
    "begun",
    "broke",
    "fell",
    "gave",
    "gone",
    "held",
    "left",
    "lost",
    "put",
    "read",
    "run",
    "said",
}
PAST |= {"sent", "stuck", "taken", "kept", "made"}


def _calls() -> Iterator[tuple[str, str, set[str]]]:
    for path in (each for room in ROOMS for each in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                level, event = _level(node.func), node.args[0].value
                if level and isinstance(event, str):
                    yield event, level, {each.arg for each in node.keywords if each.arg}


def _level(function: ast.expr) -> str:
    match function:
        case ast.Attribute(value=ast.Name(id="log") | ast.Call(), attr=name) if name in LEVELS:
            return name
        case ast.Name(id=name):
            return BY_HAND.get(name, "")
    return ""


@pytest.fixture(scope="module")
def documented() -> dict[str, tuple[str, set[str]]]:
    page = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8").split("\n## Every event\n")[1]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| [^|]+ \| ([^|]*) \|$", page, re.MULTILINE)
    return {event: (level, set(re.findall(r"`(\w+)`", fields))) for event, level, fields in rows}


def test_every_event_is_documented_with_its_level_and_its_fields(
    documented: dict[str, tuple[str, set[str]]],
) -> None:
    said = list(_calls())

    assert {(event, level) for event, level, _ in said} == {
        (event, level) for event, (level, _) in documented.items()
    }
    assert [
        (event, sorted(missing))
        for event, _, fields in said
        if (missing := fields - documented[event][1] - {"room"})
    ] == []


def test_events_are_things_that_happened(documented: dict[str, tuple[str, set[str]]]) -> None:
    assert [
        event
        for event in documented
        if not any(word in PAST or word.endswith("ed") for word in event.split("_"))
    ] == []


def test_no_event_is_put_together_where_nobody_finds_it() -> None:
    hidden = [
        f"{path.name}:{node.lineno}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
        and not isinstance(node.args[0], ast.Constant)
    ]

    # What one function of each logs for others: see BY_HAND.
    assert sorted(each.partition(":")[0] for each in hidden) == ["sending.py"]
