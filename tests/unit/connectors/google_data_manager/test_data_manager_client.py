"""Every call is one attempt, in time, and named after the account it goes through where that is wanted."""

from typing import Any

import pytest
from google.ads import datamanager_v1 as dm

from connectors.google_data_manager.client import DataManagerClient
from connectors.google_data_manager.options import DataManagerOptions


class Recorder:
    """Stands where the vendor's client would."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def call(self, **arguments: Any) -> str:
        self.calls.append(arguments)
        return "answer"


def client_of(recorder: Recorder, **options: Any) -> DataManagerClient:
    client = DataManagerClient(DataManagerOptions("1", endpoint="grpc://127.0.0.1:1", **options))
    client._clients = {dm.UserListServiceClient: recorder, dm.IngestionServiceClient: recorder}
    return client


def test_the_vendors_own_retries_are_off_and_a_timeout_is_set() -> None:
    recorder = Recorder()
    client = client_of(recorder, timeout_s=7.0)
    assert client.user_lists("call", "request") == "answer"
    assert client.ingestion("call", "request") == "answer"
    assert all(call["retry"] is None and call["timeout"] == 7.0 for call in recorder.calls)


@pytest.mark.parametrize(
    ("login", "expected"),
    [(None, ()), ("99-9", (("login-account", "accountTypes/GOOGLE_ADS/accounts/999"),))],
)
def test_lists_name_the_manager_account_in_a_header_and_uploads_in_their_destination(
    login: str | None, expected: Any
) -> None:
    recorder = Recorder()
    client = client_of(recorder, login_account_id=login)
    client.user_lists("call", "request")
    client.ingestion("call", "request")
    assert [tuple(call["metadata"]) for call in recorder.calls] == [expected, ()]
