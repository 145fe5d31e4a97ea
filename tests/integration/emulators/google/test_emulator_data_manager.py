"""The emulated Data Manager is as strict as documented, for the vendor's client over both transports."""

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.ads import datamanager_v1 as dm
from google.api_core import exceptions as api_errors
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.protobuf import duration_pb2, timestamp_pb2
from google_people import ACCOUNT, Clock, digest

from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules

PARENT = f"accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}"
MAIL = digest("ann").hex()
REFUSED = (api_errors.BadRequest, api_errors.Conflict)

Make = Callable[[Any], Any]


@pytest.fixture(params=["grpc", "rest"])
def make(request: pytest.FixtureRequest, emulator: GoogleEmulator) -> Iterator[Make]:
    made: list[Any] = []

    def make(kind: Any) -> Any:
        if request.param == "grpc":
            channel = grpc.insecure_channel(emulator.grpc_endpoint.removeprefix("grpc://"))
            made.append(kind(transport=kind.get_transport_class("grpc")(channel=channel)))
        else:
            options = ClientOptions(api_endpoint=emulator.http_endpoint)
            made.append(kind(transport="rest", credentials=AnonymousCredentials(), client_options=options))
        return made[-1]

    yield make
    for client in made:
        client.transport.close()


@pytest.fixture
def ingestion(make: Make) -> Any:
    return make(dm.IngestionServiceClient)


@pytest.fixture
def lists(make: Make) -> Any:
    return make(dm.UserListServiceClient)


@pytest.fixture
def list_id(emulator: GoogleEmulator) -> str:
    return emulator.state.store.create(ACCOUNT, name="VIP").id


def user_list(**values: Any) -> Any:
    info = dm.IngestedUserListInfo(upload_key_types=[dm.IngestedUserListInfo.UploadKeyType.CONTACT_ID])
    return dm.UserList(**{"display_name": "VIP", "ingested_user_list_info": info, **values})


def member(*identifiers: Any) -> Any:
    found = [
        dm.UserIdentifier(email_address=each) if isinstance(each, str) else each for each in identifiers
    ]
    return dm.AudienceMember(user_data=dm.UserData(user_identifiers=found))


def destination(list_id: str, account: str = ACCOUNT) -> Any:
    owner = dm.ProductAccount(account_id=account, account_type=dm.ProductAccount.AccountType.GOOGLE_ADS)
    return dm.Destination(operating_account=owner, product_destination_id=list_id)


def ingest(list_id: str, *members: Any, **changes: Any) -> Any:
    granted = dm.ConsentStatus.CONSENT_GRANTED
    accepted = dm.TermsOfServiceStatus.ACCEPTED
    values = {
        "destinations": [destination(list_id)],
        "audience_members": members or [member(MAIL)],
        "consent": dm.Consent(ad_user_data=granted, ad_personalization=granted),
        "encoding": dm.Encoding.HEX,
        "terms_of_service": dm.TermsOfService(customer_match_terms_of_service_status=accepted),
    }
    return dm.IngestAudienceMembersRequest(**{**values, **changes})


def reasons(error: api_errors.GoogleAPICallError) -> set[str]:
    found = set()
    for detail in error.details:
        if isinstance(detail, dict):
            found |= {each.get("reason") for each in detail.get("fieldViolations", [])} | {
                detail.get("reason")
            }
        else:
            found |= {each.reason for each in getattr(detail, "field_violations", [])}
            found |= {getattr(detail, "reason", None)}
    return {each for each in found if each}


