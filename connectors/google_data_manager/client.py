"""The vendor's two clients, made for a stand-in or for Google, and called one attempt at a time."""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import grpc
from google.ads import datamanager_v1 as dm
from google.api_core.client_options import ClientOptions

from cohortd.core.errors import RetryableError
from connectors.google_access import Endpoint, GoogleAccess
from connectors.google_data_manager.errors import PLATFORM, platform_errors
from connectors.google_data_manager.options import SCOPE, DataManagerOptions
from connectors.google_errors import TokenRefusedError
from connectors.google_quotas import ProjectQuotas

#: The vendor's gRPC client limits only what it receives, and to 4 MB.
_CHANNEL_OPTIONS = (("grpc.max_receive_message_length", 64 * 1024 * 1024),)

Metadata = Sequence[tuple[str, str]]


class DataManagerClient:
    """Calls Google once, with a timeout and a fresh token; the vendor's own retries are off.

    Its methods raise our errors only. The two clients are made at the first call, without I/O. Threads
    may share it: a gRPC channel is made for that (grpc/grpc#13914); over HTTP, whose sessions are not, they
    take turns.
    """

    def __init__(
        self,
        options: DataManagerOptions,
        *,
        access: GoogleAccess | None = None,
        quotas: ProjectQuotas | None = None,
    ) -> None:
        self.account = options.account()
        self.login_account = options.login_account()
        self.parent = f"accountTypes/GOOGLE_ADS/accounts/{self.account}"
        self._timeout_s = options.timeout_s
        self._endpoint = options.address()
        self._access = access or GoogleAccess(options.identity, scope=SCOPE, endpoint=self._endpoint)
        self._quotas = quotas
        self._making = threading.Lock()
        is_grpc = self._endpoint is None or self._endpoint.scheme == "grpc"
        self._turn: AbstractContextManager[object] = nullcontext() if is_grpc else threading.Lock()
        self._channel: grpc.Channel | None = None
        self._clients: dict[type, Any] = {}

    @property
    def is_stand_in(self) -> bool:
        """Whether this is not Google but a stand-in on this machine."""
        return self._endpoint is not None and self._endpoint.is_stand_in

    def refresh(self) -> None:
        """Get a token, and nothing else."""
        self._access.credentials()

    def ingestion(
        self, method: str, request: Any, *, members: Sequence[int] = (), urgent: bool = False
    ) -> Any:
        """Call the service that takes people in and out.

        Args:
            method: Its snake_case name.
            request: The vendor's message.
            members: For every row of the request, whose it is: its member's index in the batch.
            urgent: Whether it may use what the quota keeps for revocations.
        """
        with self._counted(method, urgent=urgent):
            return self._call(dm.IngestionServiceClient, method, request, members=members)

    def user_lists(self, method: str, request: Any) -> Any:
        """Call the service that keeps the audiences; here the access path travels in headers."""
        metadata: Metadata = ()
        if self.login_account:
            metadata = (("login-account", f"accountTypes/GOOGLE_ADS/accounts/{self.login_account}"),)
        with self._counted(method):
            return self._call(dm.UserListServiceClient, method, request, metadata=metadata)

    def close(self) -> None:
        """Give back connections; a later call makes new ones."""
        for client in self._clients.values():
            client.transport.close()
        if self._channel is not None:
            self._channel.close()
        self._clients, self._channel = {}, None

    def _call(
        self,
        kind: type,
        method: str,
        request: Any,
        *,
        metadata: Metadata = (),
        members: Sequence[int] = (),
    ) -> Any:
        credentials = self._access.credentials()
        with self._making:
            client = self._clients.get(kind)
            if client is None:
                client = self._clients[kind] = self._make(kind, credentials)
        try:
            with self._turn, platform_errors(members=members):
                call = getattr(client, method)
                answer = call(request=request, retry=None, timeout=self._timeout_s, metadata=metadata)
        except TokenRefusedError:
            if self._access.renew():
                raise RetryableError(f"{PLATFORM} refused the access token; it is renewed") from None
            raise
        self._access.worked()
        return answer

    def _counted(self, method: str, *, urgent: bool = False) -> AbstractContextManager[None]:
        return self._quotas.request(method, urgent=urgent) if self._quotas else nullcontext()

    def _make(self, kind: Any, credentials: Any) -> Any:
        match self._endpoint:
            case None:
                return kind(credentials=credentials)
            case Endpoint(scheme="grpc", target=target):
                if self._channel is None:
                    self._channel = grpc.insecure_channel(target, options=_CHANNEL_OPTIONS)
                return kind(transport=kind.get_transport_class("grpc")(channel=self._channel))
            case Endpoint(scheme=scheme, target=target):
                options = ClientOptions(api_endpoint=f"{scheme}://{target}")
                return kind(transport="rest", credentials=credentials, client_options=options)
