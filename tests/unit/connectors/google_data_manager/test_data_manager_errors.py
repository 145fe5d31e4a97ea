"""Every refusal of the Data Manager says what to do next, and nothing of what was sent."""

import json
import traceback
from typing import Any

import grpc
import pytest
import requests
from google.ads import datamanager_v1 as dm
from google.api_core import exceptions as api_errors
from google.auth import exceptions as auth_errors
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2 as details

from cohortd.core.errors import FatalError, RejectedError, RetryableError, SyncError
from connectors.google_data_manager.codes import REASONS
from connectors.google_data_manager.errors import platform_errors, translate
from connectors.google_errors import GoneError, NameTakenError, TokenRefusedError, UnknownCallError, Verdict

#: Of events, licences, partner links and insights: no answer to what cohortd asks.
OF_OTHER_SERVICES = frozenset(
    """
    INVALID_NUMBER_FORMAT INVALID_CONVERSION_ACTION_ID INVALID_CONVERSION_ACTION_TYPE
    INVALID_CURRENCY_CODE INVALID_EVENT TOO_MANY_EVENTS INVALID_PROPERTY_TYPE INVALID_STREAM_TYPE
    DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS
    DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS
    DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED EVENT_TIME_INVALID RESERVED_NAME_USED
    INVALID_EVENT_NAME MULTIPLE_DESTINATIONS_FOR_GOOGLE_ANALYTICS_EVENT CANNOT_UPDATE_DISABLED_LICENSE
    CANNOT_CREATE_LICENSE_FOR_SENSITIVE_USERLIST INSUFFICIENT_COST CANNOT_DISABLE_LICENSE
    INVALID_CLIENT_ACCOUNT_ID PRICING_ONLY_ZERO_COST_ALLOWED PRICE_TOO_HIGH
    CUSTOMER_NOT_ALLOWED_TO_CREATE_LICENSE INVALID_PRICING_END_DATE
    CANNOT_LICENSE_LOGICAL_LIST_WITH_LICENSED_OR_SHARED_SEGMENT
    MEDIA_SHARE_COST_NOT_ALLOWED_FOR_LICENSE_TYPE MEDIA_SHARE_COST_NOT_ALLOWED_FOR_CLIENT_CUSTOMER
    INVALID_MEDIA_SHARE_COST INVALID_COST_TYPE MEDIA_SHARE_COST_NOT_ALLOWED_FOR_NON_COMMERCE_USER_LIST
    MAX_COST_NOT_ALLOWED COMMERCE_AUDIENCE_CAN_ONLY_BE_DIRECTLY_LICENSED BILLABLE_RECORD_COUNT_IMMUTABLE
    UNSUPPORTED_PARTNER_AUDIENCE_SOURCE COMMERCE_PARTNER_NOT_ALLOWED UNSUPPORTED_PARTNER_AUDIENCE_INFO
    PARTNER_MATCH_FOR_MANAGER_ACCOUNT_DISALLOWED DATA_PARTNER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA
    ADVERTISER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA INVALID_COMMERCE_PARTNER
    CUSTOMER_NOT_ALLOWLISTED_FOR_COMMERCE_AUDIENCE UNSUPPORTED_ACCOUNT_TYPE_FOR_PARTNER_LINK
    INVALID_MERCHANT_ID ACCOUNT_INELIGIBLE_FOR_STORE_SALES INVALID_MERCHANT_FEED_LANGUAGE_CODE
    INVALID_SUBDIVISION_CODE INVALID_SUBCONTINENT_CODE INVALID_CONTINENT_CODE INVALID_DEVICE_CATEGORY
    BOTH_CLIENT_ID_AND_APP_INSTANCE_ID_NOT_ALLOWED INVALID_COUPON_CODE EVENT_SOURCE_AND_DESTINATION_MISMATCH
    GOOGLE_ANALYTICS_SUBPROPERTY_OR_ROLLUP_PROPERTY_NOT_ALLOWED CUSTOM_VARIABLE_VALUE_CONTAINS_PII
    CUSTOM_VARIABLE_NOT_ENABLED INVALID_CUSTOM_VARIABLE_VALUE CUSTOM_VARIABLE_NOT_FOUND TOO_MANY_USERS
    BASELINE_LOCATION_AUTO_DETECTION_FAILED INSIGHTS_MISSING_FOR_DIMENSION
    REQUIRED_PREREQUISITE_LINK_MISSING CONVERSION_ACTION_TOO_RECENTLY_CREATED
    INVALID_AD_IDENTIFIER_FOR_ACCOUNT
    """.split()  # noqa: SIM905 - a list of this length is read as words
)
CLASSES: dict[Verdict, type[SyncError]] = {
    Verdict.ROW: RejectedError,
    Verdict.BATCH: RejectedError,
    Verdict.RETRY: RetryableError,
    Verdict.QUOTA_MINUTE: RetryableError,
    Verdict.NAME_TAKEN: NameTakenError,
    Verdict.FORGOTTEN: RejectedError,
    Verdict.GONE: GoneError,
    Verdict.AUDIENCE: FatalError,
    Verdict.UNKNOWN_CALL: UnknownCallError,
    Verdict.TOKEN: TokenRefusedError,
    Verdict.DESTINATION: FatalError,
}