def addressed(**changes: str) -> Any:
    values = {
        "given_name": MAIL,
        "family_name": MAIL,
        "region_code": "DE",
        "postal_code": "10115",
        **changes,
    }
    return dm.UserIdentifier(address=dm.AddressInfo(**values))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (member("nohex" * 13), "INVALID_HEX_ENCODING"),
        (member("ab" * 31), "INVALID_SHA256_FORMAT"),
        (member(), "REQUIRED_FIELD_MISSING"),
        (member(dm.UserIdentifier()), "REQUIRED_FIELD_MISSING"),
        (member(*[MAIL] * 11), "TOO_MANY_USER_IDENTIFIERS"),
        (member(addressed(postal_code="")), "REQUIRED_FIELD_MISSING"),
        (member(addressed(region_code="")), "REQUIRED_FIELD_MISSING"),
        (member(addressed(region_code="Germany")), "INVALID_REGION_CODE"),
        (member(addressed(given_name="Ann")), "INVALID_HEX_ENCODING"),
        (dm.AudienceMember(mobile_data=dm.MobileData(mobile_ids=["x"])), "MULTIPLE_DATA_TYPES_NOT_ALLOWED"),
    ],
)
def test_one_bad_row_refuses_the_whole_request(
    ingestion: Any, emulator: GoogleEmulator, list_id: str, bad: Any, reason: str
) -> None:
    with pytest.raises(api_errors.BadRequest) as caught:
        ingestion.ingest_audience_members(ingest(list_id, member(MAIL), bad))
    assert reason in reasons(caught.value)
    assert emulator.members(ACCOUNT, list_id) == frozenset()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"encoding": dm.Encoding.ENCODING_UNSPECIFIED}, "REQUIRED_FIELD_MISSING"),
        ({"terms_of_service": None}, "TERMS_AND_CONDITIONS_NOT_SIGNED"),
        ({"destinations": []}, "REQUIRED_FIELD_MISSING"),
        ({"destinations": [destination("7")] * 11}, "TOO_MANY_DESTINATIONS"),
        ({"destinations": [destination("7000000000")]}, "INVALID_USER_LIST_ID"),
        ({"destinations": [destination("7", "")]}, "INVALID_DESTINATION"),
        ({"audience_members": []}, "REQUIRED_FIELD_MISSING"),
        ({"audience_members": [member(MAIL)] * 10_001}, "TOO_MANY_AUDIENCE_MEMBERS"),
    ],
)
def test_a_request_must_be_whole(ingestion: Any, list_id: str, changes: Any, reason: str) -> None:
    with pytest.raises(api_errors.BadRequest) as caught:
        ingestion.ingest_audience_members(ingest(list_id, **changes))
    assert reason in reasons(caught.value)


def test_another_accounts_list_cannot_be_fed(ingestion: Any, emulator: GoogleEmulator) -> None:
    foreign = emulator.state.store.create("42", name="theirs").id
    with pytest.raises(api_errors.BadRequest) as caught:
        ingestion.ingest_audience_members(ingest(foreign))
    assert "INVALID_USER_LIST_ID" in reasons(caught.value)


def test_a_closed_list_takes_nobody_in_but_lets_people_go(
    ingestion: Any, emulator: GoogleEmulator, list_id: str
) -> None:
    ingestion.ingest_audience_members(ingest(list_id))
    emulator.state.store.update(list_id, attributes={"closed": True})
    with pytest.raises(api_errors.BadRequest):
        ingestion.ingest_audience_members(ingest(list_id))
    request = dm.RemoveAudienceMembersRequest(
        destinations=[destination(list_id)], audience_members=[member(MAIL)], encoding=dm.Encoding.HEX
    )
    ingestion.remove_audience_members(request)
    assert emulator.members(ACCOUNT, list_id) == frozenset()


def test_composite_data_and_base64_mean_the_same_people(
    ingestion: Any, emulator: GoogleEmulator, list_id: str
) -> None:
    text = base64.b64encode(digest("ann")).decode()
    user_data = dm.UserData(user_identifiers=[dm.UserIdentifier(email_address=text)])
    composite = dm.AudienceMember(composite_data=dm.CompositeData(user_data=user_data))
    ingestion.ingest_audience_members(ingest(list_id, composite, encoding=dm.Encoding.BASE64))
    assert emulator.members(ACCOUNT, list_id) == {MAIL}


def test_rows_without_consent_are_left_out_while_processing(
    ingestion: Any, emulator: GoogleEmulator, list_id: str
) -> None:
    denied = member(digest("bob").hex())
    denied.consent = dm.Consent(
        ad_user_data=dm.ConsentStatus.CONSENT_DENIED, ad_personalization=dm.ConsentStatus.CONSENT_GRANTED
    )
    answer = ingestion.ingest_audience_members(ingest(list_id, member(MAIL), denied))
    status = ingestion.retrieve_request_status(request={"request_id": answer.request_id})
    (part,) = status.request_status_per_destination
    assert part.request_status.name == "PARTIAL_SUCCESS"
    assert [(each.reason.name, each.record_count) for each in part.error_info.error_counts] == [
        ("PROCESSING_ERROR_REASON_DENIED_CONSENT", 1)
    ]
    assert part.audience_members_ingestion_status.user_data_ingestion_status.record_count == 2
    assert emulator.members(ACCOUNT, list_id) == {MAIL}


