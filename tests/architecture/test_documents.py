"""Documents lead where they say, and name every line that a command may call BAD."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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
