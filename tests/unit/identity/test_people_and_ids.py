from datetime import date

import pytest

from cohortd.core.identifiers import Family
from cohortd.identity import normalize

TODAY = date(2026, 11, 21)
PARTS = ("birth_year", "birth_month", "birth_day")


@pytest.mark.parametrize(
    "value",
    [
        "1990-02-03",
        " 1990-02-03 ",
        "19900203",
        "1990-02-03T00:00:00",
        "1990-02-03 00:00:00",
        "1990-02-03 00:00:00.000000",
        "1990-02-03 00:00:00.000000000",
        "1990-02-03T23:30:00Z",
        "1990-02-03 00:30:00+0200",
        "1990-02-03T00:30:00+02:00",
    ],
)
def test_a_birth_date_is_taken_as_written(value: str) -> None:
    found = [normalize(Family.META, field, value, today=TODAY).normalized for field in PARTS]

    assert found == ["1990", "02", "03"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1990-02-30", "impossible_date"),
        ("1990-13-01", "impossible_date"),
        ("0000-00-00", "impossible_date"),
        ("1899-12-31", "impossible_date"),
        ("2026-11-22", "impossible_date"),
        ("1990-02-03T25:00:00", "impossible_date"),
        ("1990-02-03 about", "impossible_date"),
        ("2/16/1997", "not_a_date"),
        ("1990-2-3", "not_a_date"),
        ("1990-02", "not_a_date"),
        ("May 1990", "not_a_date"),
    ],
)
def test_an_impossible_birth_date_is_absent(value: str, reason: str) -> None:
    for field in PARTS:
        found = normalize(Family.META, field, value, today=TODAY)
        assert (found.normalized, found.sha256, found.reason) == (None, None, reason)


def test_somebody_may_be_born_today_and_in_1900_but_not_tomorrow() -> None:
    assert normalize(Family.META, "birth_day", "2026-11-21", today=TODAY).normalized == "21"
    assert normalize(Family.META, "birth_year", "1900-01-01", today=TODAY).normalized == "1900"
    assert normalize(Family.META, "birth_year", "2027", today=TODAY).reason == "impossible_date"


@pytest.mark.parametrize(("value", "gender"), [("M", "m"), (" Male ", "m"), ("FEMALE", "f"), ("f", "f")])
def test_a_gender_is_one_letter(value: str, gender: str) -> None:
    assert normalize(Family.META, "gender", value).normalized == gender


@pytest.mark.parametrize("value", ["x", "mr", "woman", "fem", "0", "m."])
def test_a_gender_is_never_guessed(value: str) -> None:
    assert normalize(Family.META, "gender", value).reason == "not_m_or_f"


@pytest.mark.parametrize("family", list(Family))
def test_a_mobile_ad_id_is_a_lower_case_uuid_sent_plain(family: Family) -> None:
    found = normalize(family, "mobile_ad_id", " 38400000-8CF0-11BD-B23E-10B96E40000D ")

    assert (found.normalized, found.sha256) == ("38400000-8cf0-11bd-b23e-10b96e40000d", None)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("384000008cf011bdb23e10b96e40000d", "not_a_uuid"),
        ("38400000-8cf0-11bd-b23e-10b96e40000g", "not_a_uuid"),
        ("00000000-0000-0000-0000-000000000000", "tracking_refused"),
        ("", "empty"),
    ],
)
def test_what_is_no_mobile_ad_id_is_absent(value: str, reason: str) -> None:
    assert normalize(Family.META, "mobile_ad_id", value).reason == reason


@pytest.mark.parametrize("value", [" Ab-1 ", "e\u0301", "A" * 64, "\u200bx"])
def test_an_external_id_is_untouched(value: str) -> None:
    for hashed in (False, True):
        assert normalize(Family.META, "external_id", value, hashed=hashed).normalized == value


@pytest.mark.parametrize(
    ("value", "reason"), [("", "empty"), (" \u200b", "empty"), ("\ud800", "not_unicode_text")]
)
def test_an_external_id_that_shows_nothing_is_absent(value: str, reason: str) -> None:
    assert normalize(Family.META, "external_id", value).reason == reason
