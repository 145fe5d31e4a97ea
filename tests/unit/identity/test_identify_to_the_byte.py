"""Whole tables of identify() against the rules, value by value and packed row by row.

The ledger compares payloads as bytes: a batch that packs otherwise would send everybody anew.
"""

import random
from collections.abc import Mapping

import pytest
from identified import BIRTH, PROFILE, TODAY, batch, dropped, found, run

from cohortd.core.identifiers import Family, Identifier, IdentifierKind
from cohortd.core.payloads import ADDRESS_KEYS, digest_of, pack, packed_identifier
from cohortd.identity import Normalized, normalize

ROWS = 3000
REGION = "GB"
COUNTRIES = ["US", "usa", "Germany", "DE", "FR", "France", "", None, "Atlantis", "GB", "Türkiye", "jp"]
FIRST = [
    "Ann",
    "mr. Bob",
    "JOSÉ",
    "Zoë-Lou",
    "O'Neil",
    "李",
    "Dr. Ms. Eve",
    "-",
    "",
    " Ann ",
    "i̇lker",
    "X Æ",
    None,
]
LAST = [
    "Smith jr.",
    "Müller",
    "van der Berg",
    "Łuk",
    "Smith, Sr.",
    "ΣΑΣ",
    "...",
    "d\u2019Arc",
    "Ng",
    "King III",
    None,
]
MAIL = [
    "gmail.com",
    "GMAIL.com",
    "googlemail.com",
    "example.org",
    "Bücher.de",
    "a--b.org",
    "co.uk.",
    "x",
    "例え.jp",
]
LOCAL = [
    "Ann.Smith",
    "bob+news",
    "ünal",
    "a b",
    "..",
    "+",
    "j.d.+x",
    "o'neil",
    '"q"',
    "a\u200bb",
    "z\tz",
    "",
    "@",
]
CITIES = [
    "New York",
    "São Paulo",
    "St. Ives",
    "İstanbul",
    "東京",
    "12",
    None,
    "O'Fallon",
    "Aix-en-Provence",
]
STATES = ["California", "ca", "US-NY", "Bayern", "North Rhine 2", "Île-de-France", None, "", "?"]
ZIPS = [
    "10001",
    "10001-1234",
    "94035.0",
    "SW1A 1AA",
    '7"5\\1',
    "١٢٣٤٥",
    "0a" * 32,
    "75001",
    None,
    "1000",
    " 90210 ",
]
PHONES = [
    "+16505551212",
    "(650) 555-1212",
    "020 7946 0958",
    "+49 30 123456",
    "030/123456",
    "12",
    "4.9E11",
    None,
    "",
]
BIRTHS = [
    "1990-02-03",
    "1990-02-03 10:00",
    "19900203",
    "2090-01-01",
    "1850-01-01",
    "soon",
    None,
    "1990-02-30",
]
GENDERS = ["f", "Male", "M", "x", None, "", "FEMALE"]
IDS = ["38400000-8CF0-11BD-B23E-10B96E40000D", "0" * 8 + "-0000-0000-0000-" + "0" * 12, "no", None]
EXTERNAL = ["E-1", " e1 ", 'q"\\', "\u200b", "ключ", None, "a\nb"]


def customer(draw: random.Random) -> dict[str, object]:
    def mail() -> str:
        text = f"{draw.choice(LOCAL)}{draw.choice(['', draw.randrange(99)])}@{draw.choice(MAIL)}"
        return draw.choice([text, text.upper(), f" {text}\t", f"\u00a0{text}", text[1:], "0A" * 32])

    return {
        "email": draw.choice([None, *([mail() for _ in range(draw.randrange(4))] for _ in range(4))]),
        "phone": draw.choice(PHONES),
        "first_name": draw.choice(FIRST),
        "last_name": draw.choice(LAST),
        "birth_date": draw.choice(BIRTHS),
        "gender": draw.choice(GENDERS),
        "city": draw.choice(CITIES),
        "state": draw.choice(STATES),
        "postal_code": draw.choice(ZIPS),
        "country": draw.choice(COUNTRIES),
        "mobile_ad_id": draw.choice(IDS),
        "external_id": draw.choice(EXTERNAL),
    }


