"""Services that take alerts, on this machine: they answer, refuse, hang, trickle or hang up."""

import http.server
import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cohortd.core.conditions import Condition
from cohortd.core.delivery import AccessCheck
from cohortd.ledger import Ledger
from cohortd.pipeline import alerting
from cohortd.pipeline.alert_policy import AlertPolicy
from consent import ChainSealer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
#: The longest that a stand-in waits for a test to end.
LONG_S = 30.0


@dataclass
class Service:
    """What a service was told, and how it answers."""

    #: An HTTP status; or ``hang``, ``trickle``, ``reset``.
    answer: int | str = 200
    paths: list[str] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    #: Ends a hang or a trickle: with status 200.
    goes_on: threading.Event = field(default_factory=threading.Event)

    @property
    def messages(self) -> list[str]:
        """What was said, however the service wants it said."""
        return [json.dumps(each) for each in self.got]


class _Webhooks(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: Service) -> None:
        self.service = service
        super().__init__(("127.0.0.1", 0), _Webhook)

    def handle_error(self, *_: object) -> None:
        """Be silent where the sender waited no longer."""


class _Webhook(http.server.BaseHTTPRequestHandler):
    server: "_Webhooks"

    def do_POST(self) -> None:
        service = self.server.service
        body = self.rfile.read(int(self.headers["Content-Length"]))
        service.paths.append(self.path)
        service.got.append(json.loads(body))
        if service.answer == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        if service.answer == "hang":
            service.goes_on.wait(LONG_S)
        status = service.answer if isinstance(service.answer, int) else 200
        self.send_response(status)
        if service.answer == "trickle":
            self._trickle()
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def _trickle(self) -> None:
        """A header that goes on and on: something always comes, and the answer never ends."""
        self.flush_headers()
        self.wfile.write(b"X-Slow: ")
        while not self.server.service.goes_on.wait(0.02):
            self.wfile.write(b".")
        self.wfile.write(b"\r\n")

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def serving(service: Service, *, tls: ssl.SSLContext | None = None) -> Iterator[Service]:
    """Be a webhook for the length of a block."""

    with _Webhooks(service) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        service.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service
        finally:
            service.goes_on.set()
            server.shutdown()
            thread.join()


@dataclass
class Installation:
    """As much of a pipeline as alerts look at, with a real ledger."""

    folder: Path
    alerts: AlertPolicy
    now: datetime = NOW
    ledger: Ledger = field(init=False)
    teller: alerting.Teller = field(init=False)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        sealer = ChainSealer(self.folder / "keys" / "log.pem")
        self.teller = alerting.Teller()
        self.ledger = Ledger.open(f"sqlite:///{self.folder}/l.db", sealer=sealer, state_dir=self.folder)

    def clock(self) -> datetime:
        return self.now

    def tell(self, *conditions: Condition, after: timedelta = timedelta()) -> None:
        self.now += after
        lines = [
            AccessCheck(each.subject, ok=False, detail=each.detail, cure=each.cure, kind=each.kind)
            for each in conditions
        ]
        self.alerts = replace(self.alerts, more=lambda: lines)
        self.teller.tell(self)  # type: ignore[arg-type]


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as takes a message."""

    def handle(self) -> None:
        self._say("220 mail.example.com")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "DATA":
                self._say("354 go on")
                self.server.mails.append(self._read())  # type: ignore[attr-defined]
            self._say("221 bye" if verb == "QUIT" else "250 mail.example.com")
            if verb == "QUIT":
                return

    def _read(self) -> str:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.decode())
        return "".join(lines)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def taking_mail() -> Iterator[tuple[int, list[str]]]:
    """Be a mail server for the length of a block: its port, and the mails that it got."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        server.daemon_threads = True
        server.mails = mails = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1], mails
        finally:
            server.shutdown()
            thread.join()


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
