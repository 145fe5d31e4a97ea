"""The vendor's client, made for a stand-in or for Google, and called one attempt at a time."""

import logging
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import grpc
from google.ads.googleads.client import _GRPC_CHANNEL_OPTIONS, _VALID_API_VERSIONS, GoogleAdsClient
from google.ads.googleads.interceptors import ExceptionInterceptor, LoggingInterceptor, MetadataInterceptor
from google.ads.googleads.util import convert_upper_case_to_snake_case

from cohortd.core.errors import RetryableError, SettingsError
from connectors.google_access import GoogleAccess, hush_vendor_logs
from connectors.google_ads.errors import PLATFORM, platform_errors
from connectors.google_ads.options import SCOPE, GoogleAdsOptions
from connectors.google_errors import TokenRefusedError, UnknownCallError

_VENDOR_LOGGER = logging.getLogger("google.ads.googleads.client")


class LoopbackAdsClient(GoogleAdsClient):  # type: ignore[misc]
    """The vendor's client over a channel without TLS, which the stock one cannot make."""

    def get_service(self, name: str, **_other: Any) -> Any:
        """Give a service's client, with the same interceptors as the stock one has."""
        module = import_module(
            f"google.ads.googleads.{self.version}.services.services.{convert_upper_case_to_snake_case(name)}"
        )
        service = getattr(module, f"{name}Client")
        channel = grpc.intercept_channel(
            grpc.insecure_channel(self.endpoint, options=_GRPC_CHANNEL_OPTIONS),
            MetadataInterceptor(self.developer_token, self.login_customer_id, self.linked_customer_id),
            LoggingInterceptor(_VENDOR_LOGGER, self.version, self.endpoint),
            ExceptionInterceptor(self.version, use_proto_plus=self.use_proto_plus),
        )
        return service(transport=service.get_transport_class("grpc")(channel=channel))


class AdsClient:
    """Calls Google once, with a timeout and a fresh token; nothing here retries.

    Its methods raise our errors only. Messages are the plain protobuf ones: building operations
    with the vendor's wrappers takes fourteen times as long. Threads may share it, as they may a channel of
    gRPC's (grpc/grpc#13914).
    """

    def __init__(self, options: GoogleAdsOptions, *, access: GoogleAccess | None = None) -> None:
        self.customer = options.customer()
        self._options = options
        self._endpoint = options.address()
        self._access = access or GoogleAccess(options.identity, scope=SCOPE, endpoint=self._endpoint)
        self._making = threading.RLock()
        self._client: Any = None
        self._services: dict[str, Any] = {}
        options.login_customer()
        if options.version not in _VALID_API_VERSIONS:
            known = ", ".join(_VALID_API_VERSIONS)
            raise SettingsError(f"version of google_ads is one of {known}, not {options.version!r}")

    @property
    def is_stand_in(self) -> bool:
        """Whether this is not Google but a stand-in on this machine."""
        return self._endpoint is not None and self._endpoint.is_stand_in

    def refresh(self) -> None:
        """Get a token, and nothing else."""
        self._access.credentials()

    def message(self, name: str) -> Any:
        """Make an empty message of the vendor's."""
        return self._vendor().get_type(name)

    def enum(self, name: str) -> Any:
        """Give the values of an enum, such as ``ConsentStatusEnum``."""
        return getattr(self._vendor().enums, name)

    def call(self, service: str, method: str, request: Any, *, members: Sequence[int] = ()) -> Any:
        """Call one method once.

        Args:
            service: Such as ``UserListService``.
            method: Its snake_case name.
            request: The vendor's message.
            members: For every operation of the request, its member's index in the batch.
        """
        return self._guarded(
            lambda: getattr(self._service(service), method)(
                request=request, retry=None, timeout=self._options.timeout_s
            ),
            members,
        )

    def search(self, query: str) -> list[Any]:
        """Ask by GAQL; all pages. A stand-in may know only the streaming call."""
        try:
            return self._search("search", "SearchGoogleAdsRequest", query)
        except UnknownCallError:
            pages = self._search("search_stream", "SearchGoogleAdsStreamRequest", query)
            return [row for page in pages for row in page.results]

    def failure(self, serialized: bytes) -> Any:
        """Read a GoogleAdsFailure."""
        return type(self.message("GoogleAdsFailure")).FromString(serialized)

    def close(self) -> None:
        """Give back connections; a later call makes new ones."""
        for service in self._services.values():
            service.transport.close()
        self._services = {}

    def _search(self, method: str, message: str, query: str) -> list[Any]:
        request = self.message(message)
        request.customer_id, request.query = self.customer, query

        def attempt() -> Any:
            call = getattr(self._service("GoogleAdsService"), method)
            return list(call(request=request, retry=None, timeout=self._options.timeout_s))

        found: list[Any] = self._guarded(attempt, ())
        return found

    def _guarded(self, attempt: Any, members: Sequence[int]) -> Any:
        self._access.credentials()
        try:
            with platform_errors(members=members, version=self._options.version):
                answer = attempt()
        except TokenRefusedError:
            if self._access.renew():
                raise RetryableError(f"{PLATFORM} refused the access token; it is renewed") from None
            raise
        self._access.worked()
        return answer

    def _service(self, name: str) -> Any:
        with self._making:
            if name not in self._services:
                self._services[name] = self._vendor().get_service(name)
            return self._services[name]

    def _vendor(self) -> Any:
        with self._making:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> Any:
        kind = GoogleAdsClient if self._endpoint is None else LoopbackAdsClient
        client = kind(
            credentials=self._access.credentials(),
            developer_token=self._options.developer_token,
            endpoint=self._endpoint.target if self._endpoint else None,
            login_customer_id=self._options.login_customer(),
            version=self._options.version,
            use_proto_plus=False,
        )
        hush_vendor_logs()
        return client