CUSTOMERS = [customer(random.Random(seed)) for seed in range(ROWS)]


class ByValue:
    """One customer as the rules see their values."""

    def __init__(self, row: Mapping[str, object], family: Family) -> None:
        self.row = row
        self.family = family
        self.region = str(row["country"] or "") or REGION

    def values(self, field: str) -> list[str]:
        cell = self.row[field]
        listed = cell if isinstance(cell, list) else [cell]
        return [value for value in listed if value is not None]

    def of(self, rule: str, value: str) -> Normalized:
        return normalize(self.family, rule, value, region=self.region, today=TODAY)

    def sent(self, field: str, rule: str = "") -> list[str]:
        outcomes = [self.of(rule or field, value).sent for value in self.values(field)]
        return list(dict.fromkeys(text for text in outcomes if text is not None))

    def profile(self) -> dict[str, str]:
        keys = {key: (field, field) for key, field in PROFILE.items()}
        keys |= {"FI": ("first_name", "first_initial")}
        keys |= {key: ("birth_date", rule) for key, rule in BIRTH.items()}
        return {key: texts[0] for key, (field, rule) in keys.items() if (texts := self.sent(field, rule))}

    def reasons(self, fields: list[str]) -> list[tuple[str, str]]:
        rules = {"birth_date": "birth_year"}
        return [
            (field, reason)
            for field in fields
            for value in self.values(field)
            if (reason := self.of(rules.get(field, field), value).reason) is not None
        ]


def _points(seen: ByValue, payload: bytes) -> list[Identifier]:
    return [
        Identifier(kind, bytes.fromhex(digest), payload)
        for field, kind in (("email", IdentifierKind.EMAIL), ("phone", IdentifierKind.PHONE))
        for digest in seen.sent(field)
    ]


def _for_google(seen: ByValue) -> tuple[list[Identifier], list[tuple[str, str]]]:
    fields = ["first_name", "last_name", "country", "postal_code"]
    parts = [seen.sent(field) for field in fields]
    reasons = seen.reasons(["email", "phone", *fields])
    if not all(parts):
        return _points(seen, b""), [*reasons, ("address", "incomplete_address")] if any(parts) else reasons
    address = dict(zip(ADDRESS_KEYS, (part[0] for part in parts), strict=True))
    return [*_points(seen, b""), packed_identifier(IdentifierKind.ADDRESS, address)], reasons


def _for_meta(seen: ByValue) -> tuple[list[Identifier], list[tuple[str, str]]]:
    profile = seen.profile()
    kinds = {"mobile_ad_id": IdentifierKind.MOBILE_AD_ID, "external_id": IdentifierKind.EXTERNAL_ID}
    ids = [
        Identifier(kind, digest_of({"id": text}), pack({"id": text, **profile}))
        for field, kind in kinds.items()
        for text in seen.sent(field)
    ]
    fields = ["email", "phone", *kinds, "first_name", "last_name", "city", "state", "postal_code"]
    fields += ["country", "gender", "birth_date"]
    return [*_points(seen, pack(profile)), *ids], seen.reasons(fields)


EXPECTED = {Family.GOOGLE: _for_google, Family.META: _for_meta}


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("family", list(Family))
def test_a_big_batch_is_to_the_byte_what_its_values_are_one_by_one(*, family: Family, native: bool) -> None:
    result = run(batch(*CUSTOMERS), family, region=REGION, native=native)

    expected = [EXPECTED[family](ByValue(row, family)) for row in CUSTOMERS]
    assert found(result) == [(row, one) for row, (sent, _) in enumerate(expected) for one in sent]
    assert dropped(result) == [(row, *why) for row, (_, reasons) in enumerate(expected) for why in reasons]


def test_the_batch_says_enough_to_compare() -> None:
    for family in Family:
        result = run(batch(*CUSTOMERS), family, region=REGION)
        assert len({one.digest for _, one in found(result)}) > 200
        assert len({why for _, _, why in dropped(result)}) >= 12
