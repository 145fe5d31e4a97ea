from collections.abc import Sequence
from datetime import date

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_numbers import NOWHERE, REGIONS, written_numbers

from cohortd.core.identifiers import Family
from cohortd.identity import normalize
from cohortd.identity.phone_columns import e164_column
from cohortd.identity.phone_metadata import dialling, validity
from cohortd.identity.rules import RULES
from cohortd.identity.steps import Absent, Where

TODAY = date(2026, 11, 22)
ONE = RULES[Family.GOOGLE]["phone"].step

Numbers = Sequence[tuple[str, str | None]]


def differences(numbers: Numbers) -> list[tuple[str, str | None, str | Absent, str | Absent]]:
    """Where the column says something else than the library, called with one value after the other."""
    texts = [text for text, _ in numbers]
    wheres = [Where(region, TODAY) for _, region in numbers]
    answers = e164_column(texts, wheres, ONE)
    alone = [ONE(text, where) for text, where in zip(texts, wheres, strict=True)]
    assert len(answers) == len(numbers)
    return [
        (text, region, answer, expected)
        for (text, region), answer, expected in zip(numbers, answers, alone, strict=True)
        if answer != expected
    ]


def test_a_column_says_what_the_library_says_of_each_of_its_values() -> None:
    assert differences(list(written_numbers(20_000, seed=1))) == []


@pytest.mark.slow
@pytest.mark.timeout(1600)
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_column_says_what_the_library_says_of_each_of_a_million_values(seed: int) -> None:
    assert differences(list(written_numbers(100_000, seed=seed))) == []


@given(
    numbers=st.lists(
        st.tuples(
            st.one_of(
                st.text("0123456789 +-()./[]", max_size=24),
                st.text("01234 +-().x/ext;:,#*~\u0661\u2011e", max_size=24),
                st.text(max_size=24),
            ),
            st.sampled_from([*NOWHERE, *REGIONS]),
        ),
        max_size=8,
    )
)
@settings(deadline=None, max_examples=400)
def test_whatever_is_written_a_column_says_what_the_library_says(numbers: Numbers) -> None:
    assert differences(numbers) == []


@pytest.mark.parametrize(
    ("text", "region"),
    [
        # Everyday Argentina: 15 before the number is a 9 before the area code abroad.
        ("011 15-2345-6789", "AR"),
        ("(0343) 15 412-3456", "AR"),
        # Brazil: the carrier between 0 and the area code.
        ("0 15 11 96123-4567", "BR"),
        ("0 11 96123-4567", "BR"),
        # Antigua: seven digits are a number of the island.
        ("464-1234", "AG"),
        ("0549 886377", "SM"),
        ("886377", "SM"),
        ("+39 06 1234 5678", "DE"),
        ("00 39 06 1234 5678", "DE"),
        ("49 30 123456", "DE"),
        ("49 30 123456", "FR"),
        ("+0 30 123456", "DE"),
        ("+999 30 123456", "DE"),
        ("000000", "DE"),
        ("0", "DE"),
        ("", "DE"),
        ("12", "DE"),
        ("112", "DE"),
        ("123.0", "DE"),
        (" 6505551212.0", "US"),
        ("6505551212.0", "US"),
        ("6505551212.0\u202f", "US"),
        ("06\u202f12\u202f34\u202f56\u202f78", "FR"),
        ("650555.1212", "US"),
        ("0" * 41, "DE"),
        ("0" * 64, "DE"),
        (f"abcdefabcdefabcdefabcdefabcd{'1' * 36}", "DE"),
        ("+49 30 123456" + " " * 300, "DE"),
        ("+49 30" + " " * 300 + "123456", "DE"),
        ("+800 1234 5678", None),
        ("030 123456", None),
        ("+1 650 555 1212 x1234567", "US"),
        ("+1 650 555 1212 x1234567890", "US"),
        ("+1 650 555 1212 ext. 123456789012345678901", "US"),
        ("4.9301E11", "DE"),
    ],
)
def test_rare_ways_to_write_a_number_are_read_alike(text: str, region: str | None) -> None:
    assert differences([(text, region)]) == []


def test_a_plainly_written_number_is_never_asked_for_alone() -> None:
    asked = []

    def one(text: str, _where: Where) -> str | Absent:
        asked.append(text)
        return Absent("asked")

    texts = [
        "+49 (0)30 123456",
        "(650) 555-1212",
        "020 7946 0958",
        "tel:+44-20-7946-0958",
        "650.555.1212 ext. 89",
    ]
    regions = ["DE", "US", "GB", None, "US"]
    answers = e164_column(texts, [Where(region, TODAY) for region in regions], one)

    assert asked == []
    assert answers == ["+4930123456", "+16505551212", "+442079460958", "+442079460958", "+16505551212"]


def test_the_metadata_of_every_country_are_understood() -> None:
    """A new form of expression would cost speed, unnoticed: those countries go to the library."""
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    foreign = [
        (code, name) for code, names in codes.items() for name in names if dialling(code, name) is None
    ]

    assert foreign == []
    assert [code for code in codes if validity(code) is None] == []


def test_both_families_read_a_column_as_they_read_a_value() -> None:
    for family in Family:
        rule = RULES[family]["phone"]
        assert rule.column_step is not None
        found = rule.column_step(["020 7946 0958", "call me"], [Where("GB", TODAY)] * 2)

        assert found[0] == normalize(family, "phone", "020 7946 0958", region="GB").normalized
        assert found[1] == Absent("not_a_valid_number")
