import json
from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import pytest
from identified import BIRTH, PROFILE, TODAY, batch, dropped, found, run

from cohortd.core.identifiers import Family, Identifier, IdentifierKind
from cohortd.core.payloads import digest_of, pack, packed_identifier, unpack
from cohortd.identity import normalize

ANN = {
    "customer_id": "c1",
    "email": "Ann.B@Gmail.com",
    "phone": "(650) 555-1212",
    "first_name": "Ann",
    "last_name": "O'Neil",
    "birth_date": "1990-02-03",
    "gender": "Female",
    "city": "New York",
    "state": "New York",
    "postal_code": "10001-1234",
    "country": "USA",
    "mobile_ad_id": "38400000-8CF0-11BD-B23E-10B96E40000D",
    "external_id": "E-1",
}


def sha(family: Family, field: str, value: str, region: str | None = "US") -> str:
    digest = normalize(family, field, value, region=region, today=TODAY).sha256
    assert digest is not None
    return digest


def test_google_gets_email_phone_and_the_whole_address_but_no_ids() -> None:
    result = run(batch(ANN), Family.GOOGLE)

    address = packed_identifier(
        IdentifierKind.ADDRESS,
        {
            "given_name": sha(Family.GOOGLE, "first_name", "Ann"),
            "family_name": sha(Family.GOOGLE, "last_name", "O'Neil"),
            "region_code": "US",
            "postal_code": "10001-1234",
        },
    )
    assert found(result) == [
        (0, Identifier(IdentifierKind.EMAIL, bytes.fromhex(sha(Family.GOOGLE, "email", "annb@gmail.com")))),
        (0, Identifier(IdentifierKind.PHONE, bytes.fromhex(sha(Family.GOOGLE, "phone", "+16505551212")))),
        (0, address),
    ]
    assert dropped(result) == []


def test_meta_gets_four_kinds_each_with_the_profile() -> None:
    result = run(batch(ANN), Family.META)

    profile = {key: sha(Family.META, field, ANN[field]) for key, field in PROFILE.items() if field in ANN}
    profile |= {"FI": sha(Family.META, "first_initial", "Ann")}
    profile |= {key: sha(Family.META, field, "1990-02-03") for key, field in BIRTH.items()}
    madid = "38400000-8cf0-11bd-b23e-10b96e40000d"
    assert found(result) == [
        (
            0,
            Identifier(
                IdentifierKind.EMAIL,
                bytes.fromhex(sha(Family.META, "email", "ann.b@gmail.com")),
                pack(profile),
            ),
        ),
        (
            0,
            Identifier(
                IdentifierKind.PHONE,
                bytes.fromhex(sha(Family.META, "phone", "+16505551212")),
                pack(profile),
            ),
        ),
        (
            0,
            Identifier(
                IdentifierKind.MOBILE_AD_ID, digest_of({"id": madid}), pack({"id": madid, **profile})
            ),
        ),
        (
            0,
            Identifier(
                IdentifierKind.EXTERNAL_ID, digest_of({"id": "E-1"}), pack({"id": "E-1", **profile})
            ),
        ),
    ]


def test_the_tables_have_the_promised_types_even_without_a_row() -> None:
    for contacts in (
        batch(ANN),
        batch(ANN).slice(0, 0),
        batch({"customer_id": "c1"}),
        batch({"email": None}),
    ):
        for family in Family:
            result = run(contacts, family)
            assert [str(field.type) for field in result.identifiers.schema] == [
                "int64",
                "uint8",
                "fixed_size_binary[32]",
                "binary",
            ]
            assert result.identifiers.column_names == ["row", "kind", "digest", "payload"]
            assert result.dropped.column_names == ["row", "field", "reason"]


