"""Documents lead where they say, and name every line that a command may call BAD."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from cohortd.cli.commands import app

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def _anchors(page: Path) -> set[str]:
    """Headings as links name them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        linked = page if not path else page.parent / path
        if not linked.exists() or (anchor and anchor not in _anchors(linked)):
            broken.append(target)

    assert broken == []


def _subjects() -> Iterator[str]:
    """The fixed beginnings of all lines that may be BAD, as the code has them."""
    for file in (ROOT / "cohortd").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                not isinstance(node, ast.Call)
                or getattr(node.func, "id", "") != "AccessCheck"
                or not node.args
            ):
                continue
            always = any(k.arg == "ok" and ast.unparse(k.value) == "True" for k in node.keywords)
            subject = node.args[0]
            words = subject.values[0] if isinstance(subject, ast.JoinedStr) else subject
            if isinstance(words, ast.Constant) and not always:
                yield str(words.value).strip()


def test_every_line_that_may_be_bad_stands_in_the_operations_page_with_its_cure() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE)))
    missing = {
        subject
        for subject in _subjects()
        if not any(f"{name} ".startswith(f"{subject} ") for name in named)
    }

    assert missing == set()


def _calls(text: str) -> Iterator[list[str]]:
    """Every call of a command: in backticks, or on a line of its own in a block."""
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    for call in re.findall(r"`cohortd ([^`]+)`", text) + re.findall(
        r"^cohortd ([^#|\n]+)", blocks, re.MULTILINE
    ):
        yield re.split(r"\s+", re.sub(r"[\[\]()]", "", call).strip())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_a_page_names_is_there(page: Path) -> None:
    unknown = []
    for words in _calls(page.read_text(encoding="utf-8")):
        command, rest = get_command(app), list(words)
        while rest and isinstance(command, TyperGroup) and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        options = {"--help", "--version", *(option for each in command.params for option in each.opts)}
        asked = {word.split("=")[0] for word in rest if word.startswith("-")}
        if (command is get_command(app) and rest[0][0] != "-") or not asked <= options:
            unknown.append(words)

    assert unknown == []


def test_every_page_that_the_program_names_is_there_with_its_heading() -> None:
    named = {
        found
        for room in ("cohortd", "config", "connectors", "clustering", "consent")
        for file in (ROOT / room).rglob("*.py")
        for found in re.findall(
            r"docs/([\w-]+\.md)(?:, `?([A-Z][\w ]+))?", file.read_text(encoding="utf-8")
        )
    }
    missing = [
        (name, heading)
        for name, heading in sorted(named)
        if heading and heading.lower().replace(" ", "-") not in _anchors(ROOT / "docs" / name)
    ]

    assert len(named) > 10
    assert missing == []
