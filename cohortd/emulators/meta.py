"""A stand-in for Meta's Graph API over HTTP, for ``facebook-business`` and anything else that speaks it.

It enforces the documented rules of custom audiences, applies changes at once (Meta takes up to a
day) and lets tests look inside. Where the documents leave it open what a removal by some of a
person's keys does, it takes the named identifiers away and keeps the others; see
``MetaRules.removes_whole_people`` for the other reading.
"""

import itertools
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from cohortd.core.times import Clock, now_utc
from cohortd.emulators import meta_errors as errors
from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule
from cohortd.emulators.meta_errors import GraphError
from cohortd.emulators.meta_graph import Graph
from cohortd.emulators.meta_nodes import Call, MetaRules, Reply
from cohortd.emulators.state import Audience, Store

__all__ = ["MetaEmulator", "MetaRules"]

#: Longer URLs are refused as a web server does it, with a page: a DELETE of about 250 rows passes.
MAX_URL_CHARS = 20_480
_FIRST_ID = 120_210_000_000_000_001
_VERSION = re.compile(r"v\d+\.\d+")
_PAGE = "<!DOCTYPE html><html><head><title>Facebook | Error</title></head><body>Sorry, {what}</body></html>"
_UNAVAILABLE = 503
_URI_TOO_LONG = 414


class MetaEmulator:
    """Meta on loopback; a context manager, or ``start`` and ``stop``."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        folder: Path | None = None,
        rules: MetaRules | None = None,
        faults: FaultSchedule | None = None,
        clock: Clock = now_utc,
    ) -> None:
        """Bind the port; nothing is answered before ``start``.

        Args:
            host: Where to listen.
            port: 0 takes a free one.
            folder: Where to keep audiences and members; None for memory alone.
            rules: What to be strict about.
            faults: What goes wrong, and when; ``calls`` names the calls.
            clock: For upload sessions and quotas.
        """
        self.faults = faults or FaultSchedule()
        self.store = Store(folder, first_id=_FIRST_ID)
        #: Calls by name, those that failed included.
        self.calls: Counter[str] = Counter()
        self._graph = Graph(self.store, rules or MetaRules(), clock=clock)
        self._traces = itertools.count(1)
        self._stopping = threading.Event()
        self._server = _Server((host, port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        """What to give a client instead of ``https://graph.facebook.com``."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def audiences(self, account: str | None = None) -> list[Audience]:
        """All remote audiences, oldest first."""
        return self.store.audiences(account)

    def members(self, remote_id: str) -> frozenset[str]:
        """Every identifier in a remote audience: ``email:<hex>``, ``phone:<hex>``,
        ``mobile_ad_id:<plain>``, ``external_id:<plain>``.
        """
        self._graph.expire()
        return self.store.members(remote_id)

    def size(self, remote_id: str) -> int:
        """How many people are in a remote audience."""
        self._graph.expire()
        return self.store.size(remote_id)

    def respond(self, call: Call) -> Reply | None:
        """Answer one call; None to hang up without a word."""
        name = self._graph.name_of(call)
        self.calls[name] += 1
        fault = self.faults.next(name)
        if fault is None:
            return self._right(call)
        if fault.delay_s:
            self._stopping.wait(fault.delay_s)
        return self._wrong(call, fault, is_upload=name.startswith("users."))

    def _right(self, call: Call, *, share: float = 1.0) -> Reply:
        try:
            return self._graph.answer(call, share=share)
        except GraphError as error:
            return self._reply(error)

    def _wrong(self, call: Call, fault: Fault, *, is_upload: bool) -> Reply | None:
        reply: Reply | None = None
        match fault.kind:
            case FaultKind.DELAY | FaultKind.WARN | FaultKind.LATE:
                reply = self._right(call)
            case FaultKind.DROP_BEFORE:
                pass
            case FaultKind.DROP_AFTER:
                self._right(call)
            case FaultKind.HALF_APPLY | FaultKind.ERROR:
                if fault.kind is FaultKind.HALF_APPLY and is_upload and fault.share < 1:
                    self._right(call, share=fault.share)
                reply = self._failure(fault)
            case FaultKind.QUOTA:
                minutes = max(1, round(fault.retry_after_s / 60))
                account = self._graph.account_of(call) or "act_0"
                reply = self._reply(errors.over_quota(account, minutes=minutes))
            case FaultKind.TOKEN_EXPIRED:
                reply = self._reply(errors.expired_token())
        return reply

    def _failure(self, fault: Fault) -> Reply:
        status = fault.status if isinstance(fault.status, int) else _UNAVAILABLE
        if fault.body is not None:
            return Reply(status, fault.body)
        code = fault.code if isinstance(fault.code, int) else 2
        words = fault.message or "Service temporarily unavailable"
        told = GraphError(code, words, fault.subcode, status, is_transient=fault.code is None)
        return self._reply(told)

    def _reply(self, error: GraphError) -> Reply:
        return Reply(error.status, error.envelope(f"Aemulated{next(self._traces):06d}"), error.headers)


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that it can hang up on clients that keep theirs alive."""

    daemon_threads = False

    def __init__(self, address: tuple[str, int], emulator: MetaEmulator) -> None:
        self.emulator = emulator
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._connections:
                _shut(connection)


class _Handler(BaseHTTPRequestHandler):
    """HTTP to calls and back."""

    protocol_version = "HTTP/1.1"
    server: _Server
    #: An answer's headers and body leave in one piece.
    wbufsize: ClassVar[int] = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: every line would hold the token."""

    def _serve(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        if len(self.path) > MAX_URL_CHARS:
            self._send(Reply(_URI_TOO_LONG, _PAGE.format(what="this address is too long.")))
            return
        reply = self.server.emulator.respond(self._call(form))
        if reply is None:
            self.close_connection = True
            _shut(self.connection)
            return
        self._send(reply)

    def _call(self, form: str) -> Call:
        url = urlsplit(self.path)
        path = tuple(part for part in url.path.split("/") if part)
        if path and _VERSION.fullmatch(path[0]):
            path = path[1:]
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        params |= dict(parse_qsl(form, keep_blank_values=True))
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if bearer:
            params.setdefault("access_token", bearer)
        # Meta takes the method from a parameter: the way to delete with a body.
        method = params.pop("method", self.command).upper()
        return Call(method, path, params)

    def _send(self, reply: Reply) -> None:
        is_page = isinstance(reply.body, str)
        body = (reply.body if isinstance(reply.body, str) else _json(reply.body)).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "text/html" if is_page else "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _json(body: Mapping[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"))


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
