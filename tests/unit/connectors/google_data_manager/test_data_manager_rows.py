"""A batch becomes the Data Manager's requests, within its limits."""

import hashlib

import pytest

from cohortd.core.delivery import Action, Batch
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.payloads import packed_identifier
from connectors.google_data_manager.rows import Account, unsendable, uploads

ACCOUNT = Account("1234567890", "9876543210")


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def person(name: str, *identifiers: Identifier) -> Member:
    return Member(digest(name)[:16], identifiers or (mail(name),))


def mail(name: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, digest(name))


def batch(action: Action, *members: Member) -> Batch:
    return Batch(1, "8000000001", action, members)


def test_an_add_carries_consent_terms_and_encoding() -> None:
    (upload,) = uploads(batch(Action.ADD, person("ann")), ACCOUNT)
    request = upload.request
    assert upload.method == "ingest_audience_members"
    assert request.consent.ad_user_data.name == request.consent.ad_personalization.name == "CONSENT_GRANTED"
    assert request.terms_of_service.customer_match_terms_of_service_status.name == "ACCEPTED"
    assert request.encoding.name == "HEX"


def test_a_removal_carries_the_identifiers_as_they_were_sent() -> None:
    (upload,) = uploads(batch(Action.REMOVE, person("ann")), ACCOUNT)
    assert upload.method == "remove_audience_members"
    assert upload.request.encoding.name == "HEX"
    (identifier,) = upload.request.audience_members[0].user_data.user_identifiers
    assert identifier.email_address == digest("ann").hex()


def test_the_destination_names_the_owner_the_door_and_the_list() -> None:
    (upload,) = uploads(batch(Action.ADD, person("ann")), ACCOUNT)
    (destination,) = upload.request.destinations
    assert destination.product_destination_id == "8000000001"
    assert destination.operating_account.account_id == "1234567890"
    assert destination.login_account.account_id == "9876543210"
    assert destination.operating_account.account_type.name == "GOOGLE_ADS"


def test_direct_access_names_no_login_account() -> None:
    (upload,) = uploads(batch(Action.ADD, person("ann")), Account("1"))
    assert "login_account" not in upload.request.destinations[0]


def test_every_kind_has_its_place() -> None:
    values = {"given_name": "a" * 64, "family_name": "b" * 64, "region_code": "DE", "postal_code": "10115"}
    phone = Identifier(IdentifierKind.PHONE, digest("phone"))
    address = packed_identifier(IdentifierKind.ADDRESS, values)
    (upload,) = uploads(batch(Action.ADD, person("ann", phone, address)), ACCOUNT)
    first, second = upload.request.audience_members[0].user_data.user_identifiers
    assert first.phone_number == digest("phone").hex()
    assert {key: getattr(second.address, key) for key in values} == values


@pytest.mark.parametrize(("identifiers", "rows"), [(1, 1), (10, 1), (11, 2), (25, 3)])
def test_a_person_of_many_identifiers_takes_several_rows(identifiers: int, rows: int) -> None:
    many = person("ann", *(mail(f"ann{number}") for number in range(identifiers)))
    (upload,) = uploads(batch(Action.ADD, person("bob"), many), ACCOUNT)
    assert upload.members == [0, *([1] * rows)]
    counts = [len(row.user_data.user_identifiers) for row in upload.request.audience_members[1:]]
    assert sum(counts) == identifiers
    assert max(counts) <= 10


def test_no_request_exceeds_ten_thousand_rows_and_no_person_spans_two() -> None:
    crowd = [person(str(number)) for number in range(9_999)]
    many = person("ann", *(mail(f"ann{number}") for number in range(20)))
    first, second = uploads(batch(Action.ADD, *crowd, many), ACCOUNT)
    assert len(first.request.audience_members) == 9_999
    assert second.members == [9_999, 9_999]


def test_kinds_that_need_lists_of_their_own_stay_here() -> None:
    other = packed_identifier(IdentifierKind.EXTERNAL_ID, {"id": "42"})
    mixed = batch(Action.ADD, person("ann", mail("ann"), other), person("eve", other))
    assert unsendable(mixed) == {1: "NO_SENDABLE_IDENTIFIER"}
    (upload,) = uploads(batch(Action.ADD, mixed.members[0]), ACCOUNT)
    assert len(upload.request.audience_members[0].user_data.user_identifiers) == 1
