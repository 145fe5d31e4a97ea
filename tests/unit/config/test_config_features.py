"""What the settings say of features, as the engine and the sources are told."""

import pytest

from cohortd.core.errors import SettingsError
from cohortd.features import attributes_of, context_numbers, place_attribute, vocabulary_of

SOURCES = """
sources:
  customers: {path: c.csv, columns: {customer_id: id, region: region_code, plan: plan}}
  context: {path: days.csv%s}
"""


def settings(loading, context="", *, features="[order_count]"):
    return loading(f"{SOURCES % context}\nsegmentation: {{features: {features}}}\n")


def test_attributes_are_what_is_asked_for_and_none_of_the_catalog(loading):
    asked = "[value_sum@30d, category_share, plan, 'context_mean:rain', conversion_rate]"

    assert attributes_of(settings(loading, features=asked)) == ("plan",)


@pytest.mark.parametrize(
    ("context", "attribute", "place"),
    [("", (), ""), (", by_place: channel", (), "channel"), (", by_place: region", ("region",), "region")],
)
def test_a_place_is_an_attribute_or_a_column_of_the_events(loading, context, attribute, place):
    found = settings(loading, context)

    assert place_attribute(found) == attribute
    assert vocabulary_of(found).place == place


def test_a_place_that_nobody_has_is_refused(loading):
    with pytest.raises(SettingsError, match="customers have no attribute town"):
        place_attribute(settings(loading, ", by_place: town"))


def test_numbers_of_the_context_are_mapped_or_asked_for(loading):
    asked = "['context_mean:rain@4w', 'context_lift:rain', 'category_share:wine']"
    mapped = ", by_place: region, columns: {date: day, place: town, rain: mm, is_holiday: h}"

    assert context_numbers(settings(loading, features=asked)) == ("rain",)
    assert context_numbers(settings(loading, mapped)) == ("rain", "is_holiday")
    assert context_numbers(loading()) == ()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("segmentation: {expressions: {Big: {sql: count(*), title: T}}}", "use a-z, 0-9 and _"),
        ("segmentation: {expressions: {big: {sql: '', title: T}}}", "expressions.big.sql"),
        (SOURCES % ", columns: {date: date, place: town}", "place in columns and by_place come together"),
        (SOURCES % ", columns: {date: date, Too Hot: x}", "use a-z, 0-9 and _"),
        (SOURCES % ", by_place: region, columns: {date: date}", "place in columns and by_place"),
    ],
)
def test_names_and_places_that_cannot_be_are_faults_of_the_settings(loading, written, said):
    assert said in " ".join(loading.faults(written))


@pytest.mark.parametrize("name", ["value_sum", "category_share", "plan"])
def test_an_expression_may_not_take_the_name_of_another_feature(loading, name):
    found = loading(
        f"{SOURCES % ''}\nsegmentation: {{expressions: {{{name}: {{sql: count(*), title: T}}}}}}\n"
    )

    with pytest.raises(SettingsError, match=f"{name} is a feature or an attribute already"):
        vocabulary_of(found)
