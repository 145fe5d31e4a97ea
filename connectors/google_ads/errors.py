"""From the Google Ads API's errors to ours, by the table in ``codes``.

How they surface: ``GoogleAdsException`` for every status but INTERNAL and RESOURCE_EXHAUSTED, which
come as ``google.api_core.exceptions`` with the failure buried in the call's trailing metadata. Adding
operations answers with a partial failure instead.
"""

import re
from collections.abc import Iterator, Sequence
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
from connectors.google_ads.codes import CODES, CREDENTIALS, FAMILIES
from connectors.google_ads.options import SCOPE
from connectors.google_errors import Refusal, Rule, error_of, is_dead_token, row, rule_of_status

PLATFORM: Final = "Google Ads"


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
    return row("something in the row is not taken") if located else rule_of_status(status)


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
        return FatalError(f"{PLATFORM}: Google no longer takes the credentials", cure=CREDENTIALS)
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
