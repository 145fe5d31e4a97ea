"""How a refusal looks on the wire, for each of Google's APIs."""

from collections.abc import Iterable
from typing import Any, Final

import grpc
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.protobuf import duration_pb2, json_format
from google.rpc import code_pb2, error_details_pb2, status_pb2

from cohortd.emulators.calls import HTTP_OF_STATUS
from cohortd.emulators.google_calls import Problem, RefusedError

_DOMAIN: Final = "datamanager.googleapis.com"


def data_manager_status(refused: RefusedError, *, request_id: str) -> status_pb2.Status:
    """A Data Manager refusal: ErrorInfo, BadRequest, RetryInfo and RequestInfo as they apply."""
    status = status_pb2.Status(
        code=getattr(code_pb2, refused.status), message="The emulator refused the request."
    )
    status.details.add().Pack(error_details_pb2.RequestInfo(request_id=request_id))
    located = [problem for problem in refused.problems if problem.field]
    if refused.problems:
        metadata = {"quota_limit": refused.quota_limit} if refused.quota_limit else {}
        reason = "INVALID_ARGUMENT" if len(located) > 1 else refused.problems[0].code
        info = error_details_pb2.ErrorInfo(reason=reason, domain=_DOMAIN, metadata=metadata)
        status.details.add().Pack(info)
    if located:
        violations = [
            error_details_pb2.BadRequest.FieldViolation(
                field=each.field, description=f"{each.field} is not right", reason=each.code
            )
            for each in located
        ]
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=violations))
    if refused.retry_after_s is not None:
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=_duration(refused.retry_after_s)))
    return status


def data_manager_json(refused: RefusedError, *, request_id: str) -> tuple[int, dict[str, Any]]:
    """The same for REST: HTTP status and body."""
    content = json_format.MessageToDict(data_manager_status(refused, request_id=request_id))
    number = HTTP_OF_STATUS.get(refused.status, 500)
    return number, {"error": {**content, "code": number, "status": refused.status}}


def ads_failure(
    problems: Iterable[Problem], *, retry_after_s: float | None = None, request_id: str = ""
) -> Any:
    """A Google Ads refusal."""
    failure = GoogleAdsFailure.pb()()
    failure.request_id = request_id
    for problem in problems:
        error = failure.errors.add()
        family, _, name = problem.code.partition(".")
        if family in error.error_code.DESCRIPTOR.fields_by_name:
            setattr(error.error_code, family, enum_number(error.error_code, family, name))
        error.message = "The emulator refused the request."
        if problem.field:
            element = error.location.field_path_elements.add()
            element.field_name = problem.field
            if problem.index is not None:
                element.index = problem.index
        if retry_after_s is not None:
            error.details.quota_error_details.retry_delay.CopyFrom(_duration(retry_after_s))
    return failure


def grpc_code(refused: RefusedError) -> Any:
    """The gRPC status of a refusal."""
    return grpc.StatusCode[refused.status]


def enum_number(message: Any, field: str, name: str) -> int:
    """The number of an enum's value, by the field that holds it; 1 (UNKNOWN) where it has none."""
    values = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_name
    return int(values[name].number) if name in values else 1


def _duration(seconds: float) -> duration_pb2.Duration:
    whole = int(seconds)
    return duration_pb2.Duration(seconds=whole, nanos=round((seconds - whole) * 1e9))
