"""A small HTTP server for few and short requests.

The standard library's server, narrowed: one request a connection, a time by which all of it must be there,
a limited number of connections and threads. So no framework has to be kept up to date for a verb or two.
It speaks plain HTTP: TLS is the business of the proxy before it.
"""

import contextlib
import io
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final, Self

import structlog

from cohortd.core.errors import AddressError
from cohortd.receiver.places import FULL, Places

#: How long a refused sender may go on sending, so that it reads the answer.
_DRAIN_S: Final = 2.0
_DRAIN_BYTES: Final = 4_194_304
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Terms:
    """Whom a server serves how."""

    #: What log lines call it, and its thread.
    name: str
    #: The setting that says where it listens.
    setting: str
    #: Most connections at once.
    connections: int
    #: Within so many seconds a whole request must be there.
    whole_s: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: HTTPStatus
    body: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class NarrowServer(socketserver.ThreadingTCPServer):
    """Listens for the length of a block; a request under way is ended before it closes."""

    daemon_threads = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type["NarrowHandler"], terms: Terms) -> None:
        """Bind, but take nothing yet.

        Raises:
            AddressError: The address cannot be had now.
        """
        self.terms = terms
        self.places = Places(terms.connections)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name=terms.name)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            super().__init__(address, handler)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "this is no address"
            raise AddressError(
                f"{terms.setting}: cannot listen on {address[0]}:{address[1]}: {why}"
            ) from None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def is_alive(self) -> bool:
        """Whether it still takes connections."""
        return self._thread.is_alive()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread, unless there are too many."""
        if not self.places.enter(request):
            with contextlib.suppress(OSError):
                request.send(FULL, socket.MSG_DONTWAIT)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread can be had now
            self.places.leave(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, then give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.leave(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base's
        """Tell what broke without a traceback, which may quote an event; the sender got no answer."""
        kind = sys.exc_info()[0]
        if kind is not None and not issubclass(kind, OSError):
            log.critical("request_broke", server=self.terms.name, error=kind.__name__)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _InTime(io.RawIOBase):
    """A socket, of which all must be read by a time: who sends a byte now and then holds nothing up."""

    def __init__(self, connection: socket.socket, within_s: float) -> None:
        self._connection = connection
        self._until = time.monotonic() + within_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class NarrowHandler(BaseHTTPRequestHandler):
    """One request, one answer, one connection."""

    protocol_version = "HTTP/1.1"
    server: NarrowServer
    #: The one verb that is taken.
    verb = "GET"

    def setup(self) -> None:
        """Give the whole request its time."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_InTime(self.connection, self.server.terms.whole_s))

    def refusal(self, status: HTTPStatus) -> Reply:
        """Say why something is no request of ours, without repeating any of it."""
        return Reply(status, b"{}")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, or has another verb."""
        del message, explain
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self.reply(self.refusal(HTTPStatus(code)))

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base's name
        """Log nothing: a path may hold anything."""

    def version_string(self) -> str:
        """Name ourselves, and no version."""
        return "cohortd"

    def reply(self, reply: Reply) -> None:
        """Answer, and end the connection."""
        self.close_connection = True
        self.request_version = "HTTP/1.1"
        self.connection.settimeout(_DRAIN_S)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", self.verb)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)
        if reply.status >= HTTPStatus.BAD_REQUEST:
            self._drain()

    def _drain(self) -> None:
        """Read on for a while: closed with data unread, a sender would see a reset, not the answer."""
        self.wfile.flush()
        self.server.places.offer(self.connection)
        rest = _InTime(self.connection, _DRAIN_S)
        scratch = bytearray(65_536)
        left = _DRAIN_BYTES
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while left > 0 and (count := rest.readinto(scratch)):
                left -= count
