"""Google is reached with credentials that work, a stand-in without any, and nothing leaks on the way."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from google.auth import exceptions as auth_errors
from google.auth.credentials import Credentials

from cohortd.core.delivery import RemoteSpec
from cohortd.core.errors import FatalError, RetryableError, SettingsError
from connectors.google_access import (
    Endpoint,
    GoogleAccess,
    GoogleIdentity,
    account_digits,
    marker_of,
    parse_endpoint,
)

SCOPE = "https://www.googleapis.com/auth/datamanager"


class Token(Credentials):  # type: ignore[misc]
    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.token: str | None = None
        self.errors = list(errors)
        self.refreshed = 0

    def refresh(self, request: object) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.refreshed += 1
        self.token = f"token-{self.refreshed}"


def access(
    token: Any = None, identity: GoogleIdentity | None = None, endpoint: Endpoint | None = None
) -> Any:
    load = (lambda: token) if token is not None else None
    return GoogleAccess(identity or GoogleIdentity(), scope=SCOPE, endpoint=endpoint, load=load)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grpc://127.0.0.1:9090", Endpoint("grpc", "127.0.0.1:9090")),
        ("grpc://localhost:1", Endpoint("grpc", "localhost:1")),
        ("http://[::1]:80/", Endpoint("http", "[::1]:80")),
        ("https://door.example", Endpoint("https", "door.example")),
        (None, None),
        ("", None),
    ],
)
def test_an_endpoint_is_a_stand_in_here_or_a_door_with_tls(
    text: str | None, expected: Endpoint | None
) -> None:
    assert parse_endpoint(text, schemes=("grpc", "http", "https")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "grpc://10.0.0.1:9090",
        "http://example.com:80",
        "grpc://127.0.0.1",
        "ftp://127.0.0.1:1",
        "127.0.0.1:9090",
        "http://127.0.0.1:80/v1",
        "http://127.0.0.1:notaport",
        "http://localhost.example.com:80",
    ],
)
def test_digests_are_never_sent_in_the_clear_over_a_network(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_endpoint(text, schemes=("grpc", "http"))


def test_account_ids_are_read_as_people_write_them() -> None:
    assert account_digits("123-456-7890", setting="account_id") == "1234567890"
    with pytest.raises(SettingsError, match="account_id"):
        account_digits("customers/1", setting="account_id")


def test_both_connectors_write_the_same_marker() -> None:
    assert marker_of(RemoteSpec("s1", "VIP", "")) == "cohortd:s1"


def test_half_an_oauth_client_is_refused() -> None:
    with pytest.raises(SettingsError, match="together"):
        GoogleIdentity(client_id="id")


def test_an_identity_does_not_show_its_secrets() -> None:
    identity = GoogleIdentity(client_id="id", client_secret="shh", refresh_token="hush")
    assert "shh" not in repr(identity)
    assert "hush" not in repr(identity)


def test_a_stand_in_needs_no_credentials() -> None:
    assert access(endpoint=Endpoint("grpc", "127.0.0.1:1")).credentials().token is None


def test_a_token_is_fetched_once_while_it_holds() -> None:
    token = Token()
    reached = access(token)
    assert reached.credentials() is reached.credentials()
    assert token.refreshed == 1


def test_a_dead_refresh_token_is_for_a_person_to_mend() -> None:
    dead = auth_errors.RefreshError("invalid_grant: Token has been revoked.", {"error": "hush"})
    with pytest.raises(FatalError, match="invalid_grant") as caught:
        access(Token(dead)).credentials()
    assert SCOPE in caught.value.cure
    assert caught.value.scope == "destination"
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "error", [auth_errors.RefreshError("down", retryable=True), auth_errors.TransportError("no route")]
)
def test_a_silent_token_service_may_answer_later(error: Exception) -> None:
    with pytest.raises(RetryableError):
        access(Token(error)).credentials()


def test_a_refused_token_is_renewed_once() -> None:
    token = Token()
    reached = access(token)
    reached.credentials()
    assert reached.renew()
    assert reached.credentials().token == "token-2"
    assert not reached.renew()
    reached.worked()
    assert reached.renew()


def test_a_stand_ins_refusal_is_not_for_a_new_token_to_mend() -> None:
    assert not access(endpoint=Endpoint("http", "127.0.0.1:1")).renew()


def test_no_credentials_at_all_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/at/all.json")
    with pytest.raises(FatalError) as caught:
        access().credentials()
    assert "credentials_file" in caught.value.cure
    assert "nowhere" not in str(caught.value)


@pytest.mark.parametrize(
    "content", ["not json", "[]", '{"type": "external_account"}', '{"type": "authorized_user"}']
)
def test_a_file_of_another_kind_is_not_guessed_at(tmp_path: Path, content: str) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(content)
    with pytest.raises(FatalError, match=r"could not be used|no longer takes"):
        access(identity=GoogleIdentity(credentials_file=str(file))).credentials()


def test_an_authorized_users_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    content = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}
    file.write_text(json.dumps(content))
    loaded = access(identity=GoogleIdentity(credentials_file=str(file)))._from_identity()
    assert (loaded.refresh_token, loaded.scopes) == ("r", [SCOPE])


def test_an_oauth_client_is_taken_as_given() -> None:
    identity = GoogleIdentity(client_id="i", client_secret="s", refresh_token="r")
    loaded = access(identity=identity)._from_identity()
    assert (loaded.client_id, loaded.client_secret, loaded.refresh_token) == ("i", "s", "r")


@pytest.mark.parametrize("name", ["google.ads.googleads.client", "google.ads.datamanager_v1.services.x"])
def test_the_vendors_never_log_requests_whatever_level_is_asked_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    access(Token())
    assert not logging.getLogger(name).isEnabledFor(logging.WARNING)
