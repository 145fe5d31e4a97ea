"""The table of promises names tests that exist, for every law."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAWS = range(1, 10)
_ROW = re.compile(r"^\| (\d+) [^|]+ \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _promises() -> list[tuple[int, str, str]]:
    """(Law, file, test) of every test that the table names."""
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    rows = [(int(law), cell) for law, cell in _ROW.findall(text)]
    return [(law, path, name) for law, cell in rows for path, name in _TEST.findall(cell)]


def _tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("law", LAWS)
def test_every_law_has_a_test(law: int) -> None:
    assert [name for number, _, name in _promises() if number == law]


def test_every_test_named_exists_and_runs_every_day() -> None:
    missing = [
        f"{path}::{name}"
        for _, path, name in _promises()
        if not (ROOT / path).exists() or name not in _tests_in(ROOT / path)
    ]
    slow = {path for _, path, _ in _promises() if "mark.slow" in (ROOT / path).read_text(encoding="utf-8")}

    assert missing == []
    assert slow == set()


def test_every_cell_of_the_table_is_read() -> None:
    """A name written in another way than the others would not be looked for."""
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")

    assert text.count("::test_") == len(_promises())
    assert {law for law, _, _ in _promises()} == set(LAWS)
