import pytest

from cohortd.core.identifiers import Family
from cohortd.identity import normalize

LONDON = "+442079460958"


@pytest.mark.parametrize(
    ("value", "region", "number"),
    [
        ("+44 (0)20 7946 0958", None, LONDON),
        ("+44 (0)20 7946 0958", "US", LONDON),
        ("020 7946 0958", "GB", LONDON),
        ("020 7946 0958", "uk", LONDON),
        ("020 7946 0958", "United Kingdom", LONDON),
        ("0044 20 7946 0958", "DE", LONDON),
        ("011 44 20 7946 0958", "US", LONDON),
        ("442079460958", "GB", LONDON),
        ("tel:+44-20-7946-0958", None, LONDON),
        ("+44\u201120\u20117946\u20110958", None, LONDON),
        ("+44\u00a020\u20097946\u200b0958", None, LONDON),
        ("\u0660\u0662\u0660 \u0667\u0669\u0664\u0666 \u0660\u0669\u0665\u0668", "GB", LONDON),
        ("\uff0b\uff14\uff14 20 7946 0958", None, LONDON),
        ("(650) 555-1212", "US", "+16505551212"),
        ("650.555.1212 ext. 89", "US", "+16505551212"),
        ("650-555-1212 x89", "US", "+16505551212"),
        ("+1 650 555 1212;ext=89", None, "+16505551212"),
        ("+39 06 1234 5678", None, "+390612345678"),
        ("6505551212.0", "US", "+16505551212"),
    ],
)
def test_one_number_has_one_spelling(value: str, region: str | None, number: str) -> None:
    assert normalize(Family.GOOGLE, "phone", value, region=region).normalized == number
    assert normalize(Family.META, "phone", value, region=region).normalized == number[1:]


@pytest.mark.parametrize("region", [None, "", "Atlantis", "AQ"])
def test_a_number_without_its_country_is_not_guessed(region: str | None) -> None:
    for value in ("(650) 555-1212", "1-800-555-0100", "0044 20 7946 0958"):
        found = normalize(Family.GOOGLE, "phone", value, region=region)
        assert (found.normalized, found.sha256, found.reason) == (None, None, "no_country_for_number")


@pytest.mark.parametrize(
    ("value", "region"),
    [
        ("+1 555 987 6543", None),
        ("+999 1234567", None),
        ("12345", "US"),
        ("0044 20 7946 0958", "US"),
        ("call me", "US"),
        ("4.91234E11", "DE"),
        ("+1 650 555 1212 or +1 650 555 1213", None),
        ("1" * 300, "US"),
        ("+", "US"),
    ],
)
def test_what_nobody_could_dial_is_absent(value: str, region: str | None) -> None:
    assert normalize(Family.META, "phone", value, region=region).reason == "not_a_valid_number"


def test_a_hashed_phone_in_a_plain_column_is_never_hashed_again() -> None:
    assert normalize(Family.GOOGLE, "phone", "0" * 64, region="US").reason == "already_hashed"
