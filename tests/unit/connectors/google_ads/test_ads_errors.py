"""Every refusal of Google Ads says what to do next, and nothing of what was sent."""

import traceback
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.ads.googleads.errors import GoogleAdsException
from google.ads.googleads.v26.errors.types.errors import ErrorCode, GoogleAdsFailure
from google.api_core import exceptions as api_errors

from cohortd.core.errors import FatalError, RejectedError, RetryableError, SyncError
from connectors.google_ads.codes import CODES, FAMILIES
from connectors.google_ads.errors import platform_errors, translate
from connectors.google_errors import (
    AlreadyStartedError,
    BusyError,
    GoneError,
    NameTakenError,
    TokenRefusedError,
    UnknownCallError,
    Verdict,
)

CLASSES: dict[Verdict, type[SyncError]] = {
    Verdict.ROW: RejectedError,
    Verdict.BATCH: RejectedError,
    Verdict.RETRY: RetryableError,
    Verdict.BUSY: BusyError,
    Verdict.STARTED: AlreadyStartedError,
    Verdict.QUOTA_MINUTE: RetryableError,
    Verdict.QUOTA_DAY: RetryableError,
    Verdict.NAME_TAKEN: NameTakenError,
    Verdict.GONE: GoneError,
    Verdict.AUDIENCE: FatalError,
    Verdict.UNKNOWN_CALL: UnknownCallError,
    Verdict.TOKEN: TokenRefusedError,
    Verdict.DESTINATION: FatalError,
}


def failure(*codes: str, index: int | None = None, retry_s: int | None = None, request_id: str = "") -> Any:
    made = GoogleAdsFailure.pb()(request_id=request_id)
    for code in codes:
        family, _, name = code.partition(".")
        error = made.errors.add(message="leaky text")
        values = ErrorCode.pb().DESCRIPTOR.fields_by_name[family].enum_type.values_by_name
        number = int(name) if name.isdigit() else values[name].number
        setattr(error.error_code, family, number)
        error.trigger.string_value = "0" * 64
        if index is not None:
            element = error.location.field_path_elements.add(field_name="operations")
            element.index = index
        if retry_s is not None:
            error.details.quota_error_details.retry_delay.seconds = retry_s
    return made


def as_call(status: grpc.StatusCode, content: Any | None = None) -> Any:
    key = "google.ads.googleads.v26.errors.googleadsfailure-bin"
    trailers = [("other", "x")] + ([(key, content.SerializeToString())] if content is not None else [])
    return SimpleNamespace(code=lambda: status, trailing_metadata=lambda: trailers)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_table_becomes_the_error_it_stands_for(code: str) -> None:
    error = translate(failure(code), "INVALID_ARGUMENT")
    assert type(error) is CLASSES[CODES[code].verdict]
    assert code in str(error)
    if isinstance(error, FatalError):
        assert error.cure


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_an_unknown_code_is_judged_by_its_family(family: str) -> None:
    error = translate(failure(f"{family}.999"), "INVALID_ARGUMENT", members=[0])
    assert type(error) is CLASSES[FAMILIES[family].verdict]


def test_a_code_of_the_future_at_an_operation_is_that_rows_fault() -> None:
    error = translate(failure("string_length_error.999", index=1), "INVALID_ARGUMENT", members=[4, 5])
    assert isinstance(error, RejectedError)
    assert error.rows == {5: "999"}


def test_a_code_of_the_future_elsewhere_is_judged_by_the_status() -> None:
    assert isinstance(translate(failure("request_error.999"), "FAILED_PRECONDITION"), FatalError)
    assert isinstance(translate(failure("request_error.999"), "INVALID_ARGUMENT"), RejectedError)


def test_bad_rows_are_named_by_their_members() -> None:
    bad = failure("offline_user_data_job_error.INVALID_SHA256_FORMAT", index=0)
    error = translate(bad, "INVALID_ARGUMENT", members=[7])
    assert isinstance(error, RejectedError)
    assert error.rows == {7: "INVALID_SHA256_FORMAT"}


def test_missing_permission_counts_more_than_a_bad_row() -> None:
    both = failure("offline_user_data_job_error.INVALID_ENCODING", index=0)
    both.errors.extend(failure("authorization_error.USER_PERMISSION_DENIED").errors)
    error = translate(both, "PERMISSION_DENIED", members=[0])
    assert isinstance(error, FatalError)
    assert error.scope == "destination"


def test_who_may_no_longer_upload_here_is_told_where_to_go() -> None:
    error = translate(
        failure("not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"), "PERMISSION_DENIED"
    )
    assert isinstance(error, FatalError)
    assert "google_data_manager" in error.cure


def test_a_google_ads_exception_is_translated() -> None:
    wrapped = GoogleAdsFailure.wrap(failure("user_list_error.NAME_ALREADY_USED", request_id="req-1"))
    call = as_call(grpc.StatusCode.INVALID_ARGUMENT)
    with pytest.raises(NameTakenError, match="req-1"), platform_errors(version="v26"):
        raise GoogleAdsException(call, call, wrapped, "req-1")


def test_a_quotas_details_are_dug_out_of_the_trailers() -> None:
    call = as_call(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        failure("quota_error.RESOURCE_TEMPORARILY_EXHAUSTED", retry_s=42),
    )
    with pytest.raises(RetryableError) as caught, platform_errors(version="v26"):
        raise api_errors.ResourceExhausted("x", errors=(call,))
    assert caught.value.after_s == 42


def test_a_day_without_quota_is_asked_about_by_the_hour() -> None:
    call = as_call(grpc.StatusCode.RESOURCE_EXHAUSTED, failure("quota_error.RESOURCE_EXHAUSTED"))
    with pytest.raises(RetryableError, match="day") as caught, platform_errors(version="v26"):
        raise api_errors.ResourceExhausted("x", errors=(call,))
    assert caught.value.after_s == 3600


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (api_errors.InternalServerError("leaky"), RetryableError),
        (api_errors.ServiceUnavailable("leaky"), RetryableError),
        (api_errors.ResourceExhausted("leaky"), RetryableError),
        (api_errors.PermissionDenied("leaky"), FatalError),
        (api_errors.Unauthenticated("leaky"), TokenRefusedError),
        (
            api_errors.ServiceUnavailable("Getting metadata from plugin failed: invalid_grant leaky"),
            FatalError,
        ),
        (api_errors.GoogleAPIError("leaky"), RetryableError),
    ],
)
def test_bare_statuses_are_translated_and_say_nothing_of_the_vendors(
    raised: Exception, expected: type[SyncError]
) -> None:
    def send() -> None:
        with platform_errors(version="v26"):
            raise raised

    with pytest.raises(expected) as caught:
        send()
    assert "leaky" not in "".join(traceback.format_exception(caught.value))


def test_garbled_trailers_are_judged_by_the_status() -> None:
    call = SimpleNamespace(trailing_metadata=lambda: [("x.googleadsfailure-bin", b"\xff\xff")])
    with pytest.raises(RetryableError), platform_errors(version="v26"):
        raise api_errors.InternalServerError("x", errors=(call,))
