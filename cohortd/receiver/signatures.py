"""Who sent an event: proven over its raw bytes, before anything of it is read."""

import base64
import binascii
import hashlib
import hmac
import math
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError


class AuthKind(StrEnum):
    """How a sender proves itself."""

    STANDARD_WEBHOOKS = "standard_webhooks"
    HMAC = "hmac"
    BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class Auth:
    """What a sender must show."""

    kind: AuthKind
    secret: str = field(repr=False)
    #: Where the signature or the token is.
    header: str = ""
    #: What stands before it.
    prefix: str = ""
    base64: bool = False
    #: Unix seconds, signed with the body; empty where none are.
    timestamp_header: str = ""
    id_header: str = ""
    #: How old a signed time may be, in seconds.
    tolerance_s: int = 300


@dataclass(frozen=True, slots=True)
class Authentic:
    """An event whose sender is proven."""

    #: As a header names it; empty where none does.
    event_id: str


def authenticate(auth: Auth, headers: Mapping[str, str], raw: bytes, *, now: datetime) -> Authentic | None:
    """Tell whether *raw* is from who holds the secret; None where that is not proven.

    Args:
        auth: What must be shown.
        headers: By their names in lower case.
        raw: The body as it came.
        now: The time of a signed time's tolerance; ``standardwebhooks`` reads the clock itself.
    """
    match auth.kind:
        case AuthKind.STANDARD_WEBHOOKS:
            return _standard(auth, headers, raw)
        case AuthKind.HMAC:
            is_proven = _is_signed(auth, headers, raw, now)
        case AuthKind.BEARER:
            is_proven = _is_same(_shown(auth, headers).encode(), auth.secret.encode())
    return Authentic(headers.get(auth.id_header.lower(), "")) if is_proven else None


def can_sign(auth: Auth) -> bool:
    """Tell whether the secret is one that signatures can be checked by."""
    if auth.kind is not AuthKind.STANDARD_WEBHOOKS:
        return bool(auth.secret)
    try:
        Webhook(auth.secret)
    except (EmptyWebhookSecretError, ValueError):
        return False
    return True


def key_bytes(auth: Auth) -> int:
    """Say how many bytes the secret is worth: one that is written in hex is worth half its length."""
    if auth.kind is AuthKind.STANDARD_WEBHOOKS:
        return len(base64.b64decode(auth.secret.removeprefix("whsec_")))
    is_hex = all(character in string.hexdigits for character in auth.secret)
    return len(auth.secret.encode()) // (2 if is_hex else 1)


def _standard(auth: Auth, headers: Mapping[str, str], raw: bytes) -> Authentic | None:
    try:
        Webhook(auth.secret).verify(raw, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # a ValueError where the headers are malformed
        return None
    return Authentic(headers["webhook-id"])


def _is_signed(auth: Auth, headers: Mapping[str, str], raw: bytes, now: datetime) -> bool:
    signed = raw
    if auth.timestamp_header:
        stamp = headers.get(auth.timestamp_header.lower(), "")
        if not _is_fresh(stamp, now, auth.tolerance_s):
            return False
        signed = stamp.encode() + b"." + raw
    expected = hmac.new(auth.secret.encode(), signed, hashlib.sha256).digest()
    return _is_same(_decoded(_shown(auth, headers), base64_written=auth.base64), expected)


def _shown(auth: Auth, headers: Mapping[str, str]) -> str:
    """Take what follows the prefix; nothing where the prefix is not there."""
    value = headers.get(auth.header.lower(), "").strip()
    return value.removeprefix(auth.prefix).strip() if value.startswith(auth.prefix) else ""


def _is_fresh(stamp: str, now: datetime, tolerance_s: int) -> bool:
    try:
        seconds = float(stamp)
    except ValueError:
        return False
    return math.isfinite(seconds) and abs(now.timestamp() - seconds) <= tolerance_s


def _decoded(text: str, *, base64_written: bool) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if base64_written else bytes.fromhex(text)
    except (binascii.Error, ValueError):
        return b""


def _is_same(shown: bytes, expected: bytes) -> bool:
    """Compare in a time that tells nothing of where they differ."""
    return bool(expected) and hmac.compare_digest(shown, expected)
