"""The Data Manager API's REST face over the standard library's HTTP server."""

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from google.protobuf import json_format

from cohortd.emulators.google_calls import PageError, Problem, RefusedError, SilenceError
from cohortd.emulators.google_wire import data_manager_json

#: Answers one method of the Data Manager: ``Service/Method`` and its message.
Answer = Callable[[str, Any], Any]
#: Makes the empty message that a method takes.
Empty = Callable[[str], Any]

_LIST: Final = r"(accountTypes/[^/]+/accounts/[^/]+)/userLists"
_ROUTES: Final = (
    ("POST", re.compile(r"/v1/audienceMembers:ingest"), "IngestionService/IngestAudienceMembers", ""),
    ("POST", re.compile(r"/v1/audienceMembers:remove"), "IngestionService/RemoveAudienceMembers", ""),
    ("POST", re.compile(r"/v1/audienceMembers:removeAll"), "IngestionService/RemoveAllAudienceMembers", ""),
    ("GET", re.compile(r"/v1/requestStatus:retrieve"), "IngestionService/RetrieveRequestStatus", ""),
    ("POST", re.compile(rf"/v1/{_LIST}"), "UserListService/CreateUserList", "parent"),
    ("GET", re.compile(rf"/v1/{_LIST}"), "UserListService/ListUserLists", "parent"),
    ("GET", re.compile(rf"/v1/({_LIST}/[^/]+)"), "UserListService/GetUserList", "name"),
    ("PATCH", re.compile(rf"/v1/({_LIST}/[^/]+)"), "UserListService/UpdateUserList", "user_list.name"),
    ("DELETE", re.compile(rf"/v1/({_LIST}/[^/]+)"), "UserListService/DeleteUserList", "name"),
)
#: These carry a user list as their body, everything else as query parameters.
_LIST_BODIES: Final = ("UserListService/CreateUserList", "UserListService/UpdateUserList")


class RestServer:
    """Serves until it is stopped, a thread a connection."""

    def __init__(self, address: tuple[str, int], *, answer: Answer, empty: Empty) -> None:
        handler = type(
            "Handler", (_Handler,), {"answer": staticmethod(answer), "empty": staticmethod(empty)}
        )
        self._server = ThreadingHTTPServer(address, handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port, also if it was chosen by the system."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float] = 5.0
    answer: Answer
    empty: Empty

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            message = self.answer(*self._request(body))
            self._send(200, json_format.MessageToDict(message))
        except RefusedError as refused:
            self._send(*data_manager_json(refused, request_id="emulated"))
        except PageError as page:
            self._send_text(page.status, "text/html", page.body)
        except SilenceError:
            self.close_connection = True

    def _request(self, body: bytes) -> tuple[str, Any]:
        parts = urlsplit(self.path)
        for verb, pattern, method, name_field in _ROUTES:
            found = pattern.fullmatch(parts.path)
            if found and verb == self.command:
                values = _query(parts.query)
                content = json.loads(body or b"{}")
                values |= {"userList": content} if method in _LIST_BODIES else content
                message = _parsed(values, self.empty(method))
                if name_field:
                    *parents, name = name_field.split(".")
                    setattr(message.user_list if parents else message, name, found[1])
                return method, message
        raise RefusedError("NOT_FOUND", Problem("NOT_FOUND"))

    def _send(self, status: int, content: dict[str, Any]) -> None:
        self._send_text(status, "application/json", json.dumps(content))

    def _send_text(self, status: int, kind: str, text: str) -> None:
        encoded = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=UTF-8")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


def _query(text: str) -> dict[str, Any]:
    """Read query parameters as JSON would have them; those of the transport itself start with $."""
    booleans = {"true": True, "false": False}
    values = {name: found[-1] for name, found in parse_qs(text).items() if not name.startswith("$")}
    return {name: booleans.get(value, value) for name, value in values.items()}


def _parsed(values: dict[str, Any], message: Any) -> Any:
    try:
        return json_format.ParseDict(values, message, ignore_unknown_fields=True)
    except json_format.ParseError:
        raise RefusedError("INVALID_ARGUMENT", Problem("INVALID_FORMAT")) from None
