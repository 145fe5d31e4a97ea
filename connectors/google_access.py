"""How both Google APIs are reached: a stand-in on this machine, or Google with credentials.

Traps this module is there for (platforms/google.md §1, §2e and §5):

- With ``client_options.api_endpoint`` gRPC always speaks TLS, so a stand-in needs a channel of its own.
- A dead refresh token inside a call looks like a passing 503; so the token is refreshed here, first.
- The vendors' loggers write whole requests, digests included, as soon as somebody asks for DEBUG (at
  Google Ads INFO will do), and at WARNING the platform's own words and host.
"""

import ipaddress
import json
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import google.auth
import google.oauth2.credentials
import google.oauth2.service_account
from google.auth import exceptions as auth_errors
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import Request

from cohortd.core.delivery import RemoteSpec
from cohortd.core.errors import FatalError, RetryableError, SettingsError, SyncError
from connectors.google_errors import DEAD_TOKEN

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, no secret
#: Google forgets a member so many days after the last time it was added; no list may ask for more.
MAXIMUM_MEMBERSHIP_DAYS = 540
#: Google serves no audience with fewer active people (support.google.com/google-ads/answer/7476585).
MINIMUM_SERVED = 100

_LEAKY_LOGGERS = (
    "google.ads.googleads.client",
    "google.ads.datamanager_v1",
    "google.auth",
    "google.api_core",
)
_AUTH_CURE = "Give cohortd a new refresh token or service account key that covers the scope {scope}."


@dataclass(frozen=True, slots=True)
class GoogleIdentity:
    """Whose credentials are used; with nothing given, the application default credentials."""

    #: JSON of a service account or an authorized user.
    credentials_file: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse half an OAuth client."""
        parts = (self.client_id, self.client_secret, self.refresh_token)
        if any(parts) and not all(parts):
            raise SettingsError("Google's OAuth needs client_id, client_secret and refresh_token together")


Scheme = Literal["grpc", "http", "https"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where else than at Google's own address to call."""

    scheme: Scheme
    #: HOST:PORT, for https also HOST.
    target: str

    @property
    def is_stand_in(self) -> bool:
        """Whether it is on this machine, without TLS and so without credentials."""
        return self.scheme != "https"


def parse_endpoint(text: str | None, *, schemes: tuple[Scheme, ...]) -> Endpoint | None:
    """Read ``grpc://HOST:PORT``, ``http://HOST:PORT`` or ``https://HOST``; None stays Google itself.

    Raises:
        SettingsError: It is something else, or would send people's digests unencrypted over a network.
    """
    if not text:
        return None
    wanted = " or ".join(f"{scheme}://HOST:PORT" for scheme in schemes)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(f"an endpoint for Google must be {wanted}") from None
    scheme = next((each for each in schemes if each == parts.scheme), None)
    if scheme is None or not host or parts.path not in ("", "/") or not (port or scheme == "https"):
        raise SettingsError(f"an endpoint for Google must be {wanted}, and null for Google itself")
    bare = f"[{host}]" if ":" in host else host
    endpoint = Endpoint(scheme, f"{bare}:{port}" if port else bare)
    if endpoint.is_stand_in and not _is_loopback(host):
        raise SettingsError(
            f"the endpoint at {host} is not on this machine: {scheme} is not encrypted, so only "
            "localhost, 127.0.0.1 and [::1] are allowed"
        )
    return endpoint


def account_digits(text: str, *, setting: str) -> str:
    """Read an account id as people write it, dashes and all.

    Raises:
        SettingsError: It is no account id.
    """
    digits = text.replace("-", "").strip()
    if not re.fullmatch(r"[0-9]{1,19}", digits):
        raise SettingsError(f"{setting} must be a Google Ads account id such as 123-456-7890")
    return digits


def marker_of(spec: RemoteSpec) -> str:
    """Name our audience inside Google's; the same for both APIs, so that either finds it."""
    return spec.marker


def hush_vendor_logs() -> None:
    """Keep requests out of the logs, whatever level is asked for."""
    for name in _LEAKY_LOGGERS:
        logger = logging.getLogger(name)
        if logger.level < logging.ERROR:
            logger.setLevel(logging.ERROR)


