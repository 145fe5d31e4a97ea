"""The vendor's own credentials against a token service: a dead grant is found before anything is sent."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google_people import ACCOUNT, add, person

from cohortd.core.errors import FatalError
from connectors.google_access import GoogleIdentity
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions


class TokenService(BaseHTTPRequestHandler):
    answer: ClassVar[tuple[int, dict[str, object]]] = (400, {})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, content = self.answer
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@pytest.fixture
def token_uri() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), TokenService)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/token"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connector(token_uri: str, tmp_path: Path) -> Iterator[DataManagerConnector]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    content = {
        "type": "service_account",
        "client_email": "a@b.example",
        "private_key": pem,
        "token_uri": token_uri,
    }
    file = tmp_path / "service-account.json"
    file.write_text(json.dumps(content))
    options = DataManagerOptions(ACCOUNT, identity=GoogleIdentity(credentials_file=str(file)))
    connector = DataManagerConnector(options)
    yield connector
    connector.close()


def test_a_dead_grant_stops_the_destination_before_anything_is_sent(
    connector: DataManagerConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"error": "invalid_grant", "error_description": "account not found: a@b.example"}
    monkeypatch.setattr(TokenService, "answer", (400, told))
    with pytest.raises(FatalError, match="invalid_grant") as caught:
        connector.apply(add("1", person("ann")))
    assert caught.value.scope == "destination"
    assert "datamanager" in caught.value.cure
    assert "a@b.example" not in str(caught.value)
    (line,) = connector.check()
    assert (line.subject, line.ok) == ("credentials", False)


def test_a_living_grant_gives_a_token(
    connector: DataManagerConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"access_token": "ya29", "token_type": "Bearer", "expires_in": 3600}
    monkeypatch.setattr(TokenService, "answer", (200, told))
    connector._client.refresh()