def refusal(kind: Any, *found: Any, message: str = "leaky text") -> Any:
    return kind(message, details=list(found))


def violation(field: str, reason: str) -> Any:
    return details.BadRequest.FieldViolation(field=field, reason=reason, description="0" * 64)


def over_rest(
    number: int, status: str, *found: dict[str, Any], headers: dict[str, str] | None = None
) -> Any:
    response = requests.Response()
    response.status_code = number
    response.headers.update(headers or {})
    body = {"error": {"code": number, "message": "leaky text", "status": status, "details": list(found)}}
    response._content = json.dumps(body).encode()
    response.request = requests.Request("POST", "https://datamanager.example/secret").prepare()
    return api_errors.from_http_response(response)


def test_every_reason_that_google_knows_is_in_the_table_or_of_another_service() -> None:
    known = set(dm.ErrorReason.__members__) - {"ERROR_REASON_UNSPECIFIED"}

    assert known == set(REASONS) | OF_OTHER_SERVICES
    assert not OF_OTHER_SERVICES & set(REASONS)


def test_a_row_whose_value_is_too_long_is_no_audience_with_too_long_a_name() -> None:
    place = "audience_members[1].user_data.user_identifiers[0].email_address"
    bad = details.BadRequest(field_violations=[violation(place, "FIELD_VALUE_TOO_LONG")])
    error = translate(refusal(api_errors.InvalidArgument, bad), members=[10, 11])

    assert isinstance(error, RejectedError)
    assert error.rows == {11: "FIELD_VALUE_TOO_LONG"}


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_of_the_table_becomes_the_error_it_stands_for(reason: str) -> None:
    error = translate(refusal(api_errors.InvalidArgument, details.ErrorInfo(reason=reason)))
    assert type(error) is CLASSES[REASONS[reason].verdict]
    assert reason in str(error)
    if isinstance(error, FatalError):
        assert error.cure
        assert error.scope == ("destination" if REASONS[reason].verdict > Verdict.AUDIENCE else "audience")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (api_errors.ServiceUnavailable, RetryableError),
        (api_errors.DeadlineExceeded, RetryableError),
        (api_errors.InternalServerError, RetryableError),
        (api_errors.Unknown, RetryableError),
        (api_errors.Aborted, RetryableError),
        (api_errors.ResourceExhausted, RetryableError),
        (api_errors.InvalidArgument, RejectedError),
        (api_errors.AlreadyExists, NameTakenError),
        (api_errors.NotFound, GoneError),
        (api_errors.PermissionDenied, FatalError),
        (api_errors.Unauthenticated, TokenRefusedError),
        (api_errors.MethodNotImplemented, UnknownCallError),
        (api_errors.FailedPrecondition, FatalError),
    ],
)
def test_a_bare_status_is_judged_by_itself(kind: Any, expected: type[SyncError]) -> None:
    assert type(translate(refusal(kind))) is expected


@pytest.mark.parametrize(
    ("number", "status", "expected"),
    [
        (400, "INVALID_ARGUMENT", RejectedError),
        (400, "FAILED_PRECONDITION", FatalError),
        (401, "UNAUTHENTICATED", TokenRefusedError),
        (403, "PERMISSION_DENIED", FatalError),
        (404, "NOT_FOUND", GoneError),
        (409, "ALREADY_EXISTS", NameTakenError),
        (409, "ABORTED", RetryableError),
        (429, "RESOURCE_EXHAUSTED", RetryableError),
        (500, "INTERNAL", RetryableError),
        (503, "UNAVAILABLE", RetryableError),
        (504, "DEADLINE_EXCEEDED", RetryableError),
    ],
)
def test_rest_means_the_same_by_its_own_classes(
    number: int, status: str, expected: type[SyncError]
) -> None:
    assert type(translate(over_rest(number, status))) is expected


@pytest.mark.parametrize("number", [502, 503, 504, 429, 400, 401, 404, 418, 599])
def test_a_page_of_something_in_between_is_judged_by_its_number(number: int) -> None:
    response = requests.Response()
    response.status_code = number
    response._content = b"<html>Bad Gateway</html>"
    response.request = requests.Request("POST", "https://datamanager.example/secret").prepare()
    error = translate(api_errors.from_http_response(response))
    assert isinstance(error, RetryableError) == (number in {502, 503, 504, 429, 599})
    assert "html" not in str(error)


def test_bad_rows_are_named_by_their_members() -> None:
    bad = details.BadRequest(
        field_violations=[
            violation(
                "audience_members[1].user_data.user_identifiers[0].email_address", "INVALID_SHA256_FORMAT"
            ),
            violation("audience_members[3]", "REQUIRED_FIELD_MISSING"),
        ]
    )
    info = details.ErrorInfo(reason="INVALID_ARGUMENT")
    error = translate(refusal(api_errors.InvalidArgument, info, bad), members=[10, 11, 12, 12])
    assert isinstance(error, RejectedError)
    assert error.rows == {11: "INVALID_SHA256_FORMAT", 12: "REQUIRED_FIELD_MISSING"}


