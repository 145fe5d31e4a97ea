"""The Data Manager API's error reasons, and what each means for us.

The enum is "not frozen": a reason that is not in the table is judged by the status it came with
(``google_errors.STATUSES``), and is permanent where that is no help. Over REST the vendor's client
raises the class of the HTTP status with details as dicts, over gRPC the class of the gRPC status
with details as messages; both are read here, so nothing else needs to know the transport.

Source: ``google.ads.datamanager_v1.types.error`` 0.9.4; platforms/google.md §2d and §5.
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
from connectors.google_data_manager.options import SCOPE
from connectors.google_errors import (
    ACCESS,
    BATCH,
    LIST,
    RETRY,
    ROW,
    Refusal,
    Rule,
    Verdict,
    error_of,
    is_dead_token,
    rule_of_status,
)

PLATFORM: Final = "Google Data Manager"

_CREDENTIALS = f"Give cohortd credentials that cover the scope {SCOPE}."
_ALLOWLIST = (
    "The account may not use Customer Match yet: see its policy and payment history requirements, "
    "or ask your Google representative."
)
_ENABLE = "Enable the Data Manager API in the credentials' Cloud project."
_NAME = "Choose another name or description for the audience in the settings."

REASONS: Final[Mapping[str, Rule]] = {
    "INTERNAL_ERROR": RETRY,
    "DEADLINE_EXCEEDED": RETRY,
    "RESOURCE_EXHAUSTED": Rule(Verdict.QUOTA_MINUTE),
    "RATE_LIMIT_EXCEEDED": Rule(Verdict.QUOTA_MINUTE),
    "REQUIRED_FIELD_MISSING": ROW,
    "INVALID_FORMAT": ROW,
    "INVALID_HEX_ENCODING": ROW,
    "INVALID_BASE64_ENCODING": ROW,
    "INVALID_SHA256_FORMAT": ROW,
    "INVALID_POSTAL_CODE": ROW,
    "INVALID_COUNTRY_CODE": ROW,
    "INVALID_REGION_CODE": ROW,
    "INVALID_AUDIENCE_MEMBER": ROW,
    "TOO_MANY_USER_IDENTIFIERS": ROW,
    "INVALID_MOBILE_ID_FORMAT": ROW,
    "NO_IDENTIFIERS_PROVIDED": ROW,
    "INVALID_ARGUMENT": BATCH,
    "TOO_MANY_AUDIENCE_MEMBERS": BATCH,
    "MULTIPLE_DATA_TYPES_NOT_ALLOWED": BATCH,
    "DISPLAY_NAME_ALREADY_USED": Rule(Verdict.NAME_TAKEN),
    "ALREADY_EXISTS": Rule(Verdict.NAME_TAKEN),
    "INVALID_REQUEST_ID": Rule(Verdict.FORGOTTEN),
    "REQUEST_TOO_OLD": Rule(Verdict.FORGOTTEN),
    "NOT_FOUND": Rule(Verdict.GONE, LIST),
    "INVALID_USER_LIST_ID": Rule(Verdict.GONE, LIST),
    "INVALID_USER_LIST_TYPE": Rule(Verdict.AUDIENCE, LIST),
    "INVALID_DESTINATION": Rule(Verdict.AUDIENCE, LIST),
    "INVALID_RESOURCE_NAME": Rule(Verdict.AUDIENCE, LIST),
    "OWNERSHIP_REQUIRED_FOR_UPDATE": Rule(Verdict.AUDIENCE, LIST),
    "USER_LIST_MUTATION_NOT_SUPPORTED": Rule(Verdict.AUDIENCE, LIST),
    "SENSITIVE_USER_LIST_IMMUTABLE": Rule(
        Verdict.AUDIENCE,
        "Google holds the audience for sensitive: give its segment another name and appeal.",
    ),
    "INVALID_DISPLAY_NAME": Rule(Verdict.AUDIENCE, _NAME),
    "INVALID_DESCRIPTION": Rule(Verdict.AUDIENCE, _NAME),
    "USER_LIST_NAME_RESERVED": Rule(Verdict.AUDIENCE, _NAME),
    "FIELD_VALUE_TOO_LONG": Rule(Verdict.AUDIENCE, _NAME),
    "MEMBERSHIP_DURATION_TOO_LONG": Rule(Verdict.AUDIENCE, "Set a membership of at most 540 days."),
    "PERMISSION_DENIED": Rule(Verdict.DESTINATION, ACCESS),
    "NOT_ALLOWLISTED": Rule(Verdict.DESTINATION, _ALLOWLIST),
    "ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA": Rule(Verdict.DESTINATION, _ALLOWLIST),
    "TERMS_AND_CONDITIONS_NOT_SIGNED": Rule(
        Verdict.DESTINATION,
        "Accept the customer data terms (Customer Match) in Google Ads.",
    ),
    "ADVERTISER_TOS_NOT_ACCEPTED": Rule(Verdict.DESTINATION, "Accept the terms of service in Google Ads."),
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": Rule(
        Verdict.DESTINATION, "Make the EU political advertising declaration for the account's campaigns."
    ),
    "USER_LIST_TYPE_NOT_SUPPORTED_FOR_ACCOUNT": Rule(Verdict.DESTINATION, _ALLOWLIST),
    "UNSUPPORTED_ACCOUNT_TYPES_FOR_USER_LIST_TYPE": Rule(Verdict.DESTINATION, ACCESS),
    "DESTINATION_ACCOUNT_TYPE_MISMATCH": Rule(
        Verdict.DESTINATION, "Mend account_id: it is no Google Ads account."
    ),
    "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH": Rule(Verdict.DESTINATION, ACCESS),
    # Google's own, common to all its APIs.
    "SERVICE_DISABLED": Rule(Verdict.DESTINATION, _ENABLE),
    "BILLING_DISABLED": Rule(Verdict.DESTINATION, "Enable billing in the credentials' Cloud project."),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Rule(Verdict.DESTINATION, _CREDENTIALS),
    "ACCESS_TOKEN_EXPIRED": Rule(Verdict.TOKEN, _CREDENTIALS),
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": Rule(Verdict.DESTINATION, _CREDENTIALS),
    "CREDENTIALS_MISSING": Rule(Verdict.DESTINATION, _CREDENTIALS),
    "ACCOUNT_STATE_INVALID": Rule(Verdict.DESTINATION, _CREDENTIALS),
    "USER_PROJECT_DENIED": Rule(Verdict.DESTINATION, ACCESS),
}

_HTTP: Final[Mapping[int, str]] = {
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
    except auth_errors.GoogleAuthError as error:
        raise auth_error(error, scope=SCOPE) from None


def translate(error: api_errors.GoogleAPICallError, *, members: Sequence[int] = ()) -> SyncError:
    """Say what an error of either transport means."""
    details = [_as_dict(detail) for detail in error.details or ()]
    status = _status(error)
    if is_dead_token(status, str(error.message)):
        return FatalError(f"{PLATFORM}: Google no longer takes the credentials", cure=_CREDENTIALS)
    rows, reasons = _violations(details, members)
    rules = {reason: _rule(reason, status, details) for reason in reasons}
    if not rules:
        rules = {status: rule_of_status(status)}
    if status == "RESOURCE_EXHAUSTED":
        rules = {status: _quota(details)}
    refusal = Refusal(rules, rows, _retry_after_s(error, details), _request_id(details))
    return error_of(refusal, platform=PLATFORM)


def _rule(reason: str, status: str, details: Sequence[Mapping[str, Any]]) -> Rule:
    known = REASONS.get(reason)
    if known is None:
        return rule_of_status(status)
    return _quota(details) if known.verdict is Verdict.QUOTA_MINUTE else known


def _violations(
    details: Sequence[Mapping[str, Any]], members: Sequence[int]
) -> tuple[dict[int, str], list[str]]:
    rows: dict[int, str] = {}
    reasons: list[str] = []
    for detail in details:
        if reason := _code(detail.get("reason")):
            reasons.append(reason)
        for violation in detail.get("fieldViolations", ()):
            reason = _code(violation.get("reason")) or "INVALID_ARGUMENT"
            found = _MEMBER_FIELD.search(str(violation.get("field", "")))
            if found and int(found[1]) < len(members):
                rows.setdefault(members[int(found[1])], reason)
            reasons.append(reason)
    return rows, reasons


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
    return _HTTP.get(number, "UNKNOWN" if number >= _SERVER_ERROR else "FAILED_PRECONDITION")


def _quota(details: Sequence[Mapping[str, Any]]) -> Rule:
    limits = (str(detail.get("metadata", {}).get("quota_limit", "")) for detail in details)
    daily = any("PerDay" in limit for limit in limits)
    return Rule(Verdict.QUOTA_DAY if daily else Verdict.QUOTA_MINUTE)


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
