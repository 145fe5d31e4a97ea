import pytest

from cohortd.core.identifiers import Family
from cohortd.identity import normalize
from cohortd.identity.countries import _countries, _key, _table, _words, alpha2_of

BEYOND_THE_FIFTY = {"DC", "AS", "GU", "MP", "PR", "VI", "UM", "FM", "MH", "PW", "AA", "AE", "AP"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("us", "US"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("U S", "US"),
        ("United States", "US"),
        ("the United States of America", "US"),
        ("UK", "GB"),
        ("Great Britain", "GB"),
        ("England", "GB"),
        ("Northern Ireland", "GB"),
        ("South Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("Korea, Democratic People's Republic of", "KP"),
        ("Russia", "RU"),
        ("Vietnam", "VN"),
        ("Czech Republic", "CZ"),
        ("Czechia", "CZ"),
        ("Côte d'Ivoire", "CI"),
        ("COTE D\u2019IVOIRE", "CI"),
        ("TÜRKİYE", "TR"),
        ("Turkey", "TR"),
        ("Trinidad & Tobago", "TT"),
        ("The Netherlands", "NL"),
        ("Republic of Ireland", "IE"),
        ("Congo, The Democratic Republic of the", "CD"),
        ("AND", "AD"),
        ("\uff35\uff33", "US"),
        ("Deutschland", "DE"),
    ],
)
def test_a_country_is_found_by_code_or_name(value: str, code: str) -> None:
    assert normalize(Family.GOOGLE, "country", value).normalized == code
    assert normalize(Family.META, "country", value).normalized == code.lower()


@pytest.mark.parametrize(
    "value", ["Atlantis", "Korea", "Virgin Islands", "XX", "-", "the", "Republic", "840"]
)
def test_an_unknown_or_ambiguous_country_is_absent(value: str) -> None:
    for family in Family:
        assert normalize(family, "country", value).reason == "unknown_country"


def test_no_spelling_stands_for_two_countries() -> None:
    spellings = [
        (_key(_words(spelling)), row["alpha2"])
        for row in _table("countries.csv")
        for spelling in {row["alpha2"], row["alpha3"], *row["names"].split("|")}
    ]

    assert len({key for key, _ in spellings}) == len(set(spellings))
    assert all(key for key, _ in spellings)


def test_the_table_holds_all_of_iso_3166() -> None:
    rows = list(_table("countries.csv"))

    assert len(rows) == 249
    assert len({row["alpha2"] for row in rows}) == 249
    assert len({row["alpha3"] for row in rows}) == 249
    assert all(alpha2_of(row["alpha3"]) == row["alpha2"] for row in rows)
    assert set(_countries().values()) == {row["alpha2"] for row in rows}


def test_the_states_of_the_us_are_all_there() -> None:
    rows = list(_table("us_states.csv"))

    assert len({row["code"] for row in rows} - BEYOND_THE_FIFTY) == 50
    for row in rows:
        for name in row["names"].split("|"):
            assert normalize(Family.META, "state", name, region="US").normalized == row["code"].lower()
