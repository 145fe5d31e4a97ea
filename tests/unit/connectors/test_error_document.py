"""The table of errors that people read is what the code does."""

from pathlib import Path

import pytest

from connectors.documentation import chapters, render
from connectors.sayings import Section, conduct

ROOT = Path(__file__).parents[3]
SECTIONS = {
    f"{platform}: {section.title}": section for platform, found in chapters().items() for section in found
}


def test_the_table_in_the_documents_is_up_to_date() -> None:
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == render(), (
        "run: python -m connectors.documentation > docs/errors.md"
    )


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_every_row_says_what_it_means_and_what_is_done(section: Section) -> None:
    done = [conduct(saying) for saying in section.sayings]

    assert len({saying.code for saying in section.sayings}) == len(section.sayings)
    assert all(saying.means for saying in section.sayings)
    assert all(each.does for each in done)
    assert all(each.cure for each in done if each.does.startswith("pauses"))
