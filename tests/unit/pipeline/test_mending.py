"""Every reason for leaving a row out has its cure, in the answer of check and on the page about tables."""

import re
from pathlib import Path

import pytest

from cohortd.pipeline.mending import cure_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")


def _reasons() -> set[str]:
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "cohortd" / "sources").glob("*.py")
        if path.stem != "deletion_lists"
    )
    words = "unparsable|missing|undecodable|duplicate|phone_as|contact_as|wrong|unknown|unreadable"
    return set(re.findall(rf'"((?:{words})_[a-z_]+)"', code)) | {"unknown_customer", "unparsable_value"}


def test_every_reason_stands_on_the_page_about_tables() -> None:
    assert {reason for reason in _reasons() if f"`{reason}`" not in PAGE} == set()


@pytest.mark.parametrize(
    ("dropped", "cure"),
    [
        ({"unparsable_occurred_at": 9, "undecodable_text": 1}, "Write times as 2026-03-14T19:00"),
        ({"unparsable_value": 1}, "Write numbers as 1234.50"),
        ({"undecodable_text": 2, "unparsable_value": 1}, "Save the file as UTF-8"),
        ({"unknown_status_taken_for_denied": 1}, "Write granted, denied or revoked"),
        ({"missing_occurred_at": 1}, "Fill occurred_at in every row"),
        ({}, ""),
    ],
)
def test_the_cure_is_that_of_the_commonest_reason(dropped: dict[str, int], cure: str) -> None:
    assert cure_of(dropped).startswith(cure)