def test_nobody_consented_is_failure(ingestion: Any, list_id: str) -> None:
    answer = ingestion.ingest_audience_members(ingest(list_id, consent=None))
    status = ingestion.retrieve_request_status(request={"request_id": answer.request_id})
    assert status.request_status_per_destination[0].request_status.name == "FAILED"


def test_a_rehearsal_changes_nothing(ingestion: Any, emulator: GoogleEmulator, list_id: str) -> None:
    answer = ingestion.ingest_audience_members(ingest(list_id, validate_only=True))
    assert answer.request_id == ""
    assert emulator.members(ACCOUNT, list_id) == frozenset()


def test_everybody_can_be_taken_out_at_once_but_not_in_the_future(
    ingestion: Any, emulator: GoogleEmulator, list_id: str, clock: Clock
) -> None:
    ingestion.ingest_audience_members(ingest(list_id))
    later = timestamp_pb2.Timestamp(seconds=int(clock.now.timestamp()) + 60)
    request = dm.RemoveAllAudienceMembersRequest(
        destinations=[destination(list_id)], remove_as_of_time=later
    )
    with pytest.raises(api_errors.BadRequest):
        ingestion.remove_all_audience_members(request)
    answer = ingestion.remove_all_audience_members(request={"destinations": [destination(list_id)]})
    assert emulator.members(ACCOUNT, list_id) == frozenset()
    status = ingestion.retrieve_request_status(request={"request_id": answer.request_id})
    assert status.request_status_per_destination[0].request_status.name == "SUCCESS"


def test_only_those_last_added_before_a_time_are_taken_out(
    ingestion: Any, emulator: GoogleEmulator, list_id: str, clock: Clock
) -> None:
    emulator.state.store.add(list_id, [frozenset({"email:00"})])
    clock.now += timedelta(hours=1)
    as_of = timestamp_pb2.Timestamp(seconds=int(clock.now.timestamp()))
    ingestion.ingest_audience_members(ingest(list_id))
    request = dm.RemoveAllAudienceMembersRequest(
        destinations=[destination(list_id)], remove_as_of_time=as_of
    )
    ingestion.remove_all_audience_members(request)

    assert emulator.members(ACCOUNT, list_id) == {MAIL}


def test_an_unknown_request_has_no_status(ingestion: Any) -> None:
    with pytest.raises(api_errors.BadRequest) as caught:
        ingestion.retrieve_request_status(request={"request_id": "never-heard-of"})
    assert "INVALID_REQUEST_ID" in reasons(caught.value)


def test_one_request_may_feed_several_lists(ingestion: Any, emulator: GoogleEmulator, list_id: str) -> None:
    other = emulator.state.store.create(ACCOUNT, name="More").id
    answer = ingestion.ingest_audience_members(
        ingest(list_id, destinations=[destination(list_id), destination(other)])
    )
    status = ingestion.retrieve_request_status(request={"request_id": answer.request_id})
    ids = [each.destination.product_destination_id for each in status.request_status_per_destination]
    assert ids == [list_id, other]
    assert emulator.members(ACCOUNT, other) == {MAIL}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"display_name": ""}, "REQUIRED_FIELD_MISSING"),
        ({"ingested_user_list_info": None}, "REQUIRED_FIELD_MISSING"),
        ({"membership_duration": duration_pb2.Duration(seconds=3600)}, "INVALID_ARGUMENT"),
        (
            {"membership_duration": duration_pb2.Duration(seconds=541 * 86_400)},
            "MEMBERSHIP_DURATION_TOO_LONG",
        ),
    ],
)
def test_a_list_must_be_well_made(lists: Any, changes: Any, reason: str) -> None:
    with pytest.raises(REFUSED) as caught:
        lists.create_user_list(parent=PARENT, user_list=user_list(**changes))
    assert reason in reasons(caught.value)