def test_bad_rows_are_named_over_rest_too() -> None:
    found = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": "audienceMembers[0].userData", "reason": "INVALID_HEX_ENCODING"}],
    }
    error = translate(over_rest(400, "INVALID_ARGUMENT", found), members=[5])
    assert isinstance(error, RejectedError)
    assert error.rows == {5: "INVALID_HEX_ENCODING"}


def test_a_reason_of_the_future_in_a_row_is_the_rows_fault() -> None:
    bad = details.BadRequest(field_violations=[violation("audience_members[0]", "BRAND_NEW_REASON")])
    error = translate(refusal(api_errors.InvalidArgument, bad), members=[0])
    assert isinstance(error, RejectedError)
    assert error.rows == {0: "BRAND_NEW_REASON"}


def test_a_row_that_is_not_ours_names_nobody() -> None:
    bad = details.BadRequest(field_violations=[violation("audience_members[7]", "INVALID_FORMAT")])
    error = translate(refusal(api_errors.InvalidArgument, bad), members=[0])
    assert isinstance(error, RejectedError)
    assert error.rows == {}


def test_unsigned_terms_stop_the_destination_even_beside_bad_rows() -> None:
    bad = details.BadRequest(
        field_violations=[
            violation("audience_members[0]", "INVALID_FORMAT"),
            violation("terms_of_service", "TERMS_AND_CONDITIONS_NOT_SIGNED"),
        ]
    )
    error = translate(refusal(api_errors.InvalidArgument, bad), members=[0])
    assert isinstance(error, FatalError)
    assert error.scope == "destination"
    assert "terms" in error.cure


def test_a_reason_of_the_future_is_permanent_until_a_person_has_looked() -> None:
    error = translate(refusal(api_errors.FailedPrecondition, details.ErrorInfo(reason="BRAND_NEW_REASON")))
    assert isinstance(error, FatalError)
    assert "BRAND_NEW_REASON" in str(error)
    assert error.cure


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("IngestionMutateRequestsPerMinutePerProject", 60),
        ("IngestionMutateRequestsPerDayPerProject", 3600),
        ("", 60),
    ],
)
def test_a_quota_says_when_to_come_back(limit: str, expected: float) -> None:
    info = details.ErrorInfo(reason="RESOURCE_EXHAUSTED", metadata={"quota_limit": limit})
    error = translate(refusal(api_errors.ResourceExhausted, info))
    assert isinstance(error, RetryableError)
    assert error.after_s == expected


def test_google_knows_best_when_to_come_back() -> None:
    delay = details.RetryInfo(retry_delay=duration_pb2.Duration(seconds=90, nanos=500_000_000))
    error = translate(refusal(api_errors.ResourceExhausted, delay))
    assert isinstance(error, RetryableError)
    assert error.after_s == 90.5
    found = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
    error = translate(over_rest(429, "RESOURCE_EXHAUSTED", found))
    assert isinstance(error, RetryableError)
    assert error.after_s == 7
    error = translate(over_rest(503, "UNAVAILABLE", headers={"Retry-After": "12"}))
    assert isinstance(error, RetryableError)
    assert error.after_s == 12


def test_a_dead_token_in_disguise_is_found_out() -> None:
    message = "Getting metadata from plugin failed with error: ('invalid_grant: Bad Request', {})"
    error = translate(refusal(api_errors.ServiceUnavailable, message=message))
    assert isinstance(error, FatalError)
    assert error.scope == "destination"


def test_googles_request_id_is_passed_on_and_its_words_are_not() -> None:
    info = details.RequestInfo(request_id="abc-123")
    error = translate(refusal(api_errors.InvalidArgument, info))
    assert "abc-123" in str(error)
    assert "leaky" not in str(error)


@pytest.mark.parametrize(
    "raised",
    [
        requests.ConnectionError("https://datamanager.example/secret"),
        requests.Timeout("https://datamanager.example/secret"),
        api_errors.RetryError("https://datamanager.example/secret", cause=None),
        auth_errors.TransportError("https://datamanager.example/secret"),
        refusal(api_errors.ServiceUnavailable, message="https://datamanager.example/secret"),
    ],
)
def test_nothing_of_the_vendors_leaves_not_even_in_a_traceback(raised: Exception) -> None:
    def send() -> None:
        with platform_errors():
            raise raised

    with pytest.raises(RetryableError) as caught:
        send()
    printed = "".join(traceback.format_exception(caught.value))
    assert "secret" not in printed


def test_a_grpc_status_without_a_class_of_its_own_is_known() -> None:
    error = translate(api_errors.from_grpc_status(grpc.StatusCode.DATA_LOSS, "x"))
    assert isinstance(error, FatalError)
    assert error.scope == "audience"