def test_all_emails_and_phones_of_a_person_are_kept_once_in_their_order() -> None:
    contacts = pa.RecordBatch.from_pydict(
        {
            "email": pa.array(
                [["b@x.com", None, "a@x.com", " B@x.com "], [], None, ["c@x.com", "oops"]],
                pa.list_(pa.string()),
            ),
            "phone": pa.array(
                [None, None, None, ["6505551212", "+1 650 555 1212"]], pa.large_list(pa.large_string())
            ),
        }
    )

    result = run(contacts, Family.GOOGLE)

    assert [(row, one.kind, one.digest.hex()) for row, one in found(result)] == [
        (0, IdentifierKind.EMAIL, sha(Family.GOOGLE, "email", "b@x.com")),
        (0, IdentifierKind.EMAIL, sha(Family.GOOGLE, "email", "a@x.com")),
        (3, IdentifierKind.EMAIL, sha(Family.GOOGLE, "email", "c@x.com")),
        (3, IdentifierKind.PHONE, sha(Family.GOOGLE, "phone", "+16505551212")),
    ]
    assert dropped(result) == [(3, "email", "no_at_sign")]


def test_a_slice_of_a_batch_counts_its_own_rows() -> None:
    contacts = pa.RecordBatch.from_pydict(
        {"email": pa.array([["a@x.com"], None, ["b@x.com", "c@x.com"]]), "country": ["US", None, "DE"]}
    ).slice(1)

    assert [row for row, _ in found(run(contacts, Family.META))] == [1, 1]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_every_way_arrow_writes_text_is_read(kind: pa.DataType) -> None:
    contacts = pa.RecordBatch.from_arrays(
        [pa.array(["a@x.com", None, "a@x.com"]).cast(kind)], names=["email"]
    )

    assert [row for row, _ in found(run(contacts, Family.GOOGLE))] == [0, 2]


def test_numbers_and_dates_are_read_as_they_print() -> None:
    contacts = pa.RecordBatch.from_pydict(
        {
            "phone": pa.array([16505551212]),
            "birth_date": pa.array([date(1990, 2, 3)]),
            "postal_code": pa.array([10001]),
        }
    )

    ((_, phone),) = found(run(contacts, Family.META))

    assert phone.digest.hex() == sha(Family.META, "phone", "+16505551212")
    assert unpack(phone.payload) == {
        "DOBY": sha(Family.META, "birth_year", "1990"),
        "DOBM": sha(Family.META, "birth_month", "2"),
        "DOBD": sha(Family.META, "birth_day", "3"),
        "ZIP": sha(Family.META, "postal_code", "10001"),
    }


def test_a_number_is_read_in_the_rows_country_else_the_default_and_never_in_a_country_not_understood() -> (
    None
):
    rows: list[Mapping[str, object]] = [
        {"phone": "020 7946 0958", "country": "UK"},
        {"phone": "(650) 555-1212", "country": None},
        {"phone": "(650) 555-1212", "country": " "},
        {"phone": "(650) 555-1212", "country": "Atlantis"},
        {"phone": "+44 20 7946 0958", "country": "Atlantis"},
    ]

    result = run(batch(*rows), Family.GOOGLE)

    london, california = (
        sha(Family.GOOGLE, "phone", number) for number in ("+442079460958", "+16505551212")
    )
    assert [(row, one.digest.hex()) for row, one in found(result)] == [
        (0, london),
        (1, california),
        (2, california),
        (4, london),
    ]
    assert (3, "phone", "no_country_for_number") in dropped(result)
    assert (3, "country", "unknown_country") in dropped(result)


def test_a_us_number_without_any_country_is_absent_with_the_reason() -> None:
    result = run(batch({"phone": "(650) 555-1212"}), Family.META, region=None)

    assert found(result) == []
    assert dropped(result) == [(0, "phone", "no_country_for_number")]


