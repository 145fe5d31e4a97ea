"""Where a connector may be pointed: plaintext only at this machine."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

_PLAINTEXT: Final = frozenset({"http", "grpc"})


def is_loopback(endpoint: str | None) -> bool:
    """Whether the endpoint is on this machine: 127.0.0.0/8, ::1 or localhost."""
    if endpoint is None:
        return False
    return _is_loopback_host(urlsplit(endpoint).hostname or "")


def check_endpoint(endpoint: str, *, schemes: tuple[str, ...]) -> str:
    """Return the endpoint without a trailing slash, if it may be used.

    Raises:
        ValueError: It may not; the text never repeats the endpoint, which may hold a password.
    """
    shape = " or ".join(f"{scheme}://HOST:PORT" for scheme in schemes)
    try:
        parts = urlsplit(endpoint.strip())
        port = parts.port
    except ValueError:
        raise ValueError(f"must be {shape}") from None
    if parts.scheme not in schemes or not parts.hostname or _has_more(parts):
        raise ValueError(f"must be {shape}, without path, user or query")
    if parts.scheme in _PLAINTEXT:
        if port is None:
            raise ValueError(f"must name the port: {parts.scheme}://HOST:PORT")
        if not _is_loopback_host(parts.hostname):
            raise ValueError(
                f"{parts.scheme}:// is not encrypted and allowed only for this machine "
                "(127.0.0.0/8, ::1, localhost)"
            )
    return endpoint.strip().rstrip("/")


def _has_more(parts: SplitResult) -> bool:
    return parts.path not in {"", "/"} or "@" in parts.netloc or bool(parts.query or parts.fragment)


def _is_loopback_host(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
