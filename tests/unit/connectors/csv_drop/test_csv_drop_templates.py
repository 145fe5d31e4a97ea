"""Members as rows of the two platforms' own files."""

import pytest

from cohortd.core.identifiers import Family, Identifier, IdentifierKind, Member
from cohortd.core.payloads import pack, packed_identifier
from connectors.contract_kit import digest_of_text, person
from connectors.csv_drop.templates import TEMPLATES, table_of, without

GOOGLE, META = TEMPLATES[Family.GOOGLE], TEMPLATES[Family.META]
HASHES = [digest_of_text(str(number)).hex() for number in range(4)]
UUID = "aece52e7-03ee-455a-b3c4-e57283966239"


def _member(*identifiers: Identifier) -> Member:
    return Member(b"k" * 16, identifiers)


def _email(number: int, **profile: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, digest_of_text(str(number)), pack(profile))


def _address(**changes: str) -> Identifier:
    address = {
        "given_name": HASHES[0],
        "family_name": HASHES[1],
        "region_code": "GB",
        "postal_code": "SW1A 1AA",
    }
    return packed_identifier(IdentifierKind.ADDRESS, address | changes)


def test_the_headers_are_those_that_the_platforms_name() -> None:
    assert GOOGLE.header == ("Email", "Phone", "First Name", "Last Name", "Country", "Zip")
    assert META.header == (
        *("email", "phone", "madid", "fn", "ln", "zip", "ct", "st", "country", "doby", "gen"),
    )


def test_a_person_is_one_row_with_all_they_have() -> None:
    phone = Identifier(IdentifierKind.PHONE, digest_of_text("2"))
    table = table_of(GOOGLE, [_member(_email(3), phone, _address())])

    assert table.rows == [[HASHES[3], HASHES[2], HASHES[0], HASHES[1], "GB", "SW1A 1AA"]]


def test_further_emails_have_rows_of_their_own() -> None:
    two = _member(_email(0), _email(1), Identifier(IdentifierKind.PHONE, digest_of_text("2")))
    google, meta = table_of(GOOGLE, [two]).rows, table_of(META, [two]).rows

    assert [row[:2] for row in google] == [[HASHES[0], HASHES[2]], [HASHES[1], ""]]
    assert [row[:2] for row in meta] == [[HASHES[0], HASHES[2]], [HASHES[1], HASHES[2]]]


def test_a_profile_stands_in_its_columns_and_what_has_none_is_left_out() -> None:
    rows = table_of(META, [_member(_email(0, FN=HASHES[1], DOBD=HASHES[2], GEN=HASHES[3]))]).rows

    assert dict(zip(META.header, rows[0], strict=True)) == {
        **dict.fromkeys(META.header, ""),
        "email": HASHES[0],
        "fn": HASHES[1],
        "gen": HASHES[3],
    }


def test_a_mobile_id_stands_as_it_is() -> None:
    table = table_of(META, [_member(packed_identifier(IdentifierKind.MOBILE_AD_ID, {"id": UUID}))])

    assert table.rows[0][2] == UUID


@pytest.mark.parametrize(
    "changes",
    [
        {"postal_code": '=HYPERLINK("x")'},
        {"postal_code": "+1"},
        {"postal_code": "-2"},
        {"postal_code": "@SUM(1)"},
        {"postal_code": "\t=1"},
        {"postal_code": "1\n=1"},
        {"postal_code": "\uff1d1"},
        {"postal_code": ""},
        {"region_code": "=1"},
        {"region_code": "gb"},
        {"given_name": "=1"},
    ],
)
def test_an_address_that_a_spreadsheet_could_run_is_not_written_and_the_rest_is(
    changes: dict[str, str],
) -> None:
    table = table_of(GOOGLE, [_member(_email(3), _address(**changes))])

    assert table.rows == [[HASHES[3], "", "", "", "", ""]]


def test_whoever_has_nothing_that_fits_is_named() -> None:
    strange = _member(packed_identifier(IdentifierKind.EXTERNAL_ID, {"id": "=1"}))
    for template in (GOOGLE, META):
        table = table_of(template, [person(1), strange])

        assert table.absent == [1]
        assert len(table.rows) == 1


def test_taking_one_identifier_out_leaves_the_others_of_its_row() -> None:
    rows = table_of(GOOGLE, [_member(_email(0), _address()), _member(_email(1))]).rows
    left = without(GOOGLE, rows, {("Email", HASHES[0]), ("Email", HASHES[1])})

    assert left == [["", "", HASHES[0], HASHES[1], "GB", "SW1A 1AA"]]