def test_a_name_is_taken_once_an_account(lists: Any) -> None:
    lists.create_user_list(parent=PARENT, user_list=user_list())
    lists.create_user_list(parent=PARENT.replace(ACCOUNT, "42"), user_list=user_list())
    with pytest.raises(REFUSED) as caught:
        lists.create_user_list(parent=PARENT, user_list=user_list())
    assert "DISPLAY_NAME_ALREADY_USED" in reasons(caught.value)


def test_a_list_is_shown_changed_and_forgotten(lists: Any) -> None:
    made = lists.create_user_list(
        parent=PARENT,
        user_list=user_list(description="d", membership_duration=duration_pb2.Duration(seconds=86_400)),
    )
    assert made.name == f"{PARENT}/userLists/{made.id}"
    closed = dm.UserList.MembershipStatus.CLOSED
    changed = dm.UserList(name=made.name, membership_status=closed, display_name="Others")
    lists.update_user_list(user_list=changed, update_mask={"paths": ["membership_status", "display_name"]})
    shown = lists.get_user_list(name=made.name)
    assert (shown.display_name, shown.description, shown.membership_status) == ("Others", "d", closed)
    assert shown.membership_duration.days == 1
    lists.delete_user_list(name=made.name)
    with pytest.raises(api_errors.NotFound):
        lists.get_user_list(name=made.name)


def test_what_cannot_be_changed_is_refused(lists: Any) -> None:
    made = lists.create_user_list(parent=PARENT, user_list=user_list())
    with pytest.raises(api_errors.BadRequest) as caught:
        lists.update_user_list(user_list=dm.UserList(name=made.name), update_mask={"paths": ["id"]})
    assert "INVALID_UPDATE_MASK" in reasons(caught.value)


def test_lists_come_in_pages_and_by_filter(lists: Any) -> None:
    for number in range(5):
        lists.create_user_list(
            parent=PARENT, user_list=user_list(display_name=f"n{number}", integration_code=f"c{number % 2}")
        )
    pages = list(lists.list_user_lists(request={"parent": PARENT, "page_size": 2}).pages)
    assert [len(page.user_lists) for page in pages] == [2, 2, 1]
    wanted = 'integration_code = "c1" AND access_reason = OWNED'
    found = lists.list_user_lists(request={"parent": PARENT, "filter": wanted})
    assert [each.display_name for each in found] == ["n1", "n3"]
    others = lists.list_user_lists(request={"parent": PARENT, "filter": 'display_name != "n0"'})
    assert len(list(others)) == 4


@pytest.mark.parametrize("text", ["colour = red", "id", 'id = "1" OR id = "2"', 'id = "1" AND'])
def test_a_filter_that_is_none_is_refused(lists: Any, text: str) -> None:
    with pytest.raises(api_errors.BadRequest) as caught:
        list(lists.list_user_lists(request={"parent": PARENT, "filter": text}))
    assert "INVALID_FILTER" in reasons(caught.value)


def test_accounts_we_may_not_see_are_denied(make: Make, emulator: GoogleEmulator) -> None:
    emulator.state.rules = GoogleRules(accounts=frozenset({"42"}))
    with pytest.raises(api_errors.Forbidden):
        make(dm.UserListServiceClient).list_user_lists(parent=PARENT)


def test_a_pages_answer_is_not_json_over_rest(make: Make, emulator: GoogleEmulator) -> None:
    emulator.faults.add(Fault(call="dm.user_lists.list", kind=FaultKind.ERROR, status=502, body="<html>"))
    with pytest.raises(api_errors.ServerError):
        make(dm.UserListServiceClient).list_user_lists(parent=PARENT, retry=None)


def test_size_and_use_are_shown_once_something_was_processed(
    lists: Any, ingestion: Any, emulator: GoogleEmulator, list_id: str
) -> None:
    name = f"{PARENT}/userLists/{list_id}"
    assert "size_info" not in lists.get_user_list(name=name)
    ingestion.ingest_audience_members(ingest(list_id, *(member(digest(str(n)).hex()) for n in range(100))))
    shown = lists.get_user_list(name=name)
    assert shown.size_info.search_network_members_count == emulator.size(list_id) == 100
    assert shown.target_network_info.eligible_for_search
