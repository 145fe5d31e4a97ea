"""What holds for every text whatsoever, in every field, for both families."""

import hashlib
import re
import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortd.core.errors import SettingsError
from cohortd.core.identifiers import Family
from cohortd.identity import FIELDS, Normalized, normalize
from cohortd.identity.rules import RULES

TODAY = date(2026, 11, 21)
NOTHING = hashlib.sha256(b"").hexdigest()
PIECES = [
    *"@.+-()' ,0123456789aZßẞİ정Σé",
    "\u0131",
    "e\u0301",
    "I\u0307",
    "\u0307",
    "\u200b",
    "\u00ad",
    "\ufeff",
    "\u202e",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\u2011",
    "\uff0b",
    "\uff20",
    "\uff0e",
    "\u3002",
    "\u0664",
    "\ud800",
    "\udfff",
    "\0",
    "\t",
    "mr.",
    "jr.",
    "gmail.com",
    "xn--",
    "example.org",
    "+1 650 555 1212",
    "94035",
    "1990-02-03",
    "USA",
    "California",
    "a" * 64,
]

texts = st.one_of(
    st.text(st.one_of(st.characters(), st.characters(categories=["Cs", "Cf", "Mn", "Zs"]))),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.builds(
        "{}@{}.{}".format, st.text(min_size=1), st.text(min_size=1), st.sampled_from(["com", "de", "рф"])
    ),
    st.dates().map(str),
    st.uuids().map(str),
    st.from_regex(r"\+?[0-9 ()-]{6,15}", fullmatch=True),
)
families = st.sampled_from(Family)
fields = st.sampled_from(FIELDS)
regions = st.sampled_from([None, "US", "GB", "DE", "TR", "Atlantis", ""])
anything = settings(deadline=None, max_examples=400)


def of(family: Family, field: str, value: str, region: str | None) -> Normalized:
    return normalize(family, field, value, region=region, today=TODAY)


@given(family=families, field=fields, value=texts, region=regions, hashed=st.booleans())
@anything
def test_any_text_gives_a_value_or_a_reason_and_never_an_error(
    *, family: Family, field: str, value: str, region: str | None, hashed: bool
) -> None:
    found = normalize(family, field, value, region=region, hashed=hashed, today=TODAY)

    assert (found.sent is None) == (found.reason is not None)
    assert found.normalized != ""
    assert found.sha256 != NOTHING
    assert found.reason is None or re.fullmatch(r"[a-z0-9_]+", found.reason)
    assert found.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", found.sha256)


@given(family=families, field=fields, value=texts, region=regions)
@anything
def test_the_hash_is_of_the_normalized_value_and_of_nothing_else(
    family: Family, field: str, value: str, region: str | None
) -> None:
    found = of(family, field, value, region)

    if found.sha256 is not None:
        assert found.normalized is not None
        assert found.sha256 == hashlib.sha256(found.normalized.encode()).hexdigest()


@given(family=families, field=fields, value=texts, region=regions)
@anything
def test_the_same_value_always_gives_the_same(
    family: Family, field: str, value: str, region: str | None
) -> None:
    assert of(family, field, value, region) == of(family, field, value, region)


@given(family=families, field=fields, value=texts, region=regions)
@anything
def test_a_normalized_value_is_its_own_normal_form(
    family: Family, field: str, value: str, region: str | None
) -> None:
    once = of(family, field, value, region)
    if once.normalized is None:
        return
    # Meta's digits do not say that they begin with a country code; with the plus they do.
    again = f"+{once.normalized}" if (family, field) == (Family.META, "phone") else once.normalized

    assert of(family, field, again, region) == once


@given(family=families, field=fields, value=texts, region=regions)
@anything
def test_composed_and_decomposed_text_are_the_same_value(
    family: Family, field: str, value: str, region: str | None
) -> None:
    if field == "external_id":
        return
    composed, decomposed = (unicodedata.normalize(form, value) for form in ("NFC", "NFD"))

    assert of(family, field, composed, region) == of(family, field, decomposed, region)
    assert of(family, field, value, region) == of(family, field, composed, region)


@given(
    family=families,
    field=fields,
    value=texts,
    region=regions,
    before=st.text("\u200b\u00a0\u3000\ufeff \t\n"),
    after=st.text("\u200b\u00a0\u3000\ufeff \t\r\n"),
)
@anything
def test_white_space_around_a_value_does_not_matter(
    *, family: Family, field: str, value: str, region: str | None, before: str, after: str
) -> None:
    # An accent would join the space before it, and be another value.
    if field == "external_id" or unicodedata.combining(value[:1] or "a"):
        return

    assert of(family, field, before + value + after, region) == of(family, field, value, region)


@given(family=families, field=fields, digest=st.binary(min_size=32, max_size=32), loud=st.booleans())
@anything
def test_a_digest_is_never_hashed_again(*, family: Family, field: str, digest: bytes, loud: bool) -> None:
    value = digest.hex().upper() if loud else digest.hex()
    rule = RULES[family].get(field)
    if rule is None or field == "external_id":
        return

    assert of(family, field, value, "US").reason == "already_hashed"
    taken = normalize(family, field, value, hashed=True)
    assert (taken.normalized, taken.sha256, taken.reason) in (
        (None, digest.hex(), None),
        (None, None, "needed_unhashed"),
    )


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("around", ["'{}'", '"{}"', "<{}>", "{}.", "({})"])
def test_a_digest_in_quotes_is_a_digest(family: Family, around: str) -> None:
    for field in RULES[family].keys() - {"external_id"}:
        assert of(family, field, around.format("0a" * 32), "DE").reason == "already_hashed"


def test_a_digest_among_other_characters_is_never_hashed_again() -> None:
    for value in ("-".join(["0a" * 16] * 2), "_" + "0a" * 32):
        for field in ("first_name", "first_initial", "state"):
            assert of(Family.META, field, value, "DE").reason == "already_hashed"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("ann@example.com", "not_hex_sha256"),
        ("g" * 64, "not_hex_sha256"),
        (NOTHING, "hash_of_nothing"),
        (" ", "empty"),
    ],
)
def test_a_column_declared_as_hashed_is_checked(value: str, reason: str) -> None:
    for family in Family:
        assert normalize(family, "email", value, hashed=True).reason == reason


@pytest.mark.parametrize(
    "field",
    ["first_initial", "city", "state", "birth_year", "birth_month", "birth_day", "gender"],
)
def test_a_field_that_google_does_not_use_says_so(field: str) -> None:
    assert normalize(Family.GOOGLE, field, "x").reason == "not_used_by_google"


def test_a_field_that_does_not_exist_is_the_callers_mistake() -> None:
    with pytest.raises(SettingsError, match="did you mean 'first_name'"):
        normalize(Family.GOOGLE, "firstname", "Ann")


def test_a_result_never_prints_the_value() -> None:
    for found in (
        normalize(Family.META, "email", "ann@example.com"),
        normalize(Family.META, "external_id", "ann"),
    ):
        assert "ann" not in repr(found)
        assert found.sha256 is None or found.sha256 not in repr(found)
