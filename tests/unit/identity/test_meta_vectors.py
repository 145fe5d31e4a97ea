"""Every official Meta example of the fact sheet, and what our stricter rules make of the odd ones."""

import hashlib

import pytest

from cohortd.core.identifiers import Family
from cohortd.identity import normalize

TEST = ("test", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
ZERO_ONE = ("01", "938db8c9f82c8cb58d3f3ef4fd250036a48d26a712753d2fde5abd03a85cabf4")
VECTORS = [
    (
        "email",
        "mary@example.com",
        ("mary@example.com", "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79"),
    ),
    (
        "email",
        "John_Smith@gmail.com",
        ("john_smith@gmail.com", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"),
    ),
    (
        "phone",
        "US (650)555-1212",
        ("16505551212", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"),
    ),
    ("first_name", "Mary", ("mary", "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec")),
    ("first_name", "정", ("정", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14")),
    (
        "first_name",
        "Valéry",
        ("valéry", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
    ),
    ("first_name", "  TEST ", TEST),
    ("last_name", "..test..", TEST),
    ("first_initial", "ABC", ("a", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")),
    (
        "country",
        "United States",
        ("us", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
    ),
    ("city", "New York", ("newyork", "350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5")),
    ("state", "AZ", ("az", "9c0ada37bf74aeefae949fdfc90db0cf6eaf90192eff67d65887771f0585e055")),
    ("state", "CA", ("ca", "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126")),
    (
        "postal_code",
        "94035-1234",
        ("94035", "1794327a4d443904421f5ca1f3d72d0a62ba2f0770d80755ec2220fc0efb052e"),
    ),
    ("gender", "m", ("m", "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a")),
    ("gender", "f", ("f", "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111")),
    ("birth_month", "1", ZERO_ONE),
    ("birth_day", "1", ZERO_ONE),
    ("birth_year", "2000", ("2000", "81a83544cf93c245178cbc1620030f1123f435af867c79d87135983c52ab39d9")),
]


@pytest.mark.parametrize(("field", "value", "expected"), VECTORS)
def test_an_official_value_gives_the_official_hash(
    field: str, value: str, expected: tuple[str, str]
) -> None:
    found = normalize(Family.META, field, value, region="US")

    assert (found.normalized, found.sha256) == expected


def test_the_official_british_postal_code_gives_the_official_hash() -> None:
    found = normalize(Family.META, "postal_code", "M1 1AE", region="GB")

    assert (found.normalized, found.sha256) == (
        "m11ae",
        "1dc694c2070e697769fb959b50671d76cafd430d8ca191fbdd0affcaea344ac5",
    )


def test_an_external_id_is_sent_as_it_is() -> None:
    found = normalize(Family.META, "external_id", "abc123def")

    assert (found.normalized, found.sha256, found.reason) == ("abc123def", None, None)


def test_metas_example_phone_hashes_as_documented_but_is_nobodys_number() -> None:
    documented = "1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e"

    assert hashlib.sha256(b"15559876543").hexdigest() == documented
    assert normalize(Family.META, "phone", "15559876543", region="US").reason == "not_a_valid_number"


@pytest.mark.parametrize("value", ["a", "abc", "a@b", "@b.c", ".c", "@", "  test  ", "..test.."])
def test_no_email_address_in_the_sdks_own_tests_is_none_here(value: str) -> None:
    assert normalize(Family.META, "email", value).sha256 is None


@pytest.mark.parametrize("value", ["a@b.c", "fo'o@bar.com"])
def test_an_odd_email_address_of_the_sdks_own_tests_is_kept(value: str) -> None:
    assert normalize(Family.META, "email", value).normalized == value


def test_a_quoted_space_is_refused_although_the_sdk_takes_it() -> None:
    assert normalize(Family.META, "email", '"a b"@c.d').reason == "inner_white_space"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("birth_day", "32"),
        ("birth_day", "444"),
        ("birth_day", "0"),
        ("birth_day", "0a"),
        ("birth_day", "-1"),
        ("birth_month", "13"),
        ("birth_month", "0"),
        ("birth_year", "19999"),
        ("birth_year", "1"),
    ],
)
def test_a_part_of_a_date_that_the_sdk_refuses_is_absent(field: str, value: str) -> None:
    found = normalize(Family.META, field, value)

    assert found.sha256 is None
    assert found.reason in {"impossible_date", "not_a_date"}