class GoogleAccess:
    """Credentials for one scope, loaded when first needed and refreshed before they are used."""

    def __init__(
        self,
        identity: GoogleIdentity,
        *,
        scope: str,
        endpoint: Endpoint | None,
        load: Callable[[], Any] | None = None,
    ) -> None:
        """Do no I/O yet.

        Args:
            identity: Whose credentials.
            scope: The OAuth scope they must cover.
            endpoint: Where to call; a stand-in needs no credentials.
            load: Where credentials come from instead, for tests.
        """
        self._identity = identity
        self._scope = scope
        self._load = load or self._from_identity
        self._lock = threading.Lock()
        self._needs_none = endpoint is not None and endpoint.is_stand_in
        self._credentials: Any = AnonymousCredentials() if self._needs_none else None
        self._must_renew = False
        self._renewed = False
        hush_vendor_logs()

    def credentials(self) -> Any:
        """Give credentials whose token stands for at least some minutes.

        Raises:
            FatalError: They are not there, or Google no longer takes them.
            RetryableError: Google could not say.
        """
        with self._lock:
            if self._needs_none:
                return self._credentials
            try:
                if self._credentials is None:
                    self._credentials = self._load()
                if self._must_renew or not self._credentials.valid:
                    self._credentials.refresh(Request())
                    self._must_renew = False
            except auth_errors.GoogleAuthError as error:
                raise auth_error(error, scope=self._scope) from None
            except (OSError, ValueError) as error:
                raise _unusable(type(error).__name__, self._scope) from None
            return self._credentials

    def worked(self) -> None:
        """Note that Google took the token."""
        self._renewed = False

    def renew(self) -> bool:
        """Get a new token before the next call, since Google refused this one.

        Returns:
            Whether that may help: not for a stand-in, and not when the refused token was new.
        """
        with self._lock:
            if self._needs_none or self._renewed:
                return False
            self._must_renew = self._renewed = True
            return True

    def _from_identity(self) -> Any:
        identity = self._identity
        if identity.refresh_token:
            return google.oauth2.credentials.Credentials(
                None,
                refresh_token=identity.refresh_token,
                client_id=identity.client_id,
                client_secret=identity.client_secret,
                token_uri=TOKEN_URI,
                scopes=[self._scope],
            )
        if identity.credentials_file:
            return _from_file(Path(identity.credentials_file), self._scope)
        credentials, _project = google.auth.default(scopes=[self._scope])
        return credentials


def auth_error(error: auth_errors.GoogleAuthError, *, scope: str) -> SyncError:
    """Say what a failure to get a token means; only its kind is repeated, never its text."""
    if isinstance(error, auth_errors.DefaultCredentialsError):
        return FatalError(
            "no credentials for Google were found",
            cure="Set credentials_file, or client_id, client_secret and refresh_token.",
        )
    if error.retryable or isinstance(error, auth_errors.TransportError):
        return RetryableError(f"Google's token service did not answer ({type(error).__name__})")
    return FatalError(
        f"Google no longer takes the credentials ({_oauth_code(error)})",
        cure=_AUTH_CURE.format(scope=scope),
    )


def _oauth_code(error: Exception) -> str:
    found = DEAD_TOKEN.search(str(error))
    return found[1] if found else type(error).__name__


def _from_file(path: Path, scope: str) -> Any:
    content = json.loads(path.read_text(encoding="utf-8"))
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "service_account":
        return google.oauth2.service_account.Credentials.from_service_account_info(content, scopes=[scope])
    if kind == "authorized_user":
        return google.oauth2.credentials.Credentials.from_authorized_user_info(content, scopes=[scope])
    raise ValueError("neither a service account nor an authorized user")


def _unusable(kind: str, scope: str) -> FatalError:
    return FatalError(
        f"the credentials file for Google could not be used ({kind})",
        cure="Point credentials_file at a readable JSON of a service account or an authorized user "
        f"with the scope {scope}; for other kinds leave it out and set GOOGLE_APPLICATION_CREDENTIALS.",
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
