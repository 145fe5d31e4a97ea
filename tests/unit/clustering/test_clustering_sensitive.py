import pytest
from clustering_shop import spec

from clustering import is_sensitive, refuse_sensitive
from cohortd.core.errors import SettingsError


@pytest.mark.parametrize(
    "name",
    [
        *("age", "gender:female", "birth_year", "householdIncome", "dob", "religion", "has_diabetes"),
        *("category_share:baby", "category_share:health_and_beauty", "maritalStatus"),
    ],
)
def test_a_personal_attribute_is_sensitive(name: str) -> None:
    assert is_sensitive(spec(name))


@pytest.mark.parametrize(
    "name",
    [
        *("plan", "page_views", "average_basket", "storage_gb", "usage", "message_count", "loyalty_points"),
        *("category_share:drugstore", "category_share:fresh_meat", "category_share:babylon_sofa"),
    ],
)
def test_other_words_are_not(name: str) -> None:
    assert not is_sensitive(spec(name))


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("age", "age"), ("sex:male", "sex"), ("category_share:baby", "category_share:baby")],
)
def test_what_is_named_outright_is_allowed(name: str, allowed: str) -> None:
    assert not is_sensitive(spec(name), {allowed})
    assert is_sensitive(spec(name), {"something"})


def test_a_refusal_says_which_and_what_to_do() -> None:
    with pytest.raises(
        SettingsError, match=r"age, sex may say .* segmentation.allow_sensitive: \[age, sex\]"
    ):
        refuse_sensitive([spec("age"), spec("orders"), spec("sex")], ())
