"""Every official Google example of the fact sheet, and what our stricter rules make of the odd ones."""

import pytest

from cohortd.core.identifiers import Family
from cohortd.identity import normalize

ALEXZ = ("alexz@example.com", "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a")
CLOUDY = (
    "cloudysanfrancisco@gmail.com",
    "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4",
)
EMAILS = [
    ("  ALEXZ@example.com   ", *ALEXZ),
    ("  alexz@EXAMPLE.com   ", *ALEXZ),
    (
        "dana@example.com",
        "dana@example.com",
        "07e2f1394b0ea80e2adca010ea8318df697001a005ba7452720edda4b0ce57b3",
    ),
    (
        "DanaM@example.com",
        "danam@example.com",
        "1df6b43bc68dd38eca94e6a65b4f466ae537b796c81a526918b40ac4a7b906c7",
    ),
    (
        "ALEXJ@example.com",
        "alexj@example.com",
        "2ef46c4214c3fc1b277a2d976d55194e12b899aa50d721f28da858c7689756e3",
    ),
    (
        " AlexJ@cymbalgroup.com",
        "alexj@cymbalgroup.com",
        "54e410b14fa652a4b49b43aff6eaf92ad680d4d1e5e62ed71b86cd3188385a51",
    ),
    (
        "quinn@CYMBALGROUP.com",
        "quinn@cymbalgroup.com",
        "05bb62526f091b45d20e243d194766cca8869137421047dc53fa4876d111a6f0",
    ),
    (
        "baklavainthebalkans@gmail.com  ",
        "baklavainthebalkans@gmail.com",
        "f1fcde379f31f4d446b76ee8f34860eca2288adc6b6d6c0fdc56d9eee75a2fa5",
    ),
    (
        "rosario@example.org",
        "rosario@example.org",
        "83a834cc5327bc4dee7c5408988040dc5813c7662611cd93b707aff72bf7d33f",
    ),
    ("cloudySanFrancisco@GMAIL.com", *CLOUDY),
    ("Cloudy.SanFrancisco+shopping@gmail.com", *CLOUDY),
    (
        "Cloudy.SanFrancisco+shopping@googlemail.com",
        "cloudysanfrancisco@googlemail.com",
        "332ed5427d17deb381928a719533e85046d68d7e45553abb805852b7d631fcb7",
    ),
    (
        "Jefferson.Loves.hiking@gmail.com",
        "jeffersonloveshiking@gmail.com",
        "515d2f967f73864e76937ab2b897210a86fd286016903b1b08c3da07c75f513e",
    ),
    (
        "user.name+NYC@Example.com",
        "user.name+nyc@example.com",
        "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac",
    ),
    (
        "QuinnY@EXAMPLE.com",
        "quinny@example.com",
        "d00d0a7c6d491b3782fd78b410748048859e16467faa0651f060978d4bb343cc",
    ),
    (
        "alexF@altostrat.com",
        "alexf@altostrat.com",
        "063c45291827d4994f98357b72862b25885834fd53cf8f0e4af359916fc03c62",
    ),
]

TOLL_FREE = ("+18005550100", "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30")
PHONES = [
    ("+18005550100", *TOLL_FREE),
    ("   +1-800-555-0100", *TOLL_FREE),
    ("1-800-555-0100   ", *TOLL_FREE),
    ("1 800 555 0100", *TOLL_FREE),
    (
        "+1 800\u2011555\u20110101",
        "+18005550101",
        "61d6c2976b5d92b1ad63073a12fddd26040cd980067d03a93dd1cc50f1a3ac68",
    ),
    (
        "+1 800\u2011555\u20110102",
        "+18005550102",
        "c5383c2eeada28210d27f011bc127d4f9562cf38ff0c9bba33dd45ae79b9fe7c",
    ),
    (
        "+44-113-496-0987",
        "+441134960987",
        "0fac52d27ec377f8ad2f9de75d1f9bace693237e31868ae6f4616b8bbd0e94fb",
    ),
]

GIVEN = ("givenname", "128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814")
FAMILY = ("familyname", "77762c287e61ce065bee5c15464012c6fbe088398b8057627d5577249430d574")


@pytest.mark.parametrize(("value", "normalized", "digest"), EMAILS)
def test_an_official_email_gives_the_official_hash(value: str, normalized: str, digest: str) -> None:
    found = normalize(Family.GOOGLE, "email", value)

    assert (found.normalized, found.sha256, found.reason) == (normalized, digest, None)


@pytest.mark.parametrize(("value", "normalized", "digest"), PHONES)
def test_an_official_phone_gives_the_official_hash(value: str, normalized: str, digest: str) -> None:
    found = normalize(Family.GOOGLE, "phone", value, region="US")

    assert (found.normalized, found.sha256, found.reason) == (normalized, digest, None)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("first_name", "Givenname", GIVEN),
        ("first_name", "  GivenName  ", GIVEN),
        ("last_name", "Familyname", FAMILY),
        ("last_name", "  FamilyName ", FAMILY),
    ],
)
def test_an_official_name_gives_the_official_hash(
    field: str, value: str, expected: tuple[str, str]
) -> None:
    found = normalize(Family.GOOGLE, field, value)

    assert (found.normalized, found.sha256) == expected


@pytest.mark.parametrize(
    ("field", "value", "sent"),
    [("country", " us", "US"), ("country", " uS ", "US"), ("postal_code", " 1229-076  ", "1229-076")],
)
def test_country_and_postal_code_are_sent_plain(field: str, value: str, sent: str) -> None:
    found = normalize(Family.GOOGLE, field, value)

    assert (found.normalized, found.sha256, found.reason) == (sent, None, None)


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
def test_what_google_refuses_is_absent(field: str, value: str, reason: str) -> None:
    found = normalize(Family.GOOGLE, field, value)

    assert (found.normalized, found.sha256, found.reason) == (None, None, reason)
