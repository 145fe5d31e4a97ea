"""A stand-in for Google on loopback: the Google Ads API and the Data Manager API over one gRPC
port, the Data Manager also over HTTP.

The vendors' unchanged clients drive it. It enforces the documented limits, takes uploads in and
does the work later, keeps members as the identifiers that were sent, and lets tests look inside.
A removal takes the named identifiers away; whether Google does more is not documented.
"""

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import grpc
from grpc_status import rpc_status

from cohortd.core.times import Clock, now_utc
from cohortd.emulators.faults import FaultSchedule
from cohortd.emulators.google_ads import WORDS as ADS_WORDS
from cohortd.emulators.google_ads import GoogleAds
from cohortd.emulators.google_calls import PageError, RefusedError, SilenceError, Switchboard
from cohortd.emulators.google_data_manager import WORDS as DATA_MANAGER_WORDS
from cohortd.emulators.google_data_manager import DataManager
from cohortd.emulators.google_quotas import Quotas
from cohortd.emulators.google_rest import RestServer
from cohortd.emulators.google_state import GoogleRules, GoogleState
from cohortd.emulators.google_wire import ads_failure, data_manager_status, grpc_code
from cohortd.emulators.state import Audience

__all__ = ["GoogleEmulator", "GoogleRules"]

_DATA_MANAGER: Final = re.compile(r"/google\.ads\.datamanager\.v1\.(\w+/\w+)")
_ADS: Final = re.compile(r"/google\.ads\.googleads\.(v\d+)\.services\.(\w+/\w+)")
_OPTIONS: Final = (("grpc.max_receive_message_length", 64 * 1024 * 1024), ("grpc.so_reuseport", 0))
_WORKERS: Final = 12
_REQUEST_ID: Final = "emulated"


