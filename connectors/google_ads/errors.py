"""The Google Ads API's error codes, and what each means for us.

A code is written as its enum's field in ``ErrorCode`` and its name: ``quota_error.RESOURCE_EXHAUSTED``.
Unknown codes are judged by their family, then by the status they came with; one that is bound to an
operation is that row's fault.

How they surface (platforms/google.md §5): ``GoogleAdsException`` for every status but INTERNAL and
RESOURCE_EXHAUSTED, which come as ``google.api_core.exceptions`` with the failure buried in the
call's trailing metadata. Adding operations answers with a partial failure instead.

Source: ``google.ads.googleads.v26.errors`` of google-ads 34.0.0.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import grpc
import requests
from google.ads.googleads.errors import GoogleAdsException
from google.api_core import exceptions as api_errors
from google.auth import exceptions as auth_errors
from google.protobuf.message import DecodeError

from cohortd.core.errors import FatalError, RetryableError, SyncError
from connectors.google_access import auth_error
from connectors.google_ads.options import SCOPE
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

PLATFORM: Final = "Google Ads"

_CREDENTIALS = f"Give cohortd credentials that cover the scope {SCOPE}."
_NOT_ALLOWED = (
    "Google takes Customer Match uploads here only from those who did so before April 2026: "
    "set the destination's platform to google_data_manager."
)
_NAME = "Choose another name or description for the audience in the settings."
_PROJECT = "Mend the access of the credentials' Cloud project to the Google Ads API."
_DAY = Rule(Verdict.QUOTA_DAY)
_MINUTE = Rule(Verdict.QUOTA_MINUTE)

CODES: Final[Mapping[str, Rule]] = {
    "internal_error.INTERNAL_ERROR": RETRY,
    "internal_error.TRANSIENT_ERROR": RETRY,
    "internal_error.DEADLINE_EXCEEDED": RETRY,
    "database_error.CONCURRENT_MODIFICATION": RETRY,
    "database_error.DATA_CONSTRAINT_VIOLATION": RETRY,
    "database_error.REQUEST_TOO_LARGE": BATCH,
    "quota_error.RESOURCE_TEMPORARILY_EXHAUSTED": _MINUTE,
    "quota_error.RESOURCE_EXHAUSTED": _DAY,
    "quota_error.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION": _MINUTE,
    "quota_error.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION": _DAY,
    "quota_error.ACCESS_PROHIBITED": Rule(Verdict.DESTINATION, _PROJECT),
    "authentication_error.OAUTH_TOKEN_EXPIRED": Rule(Verdict.TOKEN, _CREDENTIALS),
    "authentication_error.OAUTH_TOKEN_INVALID": Rule(Verdict.TOKEN, _CREDENTIALS),
    "authentication_error.CUSTOMER_NOT_FOUND": Rule(
        Verdict.DESTINATION, "Mend customer_id: there is no such account."
    ),
    "authentication_error.TWO_STEP_VERIFICATION_NOT_ENROLLED": Rule(
        Verdict.DESTINATION,
        "Enrol the credentials' user in two-step verification, or use a service account.",
    ),
    "authorization_error.USER_PERMISSION_DENIED": Rule(Verdict.DESTINATION, ACCESS),
    "authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": Rule(Verdict.DESTINATION, _PROJECT),
    "authorization_error.PROJECT_DISABLED": Rule(Verdict.DESTINATION, _PROJECT),
    "authorization_error.MISSING_TOS": Rule(Verdict.DESTINATION, "Accept the terms of the Google Ads API."),
    "authorization_error.CUSTOMER_NOT_ENABLED": Rule(
        Verdict.DESTINATION, "Re-activate the account in Google Ads."
    ),
    "authorization_error.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": Rule(
        Verdict.DESTINATION, "The account is suspended: settle that with Google first."
    ),
    "not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE": Rule(
        Verdict.DESTINATION, _NOT_ALLOWED
    ),
    "user_data_error.OPERATIONS_FOR_CUSTOMER_MATCH_NOT_ALLOWED": Rule(Verdict.DESTINATION, _NOT_ALLOWED),
    "user_list_error.ADVERTISER_NOT_ON_ALLOWLIST_FOR_USING_UPLOADED_DATA": Rule(
        Verdict.DESTINATION, "The account may not use Customer Match: see its policy and payment history."
    ),
    "user_list_error.NAME_ALREADY_USED": Rule(Verdict.NAME_TAKEN),
    "user_list_error.INVALID_NAME": Rule(Verdict.AUDIENCE, _NAME),
    "user_list_error.INVALID_DESCRIPTION": Rule(Verdict.AUDIENCE, _NAME),
    "user_list_error.USERLIST_NAME_IS_RESERVED_FOR_SYSTEM_LIST": Rule(Verdict.AUDIENCE, _NAME),
    "user_list_error.OWNERSHIP_REQUIRED_FOR_SET": Rule(Verdict.AUDIENCE, LIST),
    "user_list_error.USER_LIST_MUTATE_NOT_SUPPORTED": Rule(Verdict.AUDIENCE, LIST),
    "range_error.TOO_HIGH": Rule(Verdict.AUDIENCE, "Set a membership of at most 540 days."),
    "mutate_error.RESOURCE_NOT_FOUND": Rule(Verdict.GONE, LIST),
    "offline_user_data_job_error.INVALID_USER_LIST_ID": Rule(Verdict.GONE, LIST),
    "offline_user_data_job_error.INVALID_USER_LIST_TYPE": Rule(Verdict.AUDIENCE, LIST),
    "offline_user_data_job_error.INCOMPATIBLE_UPLOAD_KEY_TYPE": Rule(Verdict.AUDIENCE, LIST),
    "offline_user_data_job_error.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS": Rule(
        Verdict.DESTINATION, "Accept the customer data terms (Customer Match) in Google Ads."
    ),
    "offline_user_data_job_error.JOB_ALREADY_STARTED": Rule(Verdict.STARTED),
    "offline_user_data_job_error.CONFLICTING_OPERATION": BATCH,
    "offline_user_data_job_error.INVALID_OPERATION_ORDER": BATCH,
    "offline_user_data_job_error.TOO_MANY_USER_IDENTIFIERS": BATCH,
    "offline_user_data_job_error.INVALID_SHA256_FORMAT": ROW,
    "offline_user_data_job_error.MISSING_USER_IDENTIFIER": ROW,
    "offline_user_data_job_error.INCOMPATIBLE_USER_IDENTIFIER": ROW,
    "offline_user_data_job_error.INVALID_COUNTRY_CODE": ROW,
    "offline_user_data_job_error.INVALID_MOBILE_ID_FORMAT": ROW,
    "offline_user_data_job_error.INVALID_ENCODING": ROW,
}

#: Families whose unknown members are not the row's or the audience's fault.
FAMILIES: Final[Mapping[str, Rule]] = {
    "authentication_error": Rule(Verdict.DESTINATION, _CREDENTIALS),
    "authorization_error": Rule(Verdict.DESTINATION, ACCESS),
    "operation_access_denied_error": Rule(Verdict.DESTINATION, ACCESS),
    "resource_access_denied_error": Rule(Verdict.DESTINATION, ACCESS),
    "not_allowlisted_error": Rule(Verdict.DESTINATION, _NOT_ALLOWED),
    "quota_error": _DAY,
}


@contextmanager
def platform_errors(*, version: str, members: Sequence[int] = ()) -> Iterator[None]:
    """Let none of the vendor's errors out, and nothing of their texts.

    Args:
        version: The API version, by whose messages a failure is read.
        members: For every operation of the request, its member's index in the batch.
    """
    try:
        yield
    except GoogleAdsException as error:
        failure = type(error.failure).pb(error.failure)
        raise translate(failure, error.error.code().name, members=members) from None
    except api_errors.GoogleAPICallError as error:
        raise _of_call(error, version, members) from None
    except grpc.RpcError as error:
        raise _of_call(api_errors.from_grpc_error(error), version, members) from None
    except (api_errors.GoogleAPIError, requests.RequestException) as error:
        raise RetryableError(f"{PLATFORM} could not be reached ({type(error).__name__})") from None
    except auth_errors.GoogleAuthError as error:
        raise auth_error(error, scope=SCOPE) from None


def translate(failure: Any, status: str, *, members: Sequence[int] = ()) -> SyncError:
    """Say what a GoogleAdsFailure means."""
    rules: dict[str, Rule] = {}
    rows: dict[int, str] = {}
    delay: float | None = None
    for error in failure.errors:
        code = code_of(error)
        index = operation_of(error)
        located = index is not None and index < len(members)
        rules[code] = rule_of(code, status, located=located)
        if index is not None and located:
            rows.setdefault(members[index], code.rpartition(".")[2])
        quota = error.details.quota_error_details
        if quota.HasField("retry_delay"):
            delay = max(delay or 0.0, quota.retry_delay.ToTimedelta().total_seconds())
    if not rules:
        rules = {status: rule_of_status(status)}
    request_id = failure.request_id if re.fullmatch(r"[A-Za-z0-9_\-]{1,64}", failure.request_id) else ""
    return error_of(Refusal(rules, rows, delay, request_id), platform=PLATFORM)


def rule_of(code: str, status: str, *, located: bool) -> Rule:
    """What one code means; ``located`` says that Google bound it to an operation."""
    known = CODES.get(code) or FAMILIES.get(code.partition(".")[0])
    if known is not None:
        return known
    return ROW if located else rule_of_status(status)


def code_of(error: Any) -> str:
    """Name a GoogleAdsError's code."""
    family = error.error_code.WhichOneof("error_code")
    if family is None:
        return "UNKNOWN"
    number = getattr(error.error_code, family)
    value = error.error_code.DESCRIPTOR.fields_by_name[family].enum_type.values_by_number.get(number)
    return f"{family}.{value.name if value else number}"


def operation_of(error: Any) -> int | None:
    """Which operation of the request an error is bound to."""
    for element in error.location.field_path_elements:
        if element.field_name == "operations" and element.HasField("index"):
            return int(element.index)
    return None


def _of_call(error: api_errors.GoogleAPICallError, version: str, members: Sequence[int]) -> SyncError:
    status = error.grpc_status_code.name if error.grpc_status_code is not None else "UNKNOWN"
    if is_dead_token(status, str(error.message)):
        return FatalError(f"{PLATFORM}: Google no longer takes the credentials", cure=_CREDENTIALS)
    failure_type = import_module(
        f"google.ads.googleads.{version}.errors.types.errors"
    ).GoogleAdsFailure.pb()
    failure = failure_type()
    for key, value in _trailers(error):
        if key.endswith("googleadsfailure-bin"):
            try:
                failure = failure_type.FromString(value)
            except DecodeError:
                continue
    return translate(failure, status, members=members)


def _trailers(error: api_errors.GoogleAPICallError) -> Sequence[tuple[str, Any]]:
    for call in error.errors:
        trailing_metadata = getattr(call, "trailing_metadata", None)
        if trailing_metadata is not None:
            return tuple(trailing_metadata() or ())
    return ()
