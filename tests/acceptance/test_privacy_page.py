"""docs/privacy.md names every place where a run leaves anything, and others can read none of them."""

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from shop import Shop, grant, open_shop

from cohortd.ledger.schema import metadata

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
#: What Alembic keeps beside our own tables.
THEIRS = {"alembic_version"}


def _named(heading: str) -> set[str]:
    """What the first column of a section's table names."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def _places(shop: Shop) -> set[str]:
    return {str(path.relative_to(shop.data_dir)) for path in shop.data_dir.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, set[str]]]:
    """A shop after a sync and a revocation by commands of their own, called where all may read all.

    With it what was there while the sync was under way.
    """
    before = os.umask(0)
    try:
        with open_shop(tmp_path_factory.mktemp("open"), customers=120) as shop:
            words = {"source": "asked by leak@example.com", "regulation": "leak@example.com"}
            shop.consent.append(grant("c00003", "2026-02-01T00:00:00Z", "revoked", **words))
            del shop.settings["destinations"][:2]  # one platform writes the files that all do
            shop.write()
            under_way: set[str] = set()
            process = shop.start("sync", "--wait", "--timeout", "60")

            def look(_name: str, _text: str) -> None:
                under_way.update(_places(shop) | _broad(shop.data_dir) | _dumps(process.pid))

            shop.wire.before = look
            _, told = process.communicate(timeout=120)
            assert process.returncode == 0, told
            yield shop, under_way
    finally:
        os.umask(before)


def _broad(folder: Path) -> set[str]:
    """Files and folders that others may read, marked as such."""
    found = set()
    for path in (folder, *folder.rglob("*")):
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            continue
        if mode & 0o077:
            found.add(f"BROAD {path.relative_to(folder)}")
    return found


def _dumps(pid: int) -> set[str]:
    """How much of its memory a process would write out, in crashing."""
    (limit,) = re.findall(r"Max core file size +(\S+)", Path(f"/proc/{pid}/limits").read_text())
    return {f"DUMPS {limit}"}


def test_every_table_of_the_ledger_is_named() -> None:
    assert _named("In the ledger") - {"cohortd.db", "database"} == set(metadata.tables) | THEIRS


def test_every_file_of_a_run_is_named_also_while_it_is_under_way(
    left_behind: tuple[Shop, set[str]],
) -> None:
    shop, under_way = left_behind
    named = _named("On disk")
    found = _places(shop) | {place for place in under_way if not place.startswith(("BROAD ", "DUMPS "))}

    assert sorted(place for place in found if not any(fnmatch(place, each) for each in named)) == []
    assert {place.partition("/")[0] for place in found} >= {
        "assignments",
        "decisions",
        "keys",
        "reports",
        "work",
    }


def test_nobody_else_can_read_what_a_command_makes_whatever_the_umask(
    left_behind: tuple[Shop, set[str]],
) -> None:
    shop, under_way = left_behind

    assert _broad(shop.data_dir) == set()
    assert sorted(place for place in under_way if place.startswith("BROAD ")) == []


def test_a_crash_would_write_no_memory_out(left_behind: tuple[Shop, set[str]]) -> None:
    assert {place for place in left_behind[1] if place.startswith("DUMPS ")} == {"DUMPS 0"}


def test_the_tests_that_the_page_of_security_names_are_there() -> None:
    named = re.findall(r"`(tests/\S+\.py)`", (PAGE.parent / "security.md").read_text(encoding="utf-8"))

    assert [path for path in named if not (PAGE.parents[1] / path).exists()] == []
    assert len(named) > 5


def test_contact_data_in_the_words_of_a_record_reaches_nothing(left_behind: tuple[Shop, set[str]]) -> None:
    shop, _ = left_behind
    files = [path for path in shop.data_dir.rglob("*") if path.is_file()]

    assert shop.query("SELECT DISTINCT source FROM consent_record WHERE status = 'revoked'") == [
        ("(withheld, it seems to hold contact data)",)
    ]
    assert [path.name for path in files if b"leak@example.com" in path.read_bytes()] == []
