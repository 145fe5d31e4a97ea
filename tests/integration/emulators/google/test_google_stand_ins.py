"""Tokens, doors, logs, and other people's stand-ins that know less than ours."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from google.ads import datamanager_v1 as dm
from google.auth.credentials import Credentials
from google_people import (
    ACCOUNT,
    ANN,
    SPEC,
    Start,
    add,
    bad_address,
    digests,
    grpc_manager,
    person,
    rest_manager,
)

from cohortd.core.delivery import BatchState
from cohortd.core.errors import FatalError, RejectedError, RetryableError, SettingsError
from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule
from cohortd.emulators.google import GoogleEmulator
from connectors.google_access import GoogleAccess, GoogleIdentity
from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions


def test_a_request_that_google_forgot_is_sent_again(connector: Any, emulator: GoogleEmulator) -> None:
    receipt = connector.apply(add(connector.ensure(SPEC), ANN))
    other = json.loads(receipt.request)
    if "ids" in other:
        other["ids"] = ["never-heard-of"]
    else:
        other["job"] = f"customers/{ACCOUNT}/offlineUserDataJobs/99"
    with pytest.raises(RejectedError):
        connector.poll(json.dumps(other))


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


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "body", ["", "[]", '"text"', "7", '{"error": "text"}', '{"error": []}', '{"error": {"status": 7}}']
)
def test_an_answer_that_no_document_describes_is_tried_again_and_no_vendors_error(
    start: Start, make: Any, status: int, body: str
) -> None:
    emulator = start()
    manager = make(rest_manager, emulator)
    remote_id = manager.ensure(SPEC)
    emulator.faults.add(Fault(call="dm.audience_members.ingest", status=status, body=body))
    with pytest.raises(RetryableError):
        manager.apply(add(remote_id, ANN))
