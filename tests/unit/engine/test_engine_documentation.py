"""The page of features is what the catalog and the templates are."""

from pathlib import Path

import pytest

from cohortd.engine import TEMPLATES, available, catalog, resolve
from cohortd.engine.documentation import document
from cohortd.engine.template_lists import SUITS
from config.segmentation import Segmentation

DOCS = Path(__file__).parents[3] / "docs"


def test_the_features_page_is_current():
    assert (DOCS / "features.md").read_text(encoding="utf-8") == document(), (
        "write it again: python -m cohortd.engine > docs/features.md"
    )


def test_every_feature_and_template_is_on_the_page():
    page = document()

    assert [name for name in catalog() if f"| `{name}` |" not in page] == []
    assert set(SUITS) == set(TEMPLATES)


def test_the_settings_know_the_same_types_of_events():
    from cohortd.engine.vocabulary import STANDARD  # noqa: PLC0415 - only here

    fields = Segmentation()
    assert fields.conversion_types == STANDARD.conversion_types
    assert fields.page_view_types == STANDARD.page_view_types


@pytest.mark.parametrize("template", TEMPLATES)
def test_partial_data_makes_a_smaller_list_and_says_why(template):
    usable, left_out = available(resolve(template, ()), ["customer_id", "occurred_at"], ["customer_id"])

    assert len(usable) >= 4
    assert left_out
    assert all(reason.startswith("events has no column ") for _, reason in left_out)


def test_the_identity_of_templates_that_are_in_use_does_not_change():
    """A feature more or less would fit everybody's model anew."""
    assert len(TEMPLATES["ecommerce"]) == 16
    assert len(TEMPLATES["engagement"]) == 13