def test_an_address_needs_all_four_parts() -> None:
    whole = {"first_name": "Ann", "last_name": "Lee", "country": "DE", "postal_code": "10115"}
    rows: list[dict[str, object]] = [{**whole, missing: None} for missing in whole]

    result = run(batch(whole, *rows, dict.fromkeys(whole)), Family.GOOGLE)

    assert [(row, one.kind) for row, one in found(result)] == [(0, IdentifierKind.ADDRESS)]
    assert dropped(result) == [(row, "address", "incomplete_address") for row in (1, 2, 3, 4)]


def test_a_table_without_one_of_the_four_parts_has_no_addresses_and_nobody_to_blame() -> None:
    result = run(batch({"first_name": "Ann", "last_name": "Lee", "country": "DE"}), Family.GOOGLE)

    assert (found(result), dropped(result)) == ([], [])


def test_everything_dropped_has_its_reason_and_columns_not_used_are_not_mentioned() -> None:
    row = {
        "email": "x",
        "phone": "+1 2",
        "first_name": "?",
        "country": "Atlantis",
        "birth_date": "1990-02-30",
        "gender": "x",
        "city": " ",
        "mobile_ad_id": "x",
        "external_id": "",
    }

    assert dropped(run(batch(row), Family.GOOGLE)) == [
        (0, "email", "no_at_sign"),
        (0, "phone", "not_a_valid_number"),
        (0, "first_name", "empty"),
        (0, "country", "unknown_country"),
    ]
    assert sorted(dropped(run(batch(row), Family.META))) == [
        (0, "birth_date", "impossible_date"),
        (0, "city", "empty"),
        (0, "country", "unknown_country"),
        (0, "email", "no_at_sign"),
        (0, "external_id", "empty"),
        (0, "first_name", "empty"),
        (0, "gender", "not_m_or_f"),
        (0, "mobile_ad_id", "not_a_uuid"),
        (0, "phone", "not_a_valid_number"),
    ]


def test_hashed_columns_are_taken_where_a_hash_is_wanted_and_refused_where_not() -> None:
    email, name = sha(Family.META, "email", "a@x.com"), sha(Family.META, "first_name", "Ann")
    row = {
        "email": email.upper(),
        "first_name": name,
        "birth_date": name,
        "phone": "6505551212",
        "external_id": "7",
    }

    result = run(batch(row), Family.META, hashed=("email", "first_name", "birth_date", "external_id"))

    identifiers = [one for _, one in found(result)]
    assert [one.kind.name for one in identifiers] == ["EMAIL", "PHONE", "EXTERNAL_ID"]
    assert identifiers[0].digest.hex() == email
    assert unpack(identifiers[0].payload) == {"FN": name}
    assert dropped(result) == [(0, "birth_date", "needed_unhashed")]


def test_a_country_that_came_hashed_tells_nobody_where_a_number_is() -> None:
    row = {"phone": "(650) 555-1212", "country": sha(Family.META, "country", "us")}

    assert dropped(run(batch(row), Family.META, hashed=("country",))) == [
        (0, "phone", "no_country_for_number")
    ]


def test_a_bare_number_is_no_birth_date() -> None:
    result = run(batch({"email": "a@x.com", "birth_date": "7"}, {"birth_date": "1990"}), Family.META)

    assert [unpack(one.payload) for _, one in found(result)] == [{}]
    assert dropped(result) == [(0, "birth_date", "not_a_date"), (1, "birth_date", "not_a_date")]


def test_nothing_raw_leaves_but_what_platforms_want_raw() -> None:
    for family, plain in (
        (Family.GOOGLE, {"US", "10001-1234"}),
        (Family.META, {"E-1", ANN["mobile_ad_id"].lower()}),
    ):
        for _, one in found(run(batch(ANN), family)):
            for value in unpack(one.payload).values():
                assert value in plain or (len(value) == 64 and int(value, 16))


def test_the_payload_is_what_the_contract_says() -> None:
    ((_, email), *_) = found(run(batch(ANN), Family.META))

    assert list(json.loads(email.payload)) == sorted(json.loads(email.payload))