class GoogleEmulator:
    """Google on loopback; a context manager, or ``start`` and ``stop``."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        grpc_port: int = 0,
        http_port: int = 0,
        folder: Path | None = None,
        rules: GoogleRules | None = None,
        faults: FaultSchedule | None = None,
        clock: Clock = now_utc,
    ) -> None:
        """Bind the ports; nothing is answered before ``start``.

        Args:
            host: Where to listen.
            grpc_port: For both APIs; 0 takes a free one.
            http_port: For the Data Manager's REST; 0 takes a free one.
            folder: Where to keep audiences, members and open work; None for memory alone.
            rules: What to be strict about, and how long work takes.
            faults: What goes wrong, and when; ``calls`` names the calls. ``dm.processing`` and
                ``ads.processing`` strike accepted work (error: all of it fails, half_apply: the rest
                does, ``code`` being the reason; late: it is done later).
            clock: By which accepted work falls due.
        """
        self.faults = faults or FaultSchedule()
        self.state = GoogleState(folder, rules=rules or GoogleRules(), faults=self.faults, clock=clock)
        self._switchboard = Switchboard(self.faults)
        self._quotas = Quotas(clock) if self.state.rules.quotas else None
        self._data_manager = DataManager(self.state).methods()
        self._ads = GoogleAds(self.state).methods()
        self._host = host
        self._server = grpc.server(ThreadPoolExecutor(_WORKERS, "google-emulator"), options=_OPTIONS)
        self._server.add_generic_rpc_handlers((_Router(self),))
        self._grpc_port = self._server.add_insecure_port(f"{host}:{grpc_port}")
        self._rest = RestServer(
            (host, http_port), answer=self.answer_data_manager, empty=self.empty_data_manager
        )

    @property
    def grpc_endpoint(self) -> str:
        """What to give either connector."""
        return f"grpc://{self._host}:{self._grpc_port}"

    @property
    def http_endpoint(self) -> str:
        """What to give the Data Manager connector for REST."""
        return f"http://{self._host}:{self._rest.port}"

    @property
    def calls(self) -> Counter[str]:
        """Calls by name, those that failed included."""
        return self._switchboard.calls

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()
        self._rest.start()

    def stop(self) -> None:
        """Close both ports; calls under way are cut off."""
        self._switchboard.stopping.set()
        self._server.stop(None).wait()
        self._rest.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def audiences(self, account: str | None = None) -> list[Audience]:
        """All audiences, oldest first."""
        self.state.settle()
        return self.state.store.audiences(account)

    def identifiers(self, list_id: str) -> frozenset[str]:
        """Every identifier in an audience: ``email:<hex>``, ``phone:<hex>``, ``address:<hex>``."""
        self.state.settle()
        return self.state.store.members(list_id)

    def members(self, account: str, list_id: str) -> frozenset[str]:
        """Every digest in an account's audience; an address's is that of its payload."""
        self.state.settle()
        is_theirs = self.state.audience(account, list_id) is not None
        found = self.state.store.members(list_id) if is_theirs else frozenset()
        return frozenset(each.partition(":")[2] for each in found)

    def size(self, list_id: str) -> int:
        """How many people are in an audience."""
        self.state.settle()
        return self.state.store.size(list_id)

    def answer_data_manager(self, method: str, request: Any) -> Any:
        """Answer one call of the Data Manager."""
        name, _kind, handler = self._data_manager[method]

        def counted(request: Any) -> Any:
            if self._quotas is not None:
                self._quotas.count(name)
            return handler(request)

        return self._switchboard.put_through(name, request, self._alone(counted), words=DATA_MANAGER_WORDS)

    def empty_data_manager(self, method: str) -> Any:
        """Make the empty message that a method of the Data Manager takes."""
        kind: Any = self._data_manager[method][1]
        return kind.pb()()

    def route(self, path: str) -> Any | None:
        """Find who answers a gRPC method."""
        if found := _DATA_MANAGER.fullmatch(path):
            return self._data_manager_handler(found[1]) if found[1] in self._data_manager else None
        if (found := _ADS.fullmatch(path)) and found[2] in self._ads:
            return self._ads_handler(found[1], found[2])
        return None

    def _alone(self, handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """One call at a time, so that what a call checked still stands when it acts."""

        def answer(request: Any) -> Any:
            with self.state.lock:
                return handler(request)

        return answer

    def _data_manager_handler(self, method: str) -> Any:
        kind: Any = self._data_manager[method][1]

        def answer(request: Any, context: Any) -> Any:
            try:
                return self.answer_data_manager(method, request)
            except RefusedError as refused:
                status = data_manager_status(refused, request_id=_REQUEST_ID)
                context.abort_with_status(rpc_status.to_status(status))
            except (SilenceError, PageError):
                context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

        return _unary(kind, answer)

    def _ads_handler(self, version: str, method: str) -> Any:
        name, kind, handler = self._ads[method]

        def answer(request: Any, context: Any) -> Any:
            try:
                return self._switchboard.put_through(name, request, self._alone(handler), words=ADS_WORDS)
            except RefusedError as refused:
                _abort_ads(context, refused, version)
            except (SilenceError, PageError):
                context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

        if method.endswith("SearchStream"):
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: iter([answer(request, context)]),
                request_deserializer=_class_of(kind).FromString,
                response_serializer=_serialized,
            )
        return _unary(kind, answer)


class _Router(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, emulator: GoogleEmulator) -> None:
        self._emulator = emulator

    def service(self, handler_call_details: Any) -> Any | None:
        return self._emulator.route(handler_call_details.method)


def _unary(kind: Any, answer: Callable[[Any, Any], Any]) -> Any:
    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=_class_of(kind).FromString, response_serializer=_serialized
    )


def _class_of(kind: Any) -> Any:
    return kind.pb()


def _serialized(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def _abort_ads(context: Any, refused: RefusedError, version: str) -> None:
    trailers: list[tuple[str, str | bytes]] = [("request-id", _REQUEST_ID)]
    if refused.problems:
        failure = ads_failure(refused.problems, retry_after_s=refused.retry_after_s, request_id=_REQUEST_ID)
        key = f"google.ads.googleads.{version}.errors.googleadsfailure-bin"
        trailers.append((key, failure.SerializeToString()))
    context.set_trailing_metadata(tuple(trailers))
    context.abort(grpc_code(refused), "The emulator refused the request.")
