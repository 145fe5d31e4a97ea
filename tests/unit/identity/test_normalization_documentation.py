import json
import re
from pathlib import Path

import cohortd.identity
from cohortd.core.identifiers import Family
from cohortd.identity import FIELDS, NORMALIZATION_VERSION, normalize

PAGE = (Path(__file__).parents[3] / "docs" / "normalization.md").read_text(encoding="utf-8")
CODE = Path(cohortd.identity.__file__).parent.glob("*.py")
EXAMPLE = re.compile(
    r"\$ echo '(?P<value>.*)' \| cohortd normalize --platform (?P<family>\w+) --field (?P<field>\w+)"
    r"(?: --region (?P<region>\w+))?\n(?P<answer>.*)"
)


def test_every_example_on_the_page_is_true() -> None:
    examples = list(EXAMPLE.finditer(PAGE))
    assert len(examples) == PAGE.count("$ echo")

    for example in examples:
        family, field = Family(example["family"]), example["field"]
        found = normalize(family, field, example["value"], region=example["region"])
        answer = {"normalized": found.normalized, "sha256": found.sha256, "reason": found.reason}
        assert json.loads(example["answer"]) == answer


def test_every_reason_in_the_code_is_explained_and_no_other() -> None:
    given = {
        reason
        for file in CODE
        for reason in re.findall(r'(?:Absent\(|_INCOMPLETE = )"(\w+)"', file.read_text(encoding="utf-8"))
    }
    section = PAGE.partition("## Why a value was dropped")[2]
    explained = set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE))

    assert explained == given | {"not_used_by_google"}


def test_every_field_and_the_version_are_on_the_page() -> None:
    assert all(f"`{field}`" in PAGE for field in FIELDS)
    assert f"(version {NORMALIZATION_VERSION};" in PAGE
