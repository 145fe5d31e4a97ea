"""Every official example of both platforms, and what our stricter rules make of the odd ones."""

import hashlib
from pathlib import Path

import pytest

from cohortd.core.identifiers import Family
from cohortd.identity import normalize
from cohortd.identity.conformance import Vector, table, vectors, written_into

PAGE = Path(__file__).parents[3] / "docs" / "normalization.md"
#: Examples that we refuse, and why.
ODD = {"15559876543": "not_a_valid_number", '"a b"@c.d': "inner_white_space"}
FORMS = [vector for vector in vectors() if vector.documented and vector.value not in ODD]
REFUSED = [vector for vector in vectors() if not vector.documented]


def _name(vector: Vector) -> str:
    return f"{vector.family.value} {vector.field} {vector.value}"


def test_there_are_examples_of_every_kind() -> None:
    assert {(vector.family, vector.official) for vector in vectors()} == {
        (family, official) for family in Family for official in ("hash", "form", "refused")
    }
    assert len(FORMS) > 40
    assert len(REFUSED) > 15


@pytest.mark.parametrize("vector", FORMS, ids=_name)
def test_an_official_example_gives_the_official_form_and_hash(vector: Vector) -> None:
    found = normalize(vector.family, vector.field, vector.value, region=vector.region or None)

    assert (found.normalized, found.sha256 or "", found.reason) == (vector.documented, vector.sha256, None)


@pytest.mark.parametrize("vector", FORMS, ids=_name)
def test_an_official_hash_is_that_of_the_official_form(vector: Vector) -> None:
    assert vector.sha256 in {"", hashlib.sha256(vector.documented.encode()).hexdigest()}


@pytest.mark.parametrize("vector", REFUSED, ids=_name)
def test_what_the_platform_refuses_is_absent(vector: Vector) -> None:
    found = normalize(vector.family, vector.field, vector.value, region=vector.region or None)

    assert (found.normalized, found.sha256) == (None, None)
    assert found.reason


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("email", "", "empty"),
        ("email", "  ", "empty"),
        ("email", "quinn", "no_at_sign"),
        ("email", " @googlemail.com", "empty_local_part"),
        ("email", " ...@gmail.com", "empty_local_part"),
        ("phone", " +A BCD EFG ", "not_a_valid_number"),
    ],
)
def test_what_google_refuses_is_absent_for_a_reason(field: str, value: str, reason: str) -> None:
    assert normalize(Family.GOOGLE, field, value).reason == reason


@pytest.mark.parametrize("value", ["  test  ", "..test.."])
def test_the_sdks_example_of_an_email_without_any_sign_is_none_here(value: str) -> None:
    assert normalize(Family.META, "email", value).reason == "no_at_sign"


@pytest.mark.parametrize("value", ODD)
def test_an_example_that_nobody_can_be_found_by_is_refused(value: str) -> None:
    [vector] = [vector for vector in vectors() if vector.value == value]

    assert vector.here().reason == ODD[value]
    assert vector.contradicted_by.startswith("refused here: ")
    assert hashlib.sha256(value.encode()).hexdigest() == vector.sha256


def test_the_table_of_the_documents_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert written_into(page) == page
    assert table() in page
