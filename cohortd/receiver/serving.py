"""A small HTTP server that takes events and nothing else.

The standard library's server, narrowed: one request a connection, a body of known and limited size, a time
by which all of it must be there, a limited number of connections and threads. So no framework has to be
kept up to date for one verb. It speaks plain HTTP: TLS is the business of the proxy before it.
"""

import contextlib
import io
import json
import socket
import socketserver
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final, Self

import structlog

from cohortd.core.errors import AddressError
from cohortd.receiver.desk import Answer, Desk
from cohortd.receiver.places import FULL, Places

#: How long a refused sender may go on sending, so that it reads the answer.
_DRAIN_S: Final = 2.0
_DRAIN_BYTES: Final = 4_194_304
log = structlog.get_logger()


class Receiver(socketserver.ThreadingTCPServer):
    """Listens for the length of a block; a request under way is ended before it closes."""

    daemon_threads = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], desk: Desk) -> None:
        """Bind, but take nothing yet.

        Raises:
            AddressError: The address cannot be had now.
        """
        self.desk = desk
        self.places = Places(desk.limits.connections)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="receiver")
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            super().__init__(address, _Handler)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "this is no address"
            raise AddressError(
                f"receiver.listen: cannot listen on {address[0]}:{address[1]}: {why}"
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
            log.critical("receiver_broke", error=kind.__name__)

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


class _Handler(BaseHTTPRequestHandler):
    """One request, one answer, one connection."""

    protocol_version = "HTTP/1.1"
    server: Receiver

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_InTime(self.connection, self.server.desk.limits.whole_s))

    def do_POST(self) -> None:
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            twice = headers.get(name.lower())
            headers[name.lower()] = value if twice is None else f"{twice}, {value}"
        self._say(self.server.desk.answer(self.path, headers, self._read_whole))

    def _read_whole(self, length: int) -> bytes:
        """Read a body; once it is here, its sender no longer holds the place."""
        raw: bytes = self.rfile.read(length)
        if len(raw) == length:
            self.server.places.keep(self.connection)
        return raw

    def handle_expect_100(self) -> bool:
        """Ask for a body only where it may come; ``do_POST`` refuses all others."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length[:12]) <= self.server.desk.limits.most_bytes:
            return super().handle_expect_100()
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, or no POST, without repeating any of it."""
        del message, explain
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self._say(Answer(HTTPStatus(code), "events are taken by POST"))

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base's name
        """Log nothing: a path may hold anything."""

    def version_string(self) -> str:
        return "cohortd"

    def _say(self, answer: Answer) -> None:
        body = json.dumps({"status": answer.said}).encode()
        self.close_connection = True
        self.request_version = "HTTP/1.1"
        self.connection.settimeout(_DRAIN_S)
        self.send_response(answer.status)
        if answer.after_s:
            self.send_header("Retry-After", str(answer.after_s))
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "POST")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        if answer.status >= HTTPStatus.BAD_REQUEST:
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
