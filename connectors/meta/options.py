"""What a Meta destination needs to know, as plain values."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cohortd.core.errors import SettingsError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_RETENTION_DAYS = range(1, 181)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaOptions:
    """One ad account and how to speak to it."""

    #: ``act_`` and digits.
    account: str
    access_token: str = field(repr=False)
    app_id: str | None = None
    #: Signs every call (appsecret_proof); apps may demand it.
    app_secret: str | None = field(default=None, repr=False)
    #: ``https://HOST[:PORT]``, or ``http://`` on loopback; None for the Graph API itself.
    endpoint: str | None = None
    api_version: str = "v26.0"
    customer_file_source: str = "USER_PROVIDED_ONLY"
    #: Set on new audiences: Meta forgets a member so many days after the last add (1 to 180).
    #: None keeps members until they are removed.
    retention_days: int | None = None
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 120.0
    #: A PEM file to trust instead of the SDK's own, for networks that inspect TLS.
    ca_bundle: str | None = None

    def __post_init__(self) -> None:
        """Refuse what can never work.

        Raises:
            SettingsError: A value is not of its form, or would send personal data unencrypted.
        """
        if not re.fullmatch(r"act_\d+", self.account):
            raise SettingsError("a Meta account is written act_ and digits, as in act_1234567890")
        if not self.access_token:
            raise SettingsError("Meta needs an access token")
        if not re.fullmatch(r"v\d+\.\d+", self.api_version):
            raise SettingsError("Meta's api_version is written like v26.0")
        if self.retention_days is not None and self.retention_days not in _RETENTION_DAYS:
            raise SettingsError(
                "Meta keeps members for 1 to 180 days (retention_days), or for ever without it"
            )
        if self.endpoint is not None:
            _check_endpoint(self.endpoint)


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise SettingsError("Meta's endpoint is http://HOST:PORT or https://HOST:PORT, without a path")
    if parts.username or parts.password:
        raise SettingsError("Meta's endpoint cannot hold a user or a password")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise SettingsError("Meta's endpoint may be plain http only on this machine (127.0.0.1, localhost)")
