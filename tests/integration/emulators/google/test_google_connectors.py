"""The connectors over the emulated Google: what goes wrong there ends well here."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.ads import datamanager_v1 as dm
from google.auth.credentials import Credentials
from google_people import ACCOUNT, Clock, Start, add, address, digests, mail, person, remove

from cohortd.core.delivery import BatchState, RemoteSpec
from cohortd.core.errors import FatalError, RejectedError, RetryableError, SettingsError
from cohortd.core.identifiers import Identifier, IdentifierKind
from cohortd.core.payloads import packed_identifier
from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from connectors.google_access import GoogleAccess, GoogleIdentity
from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions
from connectors.protocol import Connector

SPEC = RemoteSpec("s1", "Regulars", "Buys often")
ANN, BOB = person("ann", mail("ann"), address("ann")), person("bob")

Make = Callable[[GoogleEmulator], Any]


def grpc_manager(emulator: GoogleEmulator) -> DataManagerConnector:
    return DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))


def rest_manager(emulator: GoogleEmulator) -> DataManagerConnector:
    return DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.http_endpoint))


def google_ads(emulator: GoogleEmulator) -> GoogleAdsConnector:
    return GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))


@pytest.fixture
def make() -> Iterator[Callable[[Any, GoogleEmulator], Any]]:
    made: list[Connector] = []

    def make(kind: Make, emulator: GoogleEmulator) -> Any:
        made.append(kind(emulator))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


@pytest.fixture(params=[grpc_manager, rest_manager, google_ads], ids=["grpc", "rest", "ads"])
def connector(request: pytest.FixtureRequest, emulator: GoogleEmulator, make: Any) -> Any:
    return make(request.param, emulator)


@pytest.fixture(params=[grpc_manager, rest_manager], ids=["grpc", "rest"])
def manager(request: pytest.FixtureRequest, emulator: GoogleEmulator, make: Any) -> Any:
    return make(request.param, emulator)


@pytest.fixture
def ads(emulator: GoogleEmulator, make: Any) -> Any:
    return make(google_ads, emulator)


def test_a_new_audience_is_made_as_asked(connector: Any, emulator: GoogleEmulator) -> None:
    connector.ensure(RemoteSpec("s1", "Regulars", "Buys often", membership_days=90))
    (made,) = emulator.audiences(ACCOUNT)
    assert made.name == "Regulars"
    assert made.attributes["description"] == "Buys often"
    assert made.attributes["integration_code"] == "cohortd:s1"
    assert made.attributes["membership_days"] == 90


def test_membership_lasts_as_long_as_google_allows_where_nobody_says(
    connector: Any, emulator: GoogleEmulator
) -> None:
    connector.ensure(SPEC)
    assert emulator.audiences(ACCOUNT)[0].attributes["membership_days"] == 540


def test_a_homonym_that_is_not_ours_is_never_adopted(connector: Any, emulator: GoogleEmulator) -> None:
    theirs = emulator.state.store.create(ACCOUNT, name="Regulars", attributes={"integration_code": "crm:7"})
    ours = connector.ensure(SPEC)
    assert ours != theirs.id
    assert [each.name for each in emulator.audiences(ACCOUNT)] == ["Regulars", "Regulars (2)"]
    assert connector.ensure(SPEC) == ours


def test_a_list_that_is_only_shared_with_us_is_not_ours(connector: Any, emulator: GoogleEmulator) -> None:
    attributes = {"integration_code": "cohortd:s1", "access_reason": "SHARED"}
    shared = emulator.state.store.create(ACCOUNT, name="Theirs", attributes=attributes)
    assert connector.ensure(SPEC) != shared.id


def test_a_name_that_is_taken_ten_times_over_is_for_a_person_to_change(
    connector: Any, emulator: GoogleEmulator
) -> None:
    for name in ["Regulars", *(f"Regulars ({number})" for number in range(2, 11))]:
        emulator.state.store.create(ACCOUNT, name=name)
    with pytest.raises(FatalError) as caught:
        connector.ensure(SPEC)
    assert caught.value.scope == "audience"


def test_a_name_that_google_does_not_take_stops_the_audience_only(connector: Any) -> None:
    with pytest.raises(FatalError) as caught:
        connector.ensure(RemoteSpec("s1", "", ""))
    assert caught.value.scope == "audience"
    with pytest.raises(FatalError) as caught:
        connector.ensure(RemoteSpec("s1", "VIP", "", membership_days=541))
    assert "540" in caught.value.cure


def test_an_audience_moves_from_one_api_to_the_other(emulator: GoogleEmulator, make: Any) -> None:
    legacy, manager = make(google_ads, emulator), make(grpc_manager, emulator)
    remote_id = legacy.ensure(SPEC)
    assert manager.ensure(SPEC) == remote_id
    legacy.apply(add(remote_id, ANN, BOB))
    manager.apply(remove(remote_id, ANN))
    assert emulator.members(ACCOUNT, remote_id) == digests(BOB)


def test_every_kind_of_identifier_arrives_as_it_was_sent(connector: Any, emulator: GoogleEmulator) -> None:
    remote_id = connector.ensure(SPEC)
    connector.apply(add(remote_id, ANN, BOB))
    assert emulator.members(ACCOUNT, remote_id) == digests(ANN, BOB)
    assert emulator.size(remote_id) == 2


def test_a_person_of_many_identifiers_stays_one_batchs_work(
    connector: Any, emulator: GoogleEmulator
) -> None:
    many = person("ann", *(mail(f"ann{number}") for number in range(45)))
    remote_id = connector.ensure(SPEC)
    connector.apply(add(remote_id, many, BOB))
    assert emulator.members(ACCOUNT, remote_id) == digests(many, BOB)
    connector.apply(remove(remote_id, many))
    assert emulator.members(ACCOUNT, remote_id) == digests(BOB)


def test_ten_thousand_members_go_in_one_request(manager: Any, emulator: GoogleEmulator) -> None:
    crowd = [person(str(number)) for number in range(10_000)]
    remote_id = manager.ensure(SPEC)
    receipt = manager.apply(add(remote_id, *crowd))
    assert emulator.calls["dm.audience_members.ingest"] == 1
    assert manager.poll(receipt.request).state is BatchState.CONFIRMED
    assert emulator.size(remote_id) == 10_000


def test_who_carries_nothing_sendable_is_named_before_anything_is_sent(
    connector: Any, emulator: GoogleEmulator
) -> None:
    other = person("eve", packed_identifier(IdentifierKind.EXTERNAL_ID, {"id": "42"}))
    with pytest.raises(RejectedError) as caught:
        connector.apply(add("1", ANN, other))
    assert caught.value.rows == {1: "NO_SENDABLE_IDENTIFIER"}
    assert not emulator.calls


def bad_address() -> Identifier:
    values = {"given_name": "0" * 64, "family_name": "0" * 64, "region_code": "de", "postal_code": "1"}
    return packed_identifier(IdentifierKind.ADDRESS, values)


def test_the_row_at_fault_is_named_and_nothing_else_was_done(
    manager: Any, emulator: GoogleEmulator
) -> None:
    remote_id = manager.ensure(SPEC)
    many = person("many", *(mail(f"m{number}") for number in range(12)))
    with pytest.raises(RejectedError) as caught:
        manager.apply(add(remote_id, many, BOB, person("eve", bad_address())))
    assert caught.value.rows == {2: "INVALID_REGION_CODE"}
    assert emulator.members(ACCOUNT, remote_id) == frozenset()


def test_a_job_goes_on_without_the_rows_at_fault(ads: Any, emulator: GoogleEmulator) -> None:
    remote_id = ads.ensure(SPEC)
    receipt = ads.apply(add(remote_id, BOB, person("eve", bad_address())))
    assert receipt.rejected == {1: "INVALID_COUNTRY_CODE"}
    done = ads.poll(receipt.request)
    assert (done.state, done.rejected) == (BatchState.CONFIRMED, {1: "INVALID_COUNTRY_CODE"})
    assert emulator.members(ACCOUNT, remote_id) == digests(BOB)


def test_a_job_of_bad_rows_only_is_not_run(ads: Any, emulator: GoogleEmulator) -> None:
    remote_id = ads.ensure(SPEC)
    with pytest.raises(RejectedError) as caught:
        ads.apply(add(remote_id, person("eve", bad_address())))
    assert caught.value.rows == {0: "INVALID_COUNTRY_CODE"}
    assert emulator.calls["ads.jobs.run"] == 0


def test_who_was_taken_in_part_is_on_the_platform(ads: Any) -> None:
    half = person("half", *(mail(f"h{number}") for number in range(20)), bad_address())
    remote_id = ads.ensure(SPEC)
    assert ads.apply(add(remote_id, half, BOB)).rejected == {}
    assert ads.apply(remove(remote_id, half, BOB)).rejected == {0: "INVALID_COUNTRY_CODE"}


def test_a_big_batch_fills_its_job_in_several_requests(ads: Any, emulator: GoogleEmulator) -> None:
    crowd = [person(str(number)) for number in range(12_000)]
    remote_id = ads.ensure(SPEC)
    ads.apply(add(remote_id, *crowd))
    assert emulator.calls["ads.jobs.add"] == 3
    assert emulator.size(remote_id) == 12_000


def test_accepted_is_not_confirmed_until_google_is_done(start: Start, clock: Clock, make: Any) -> None:
    emulator = start(GoogleRules(delay_s=1800))
    for kind, name in ((grpc_manager, "s1"), (google_ads, "s2")):
        connector = make(kind, emulator)
        remote_id = connector.ensure(RemoteSpec(name, name, ""))
        receipt = connector.apply(add(remote_id, ANN))
        assert connector.poll(receipt.request).state is BatchState.ACCEPTED
        assert emulator.members(ACCOUNT, remote_id) == frozenset()
        clock.pass_time(1801)
        assert connector.poll(receipt.request).state is BatchState.CONFIRMED
        assert emulator.members(ACCOUNT, remote_id) == digests(ANN)


def processing(kind: FaultKind, code: str) -> Fault:
    return Fault(call="*.processing", kind=kind, code=code, share=0.5)


def test_half_of_an_upload_that_fell_out_is_counted_not_named(
    manager: Any, emulator: GoogleEmulator
) -> None:
    remote_id = manager.ensure(SPEC)
    emulator.faults.add(processing(FaultKind.HALF_APPLY, "INVALID_FORMAT"))
    done = manager.poll(manager.apply(add(remote_id, ANN, BOB)).request)
    assert (done.state, done.unattributed) == (BatchState.CONFIRMED, {"INVALID_FORMAT": 1})
    emulator.faults.add(processing(FaultKind.HALF_APPLY, "INTERNAL_ERROR"))
    done = manager.poll(manager.apply(remove(remote_id, ANN, BOB)).request)
    assert (done.state, done.unattributed) == (BatchState.REJECTED, {"INTERNAL_ERROR": 1})


def test_an_upload_that_failed_whole_is_rejected(manager: Any, emulator: GoogleEmulator) -> None:
    remote_id = manager.ensure(SPEC)
    emulator.faults.add(processing(FaultKind.ERROR, "DENIED_CONSENT"))
    done = manager.poll(manager.apply(add(remote_id, ANN, BOB)).request)
    assert (done.state, done.unattributed) == (BatchState.REJECTED, {"DENIED_CONSENT": 2})


def test_of_a_failed_job_everybody_may_be_there(ads: Any, emulator: GoogleEmulator) -> None:
    remote_id = ads.ensure(SPEC)
    for batch, state in ((add, BatchState.CONFIRMED), (remove, BatchState.REJECTED)):
        emulator.faults.add(processing(FaultKind.ERROR, "INTERNAL_ERROR"))
        done = ads.poll(ads.apply(batch(remote_id, ANN, BOB)).request)
        assert done.state is state
        assert sum(done.unattributed.values()) == 2


@pytest.mark.parametrize("call", ["ads.jobs.create", "ads.jobs.add", "ads.jobs.run"])
def test_a_job_lost_at_any_step_is_made_again(ads: Any, emulator: GoogleEmulator, call: str) -> None:
    remote_id = ads.ensure(SPEC)
    emulator.faults.add(Fault(call=call, kind=FaultKind.DROP_AFTER))
    with pytest.raises(RetryableError):
        ads.apply(add(remote_id, ANN))
    ads.apply(add(remote_id, ANN))
    assert emulator.members(ACCOUNT, remote_id) == digests(ANN)


def test_concurrent_work_on_a_list_is_tried_again(ads: Any, emulator: GoogleEmulator) -> None:
    fault = Fault(call="ads.jobs.add", status="ABORTED", code="database_error.CONCURRENT_MODIFICATION")
    emulator.faults.add(fault)
    with pytest.raises(RetryableError):
        ads.apply(add(ads.ensure(SPEC), ANN))


def test_the_newcomer_is_told_to_go_to_the_data_manager(start: Start, make: Any) -> None:
    ads = make(google_ads, start(GoogleRules(jobs_allowed=False)))
    with pytest.raises(FatalError) as caught:
        ads.apply(add(ads.ensure(SPEC), ANN))
    assert "google_data_manager" in caught.value.cure


def test_terms_that_nobody_accepted_stop_the_destination(start: Start, make: Any) -> None:
    emulator = start(GoogleRules(terms_accepted=False))
    for kind, name in ((grpc_manager, "s1"), (rest_manager, "s2"), (google_ads, "s3")):
        connector = make(kind, emulator)
        remote_id = connector.ensure(RemoteSpec(name, name, ""))
        with pytest.raises(FatalError) as caught:
            connector.apply(add(remote_id, ANN))
        assert caught.value.scope == "destination"
        assert "terms" in caught.value.cure


def test_an_account_without_access_is_shown_by_the_check(start: Start, make: Any) -> None:
    emulator = start(GoogleRules(accounts=frozenset({"42"})))
    for kind in (grpc_manager, rest_manager, google_ads):
        lines = make(kind, emulator).check()
        assert [line.ok for line in lines] == [True, False]
        assert "access" in lines[1].cure


def test_the_check_makes_nothing(connector: Any, emulator: GoogleEmulator) -> None:
    assert all(line.ok for line in connector.check())
    assert emulator.audiences() == []


def test_a_request_that_google_forgot_is_sent_again(connector: Any, emulator: GoogleEmulator) -> None:
    receipt = connector.apply(add(connector.ensure(SPEC), ANN))
    other = json.loads(receipt.request)
    if "ids" in other:
        other["ids"] = ["never-heard-of"]
    else:
        other["job"] = f"customers/{ACCOUNT}/offlineUserDataJobs/99"
    with pytest.raises(RejectedError):
        connector.poll(json.dumps(other))


def test_reading_never_breaks_a_sync(connector: Any, emulator: GoogleEmulator) -> None:
    remote_id = connector.ensure(SPEC)
    emulator.faults.add(Fault(call="*", kind=FaultKind.ERROR, status=500))
    assert connector.read(remote_id).state == "not readable"
    assert connector.read("7000000000").state == "gone"


def test_reading_shows_size_state_and_use(connector: Any) -> None:
    remote_id = connector.ensure(SPEC)
    assert connector.read(remote_id).size_upper is None
    connector.apply(add(remote_id, *(person(str(number)) for number in range(100))))
    status = connector.read(remote_id)
    assert (status.size_lower, status.size_upper, status.state, status.usable) == (100, 100, "open", True)


def test_filters_may_be_unknown_on_the_other_side(connector: Any, emulator: GoogleEmulator) -> None:
    remote_id = connector.ensure(SPEC)
    for code in ("INVALID_FILTER", "query_error.UNEXPECTED_INPUT"):
        call = "dm.user_lists.list" if code == "INVALID_FILTER" else "ads.search"
        emulator.faults.add(Fault(call=call, status="INVALID_ARGUMENT", code=code))
    assert connector.ensure(SPEC) == remote_id


def test_lists_may_not_be_there_at_all_on_the_other_side(connector: Any, emulator: GoogleEmulator) -> None:
    for call in ("dm.user_lists.list", "ads.search"):
        emulator.faults.add(Fault(call=call, status="UNIMPLEMENTED", times=None))
    assert connector.ensure(SPEC)


def test_faults_are_drawn_from_one_schedule(start: Start, make: Any) -> None:
    faults = FaultSchedule([Fault(call="dm.audience_members.*", status=503, times=2)])
    manager = make(grpc_manager, start(faults=faults))
    remote_id = manager.ensure(SPEC)
    for _ in range(2):
        with pytest.raises(RetryableError):
            manager.apply(add(remote_id, ANN))
    assert manager.apply(add(remote_id, ANN)).state is BatchState.ACCEPTED


def test_nothing_is_logged_of_people_even_at_debug(
    connector: Any, emulator: GoogleEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    remote_id = connector.ensure(SPEC)
    connector.apply(add(remote_id, ANN))
    with pytest.raises((RejectedError, FatalError)):
        connector.apply(add(remote_id, person("eve", bad_address())))
    assert not any(each[:16] in caplog.text for each in digests(ANN))


def test_plain_text_is_kept_on_this_machine() -> None:
    with pytest.raises(SettingsError, match="not on this machine"):
        DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint="grpc://10.1.2.3:443"))
    with pytest.raises(SettingsError):
        GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint="http://127.0.0.1:80"))


class Token(Credentials):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.token: str | None = None
        self.refreshed = 0

    def refresh(self, request: object) -> None:
        self.refreshed += 1
        self.token = f"token-{self.refreshed}"


@pytest.fixture(params=["grpc", "ads"])
def with_token(request: pytest.FixtureRequest, emulator: GoogleEmulator) -> Iterator[tuple[Any, Token]]:
    """A connector that has a real token to lose, before the stand-in."""
    token = Token()
    access = GoogleAccess(GoogleIdentity(), scope="s", endpoint=None, load=lambda: token)
    connector: Any
    if request.param == "grpc":
        options = DataManagerOptions(ACCOUNT, endpoint=emulator.grpc_endpoint)
        connector = DataManagerConnector(options, access=access)
    else:
        connector = GoogleAdsConnector(
            GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint), access=access
        )
    yield connector, token
    connector.close()


def test_a_token_that_google_refuses_is_renewed_once(
    with_token: tuple[Any, Token], emulator: GoogleEmulator
) -> None:
    connector, token = with_token
    emulator.faults.add(Fault(kind=FaultKind.TOKEN_EXPIRED))
    with pytest.raises(RetryableError):
        connector.ensure(SPEC)
    assert connector.ensure(SPEC)
    assert token.refreshed == 2


def test_a_new_token_that_google_refuses_as_well_is_for_a_person(
    with_token: tuple[Any, Token], emulator: GoogleEmulator
) -> None:
    connector, _token = with_token
    emulator.faults.add(Fault(kind=FaultKind.TOKEN_EXPIRED, times=2))
    with pytest.raises(RetryableError):
        connector.ensure(SPEC)
    with pytest.raises(FatalError) as caught:
        connector.ensure(SPEC)
    assert caught.value.scope == "destination"


def test_a_stand_in_may_know_only_the_streaming_search(ads: Any, emulator: GoogleEmulator) -> None:
    remote_id = ads.ensure(SPEC)
    emulator.faults.add(Fault(call="ads.search", status="UNIMPLEMENTED", times=None))
    assert ads.ensure(SPEC) == remote_id
    receipt = ads.apply(add(remote_id, ANN))
    assert ads.poll(receipt.request).state is BatchState.CONFIRMED
    emulator.faults.add(Fault(call="ads.search_stream", status=503))
    with pytest.raises(RetryableError):
        ads.poll(receipt.request)


def test_clients_of_google_itself_are_made_without_calling_anybody() -> None:
    access = GoogleAccess(GoogleIdentity(), scope="s", endpoint=None, load=Token)
    ads = GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, login_customer_id="42"), access=access)
    assert ads._client._service("UserListService")
    ads.close()
    manager = DataManagerConnector(DataManagerOptions(ACCOUNT), access=access)
    assert manager._client._make(dm.IngestionServiceClient, Token()).transport.host.startswith(
        "datamanager"
    )
    other = DataManagerConnector(
        DataManagerOptions(ACCOUNT, endpoint="https://door.example"), access=access
    )
    transport = other._client._make(dm.UserListServiceClient, Token()).transport
    assert (transport.kind, transport.host) == ("rest", "https://door.example")
