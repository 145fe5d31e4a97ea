"""A batch becomes a job's operations, within the limits."""

import hashlib
from collections.abc import Iterator

import pytest

from cohortd.core.delivery import Action, Batch
from cohortd.core.errors import RejectedError, SettingsError
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.payloads import packed_identifier
from connectors.google_ads import jobs
from connectors.google_ads.client import AdsClient
from connectors.google_ads.operations import chunks, new_job, unsendable
from connectors.google_ads.options import GoogleAdsOptions


def mail(name: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, hashlib.sha256(name.encode()).digest())


def person(name: str, *identifiers: Identifier) -> Member:
    return Member(name.encode().ljust(16), identifiers or (mail(name),))


def batch(action: Action, *members: Member) -> Batch:
    return Batch(1, "8000000001", action, members)


@pytest.fixture
def client() -> Iterator[AdsClient]:
    client = AdsClient(GoogleAdsOptions("123-456-7890", endpoint="grpc://127.0.0.1:1"))
    yield client
    client.close()


def test_an_adding_job_carries_consent_and_a_removing_one_none(client: AdsClient) -> None:
    consents = client.enum("ConsentStatusEnum")
    adding = new_job(client, batch(Action.ADD, person("ann"))).job.customer_match_user_list_metadata
    assert adding.consent.ad_user_data == adding.consent.ad_personalization == consents.GRANTED
    assert adding.user_list == "customers/1234567890/userLists/8000000001"
    removing = new_job(client, batch(Action.REMOVE, person("ann"))).job.customer_match_user_list_metadata
    assert not removing.HasField("consent")


def test_every_kind_has_its_place(client: AdsClient) -> None:
    values = {"given_name": "a" * 64, "family_name": "b" * 64, "region_code": "DE", "postal_code": "10115"}
    phone = Identifier(IdentifierKind.PHONE, mail("phone").digest)
    address = packed_identifier(IdentifierKind.ADDRESS, values)
    (chunk,) = chunks(client, batch(Action.REMOVE, person("ann", mail("ann"), phone, address)), "job")
    assert chunk.request.enable_partial_failure
    first, second, third = chunk.request.operations[0].remove.user_identifiers
    assert first.hashed_email == mail("ann").digest.hex()
    assert second.hashed_phone_number == phone.digest.hex()
    assert third.address_info.hashed_first_name == "a" * 64
    assert third.address_info.country_code == "DE"


@pytest.mark.parametrize(("identifiers", "operations"), [(1, 1), (20, 1), (21, 2), (45, 3)])
def test_a_person_of_many_identifiers_takes_several_operations(
    client: AdsClient, identifiers: int, operations: int
) -> None:
    many = person("ann", *(mail(f"ann{number}") for number in range(identifiers)))
    (chunk,) = chunks(client, batch(Action.ADD, person("bob"), many), "job")
    assert chunk.members == [0, *([1] * operations)]
    assert max(len(each.create.user_identifiers) for each in chunk.request.operations) <= 20


def test_no_request_exceeds_ten_thousand_identifiers(client: AdsClient) -> None:
    crowd = [
        person(str(number), mail(f"a{number}"), mail(f"b{number}"), mail(f"c{number}"))
        for number in range(4000)
    ]
    found = list(chunks(client, batch(Action.ADD, *crowd), "job"))
    sizes = [sum(len(each.create.user_identifiers) for each in chunk.request.operations) for chunk in found]
    assert sizes == [9999, 2001]
    assert [member for chunk in found for member in chunk.members] == list(range(4000))


def test_kinds_that_need_lists_of_their_own_are_named() -> None:
    other = packed_identifier(IdentifierKind.MOBILE_AD_ID, {"id": "42"})
    assert unsendable(batch(Action.ADD, person("ann"), person("eve", other))) == {
        1: "NO_SENDABLE_IDENTIFIER"
    }


def test_what_is_pending_survives_the_ledger() -> None:
    pending = jobs.Pending("customers/1/offlineUserDataJobs/2", Action.ADD, 9, {3: "INVALID_ENCODING"})
    assert jobs.load(pending.dump()) == pending


@pytest.mark.parametrize(
    "text", ["", "{}", '{"job": "x\' OR 1", "action": "add", "members": 1, "rejected": {}}']
)
def test_another_connectors_request_is_refused(text: str) -> None:
    with pytest.raises(RejectedError):
        jobs.load(text)


def test_a_version_that_the_client_does_not_know_is_refused_at_once() -> None:
    with pytest.raises(SettingsError, match="v26"):
        AdsClient(GoogleAdsOptions("1", version="v1"))


def test_google_itself_is_not_called_to_make_a_client() -> None:
    client = AdsClient(GoogleAdsOptions("1", login_customer_id="2"))
    client.close()
