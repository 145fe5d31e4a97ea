import pytest

from cohortd.core.identifiers import Family
from cohortd.identity import normalize

NAME_FIELDS = pytest.mark.parametrize("field", ["first_name", "last_name"])


@NAME_FIELDS
@pytest.mark.parametrize(
    ("value", "google", "meta"),
    [
        ("Mary Ann", "mary ann", "maryann"),
        ("O'Neil-Smith", "o'neil-smith", "oneilsmith"),
        ("O\u2019Neil", "o\u2019neil", "oneil"),
        ("Mrs. Mary", "mary", "mrsmary"),
        ("Dr. Mr. John", "john", "drmrjohn"),
        ("DR.DRE", "dre", "drdre"),
        ("Mr John", "mr john", "mrjohn"),
        ("Smith, Jr.", "smith", "smithjr"),
        ("Smith Sr.", "smith", "smithsr"),
        ("Smith Jr", "smith jr", "smithjr"),
        ("Smithjr.", "smithjr.", "smithjr"),
        ("Windsor III", "windsor iii", "windsoriii"),
        ("V", "v", "v"),
        ("José", "josé", "josé"),
        ("Jose\u0301", "josé", "josé"),
        ("e-\u0301a", "e-\u0301a", "éa"),
        ("Weiß", "weiß", "weiß"),
        ("WEIẞ", "weiß", "weiß"),
        ("İbrahim", "i\u0307brahim", "i\u0307brahim"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος", "σίσυφος"),
        ("\uff21nn", "\uff41nn", "\uff41nn"),
        ("राम", "राम", "राम"),
        ("Mary \U0001f60a", "mary \U0001f60a", "mary"),
        ("Mary\u2003Ann", "mary ann", "maryann"),
        ("-", None, None),
        ("Mr.", None, "mr"),
        ("Mr., Jr.", None, "mrjr"),
        ("Jr.", "jr.", "jr"),
    ],
)
def test_a_name_under_both_rules(field: str, value: str, google: str | None, meta: str | None) -> None:
    assert normalize(Family.GOOGLE, field, value).normalized == google
    assert normalize(Family.META, field, value).normalized == meta


@pytest.mark.parametrize(
    ("value", "initial"),
    [("Valéry", "v"), ("Élise", "é"), ("정", "정"), ("'Ann", "a"), ("İbo", "i"), ("3", None)],
)
def test_the_initial_is_the_first_letter_of_the_name(value: str, initial: str | None) -> None:
    assert normalize(Family.META, "first_initial", value).normalized == initial


@pytest.mark.parametrize(
    ("value", "city"),
    [
        ("St. John's", "stjohns"),
        ("São Paulo", "sãopaulo"),
        ("İstanbul", "istanbul"),
        ("서울", "서울"),
        ("दिल्ली", "दिल्ली"),
        ("Paris 12", "paris"),
        ("75001", None),
    ],
)
def test_a_city_is_letters_of_any_script(value: str, city: str | None) -> None:
    assert normalize(Family.META, "city", value).normalized == city


@pytest.mark.parametrize(
    ("value", "region", "state"),
    [
        ("California", "US", "ca"),
        (" new  york ", "US", "ny"),
        ("D.C.", "US", "dc"),
        ("District of Columbia", "US", "dc"),
        ("Puerto Rico", "US", "pr"),
        ("U.S. Virgin Islands", "US", "vi"),
        ("US-TX", "United States", "tx"),
        ("Bavaria", "DE", "bavaria"),
        ("Île-de-France", "FR", "îledefrance"),
        ("New South Wales 2", "AU", "newsouthwales2"),
        ("California", None, "california"),
        ("Ontario", "US", None),
        ("XX", "US", None),
    ],
)
def test_a_state_is_a_code_in_the_us_and_a_word_elsewhere(
    value: str, region: str | None, state: str | None
) -> None:
    found = normalize(Family.META, "state", value, region=region)

    assert found.normalized == state
    assert found.reason == (None if state else "unknown_us_state")


@pytest.mark.parametrize(
    ("value", "region", "google", "meta"),
    [
        ("94035", "US", "94035", "94035"),
        ("94035-1234", "US", "94035-1234", "94035"),
        ("94035 1234", "US", "94035-1234", "94035"),
        ("940351234", "US", "94035-1234", "94035"),
        ("94035.0", "US", "94035", "94035"),
        ("2139", "US", None, None),
        ("M1 1AE", "US", None, None),
        ("m1\u00a01ae", "GB", "m1 1ae", "m11ae"),
        ("M1 1AE", "GB", "M1 1AE", "m11ae"),
        ("100\u20110001", "JP", "100\u20110001", "1000001"),
        ("1229-076", None, "1229-076", "1229076"),
        ("10115.0", "DE", "10115", "10115"),
        ("-", "DE", "-", None),
    ],
)
def test_a_postal_code_under_both_rules(
    value: str, region: str | None, google: str | None, meta: str | None
) -> None:
    plain = normalize(Family.GOOGLE, "postal_code", value, region=region)

    assert (plain.normalized, plain.sha256) == (google, None)
    assert normalize(Family.META, "postal_code", value, region=region).normalized == meta


def test_a_us_postal_code_that_is_none_says_so() -> None:
    for family in Family:
        assert normalize(family, "postal_code", "2139", region="US").reason == "not_a_us_postal_code"


@pytest.mark.parametrize("field", ["city", "state"])
@pytest.mark.parametrize("value", ["\u0130", "i\u0307", "i\u0307\u0307", "I-\u0307", "i\u0307-\u0307"])
def test_however_many_dots_an_i_has_and_whatever_stood_between_it_is_an_i(field: str, value: str) -> None:
    assert normalize(Family.META, field, value).normalized == "i"
