"""From the Data Manager API's errors to ours, by the table in ``codes``.

Over REST the vendor's client raises the class of the HTTP status with details as dicts, over gRPC
the class of the gRPC status with details as messages; both are read here, so nothing else needs to
know the transport.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import grpc
import requests
from google.api_core import exceptions as api_errors
from google.auth import exceptions as auth_errors
from google.protobuf import json_format
from google.protobuf.message import Message

from cohortd.core.errors import FatalError, RetryableError, SyncError
from connectors.google_access import auth_error
from connectors.google_data_manager.codes import COMMON, CREDENTIALS, REASONS
from connectors.google_data_manager.options import SCOPE
from connectors.google_errors import Refusal, Rule, Verdict, error_of, is_dead_token, row, rule_of_status

PLATFORM: Final = "Google Data Manager"

#: HTTP status of an answer that is no error of Google's -> the gRPC status it stands for.
HTTP: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

_SERVER_ERROR: Final = 500

_MEMBER_FIELD = re.compile(r"audience_?members\[(\d+)\]", re.IGNORECASE)
_CODE = re.compile(r"[A-Z][A-Z0-9_]*")


#: What the vendor's REST client dies of on answers it does not expect.
_CRASHES = (json_format.Error, AttributeError, KeyError, TypeError, ValueError)


@contextmanager
def platform_errors(*, members: Sequence[int] = ()) -> Iterator[None]:
    """Let none of the vendors' errors out, and nothing of their texts.

    Args:
        members: For every row of the request, its member's index in the batch.
    """
    try:
        yield
    except api_errors.GoogleAPICallError as error:
        raise translate(error, members=members) from None
    except grpc.RpcError as error:
        raise translate(api_errors.from_grpc_error(error), members=members) from None
    except (api_errors.GoogleAPIError, requests.RequestException) as error:
        raise RetryableError(f"{PLATFORM} could not be reached ({type(error).__name__})") from None
    except auth_errors.InvalidOperation:
        # A 401 over REST has the vendor's session refresh credentials; a stand-in's cannot be.
        unauthenticated = {"UNAUTHENTICATED": rule_of_status("UNAUTHENTICATED")}
        raise error_of(Refusal(unauthenticated, {}), platform=PLATFORM) from None
    except auth_errors.GoogleAuthError as error:
        raise auth_error(error, scope=SCOPE) from None
    except _CRASHES as error:
        raise RetryableError(f"{PLATFORM}'s answer could not be read ({type(error).__name__})") from None


def translate(error: api_errors.GoogleAPICallError, *, members: Sequence[int] = ()) -> SyncError:
    """Say what an error of either transport means."""
    details = [_as_dict(detail) for detail in error.details or ()]
    status = _status(error)
    if is_dead_token(status, str(error.message)):
        return FatalError(f"{PLATFORM}: Google no longer takes the credentials", cure=CREDENTIALS)
    rows, located, reasons = _violations(details, members)
    rules = {reason: _rule(reason, status, details) for reason in reasons}
    rules |= {reason: _rule_of_row(reason, status, details) for reason in located}
    if not rules:
        rules = {status: rule_of_status(status)}
    if status == "RESOURCE_EXHAUSTED":
        rules = {status: _quota(details)}
    refusal = Refusal(rules, rows, _retry_after_s(error, details), _request_id(details))
    return error_of(refusal, platform=PLATFORM)


def _rule(reason: str, status: str, details: Sequence[Mapping[str, Any]]) -> Rule:
    known = REASONS.get(reason) or COMMON.get(reason)
    if known is None:
        return rule_of_status(status)
    return _quota(details) if known.verdict is Verdict.QUOTA_MINUTE else known


def _rule_of_row(reason: str, status: str, details: Sequence[Mapping[str, Any]]) -> Rule:
    """What a reason means that Google bound to a row: a value too long there is no audience's name."""
    rule = _rule(reason, status, details)
    return row(rule.what) if rule.verdict in (Verdict.BATCH, Verdict.AUDIENCE) else rule


def _violations(
    details: Sequence[Mapping[str, Any]], members: Sequence[int]
) -> tuple[dict[int, str], list[str], list[str]]:
    """Read which members are at fault and why, the reasons among those, and all other reasons."""
    rows: dict[int, str] = {}
    located: list[str] = []
    reasons: list[str] = []
    for detail in details:
        if reason := _code(detail.get("reason")):
            reasons.append(reason)
        for violation in detail.get("fieldViolations", ()):
            reason = _code(violation.get("reason")) or "INVALID_ARGUMENT"
            found = _MEMBER_FIELD.search(str(violation.get("field", "")))
            if found and int(found[1]) < len(members):
                rows.setdefault(members[int(found[1])], reason)
                located.append(reason)
            else:
                reasons.append(reason)
    # Beside a violation the error itself repeats its reason, without a place.
    return rows, located, [reason for reason in reasons if reason not in located]


def _code(value: object) -> str:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def _status(error: api_errors.GoogleAPICallError) -> str:
    try:
        return _code(error.response.json()["error"]["status"]) or _by_number(error)
    except (AttributeError, KeyError, TypeError, ValueError):
        return _by_number(error)


def _by_number(error: api_errors.GoogleAPICallError) -> str:
    if error.grpc_status_code is not None:
        return str(error.grpc_status_code.name)
    number = int(error.code or 0)
    return HTTP.get(number, "UNKNOWN" if number >= _SERVER_ERROR else "FAILED_PRECONDITION")


def _quota(details: Sequence[Mapping[str, Any]]) -> Rule:
    limits = (str(detail.get("metadata", {}).get("quota_limit", "")) for detail in details)
    daily = any("PerDay" in limit for limit in limits)
    if daily:
        return Rule(Verdict.QUOTA_DAY, "a day's quota is used up")
    return Rule(Verdict.QUOTA_MINUTE, "a quota is used up")


def _retry_after_s(
    error: api_errors.GoogleAPICallError, details: Sequence[Mapping[str, Any]]
) -> float | None:
    headers = getattr(error.response, "headers", None) or {}
    texts = [str(detail.get("retryDelay", "")) for detail in details] + [
        str(headers.get("Retry-After", ""))
    ]
    for text in texts:
        if re.fullmatch(r"\d+(\.\d+)?s?", text):
            return float(text.removesuffix("s"))
    return None


def _request_id(details: Sequence[Mapping[str, Any]]) -> str:
    for detail in details:
        found = re.fullmatch(r"[A-Za-z0-9_\-]{1,64}", str(detail.get("requestId", "")))
        if found:
            return found[0]
    return ""


def _as_dict(detail: Any) -> Mapping[str, Any]:
    if isinstance(detail, Message):
        return dict(json_format.MessageToDict(detail))
    return detail if isinstance(detail, dict) else {}
