"""The emulated Data Manager API, behind both of its transports.

Methods take and give the vendor's plain protobuf messages, so that gRPC and REST are two ways to
the same code.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, Final

from google.ads import datamanager_v1 as dm

from cohortd.core.times import format_time, parse_time
from cohortd.emulators.google_calls import Problem, RefusedError, Words
from cohortd.emulators.google_lists import UserLists, known_account
from cohortd.emulators.google_members import (
    DESTINATIONS_PER_REQUEST,
    check_members,
    consent_problem,
    row_of,
)
from cohortd.emulators.google_state import GoogleState, Work
from cohortd.emulators.state import Audience


def _problem(code: str, row: int | None) -> Problem:
    return Problem(code, "" if row is None else f"audience_members[{row}].user_data")


def _warn(answer: Any, code: str, row: int) -> None:
    if "field_warnings" in answer.DESCRIPTOR.fields_by_name:
        known = dm.WarningReason.__members__.get(code, 0)
        answer.field_warnings.add(reason=known, field=f"audience_members[{row}]", description="emulated")


WORDS: Final = Words(
    quota="RESOURCE_EXHAUSTED",
    token_expired="ACCESS_TOKEN_EXPIRED",  # noqa: S106 - a reason
    internal="INTERNAL_ERROR",
    problem=_problem,
    warn=_warn,
)
#: How long Google knows what became of a request.
_STATUS_KEPT_FOR: Final = timedelta(days=50)
_STATUSES: Final = {"processing": 2, "success": 1, "partial": 4, "failed": 3}
_REASON: Final = "PROCESSING_ERROR_REASON_"


class DataManager:
    """Both services of the Data Manager API that audiences need."""

    def __init__(self, state: GoogleState) -> None:
        self._state = state

    def methods(self) -> Mapping[str, tuple[str, type, Callable[[Any], Any]]]:
        """Service/Method -> the call's name, the request's wrapper class and who answers it."""
        lists = UserLists(self._state)
        return {
            "IngestionService/IngestAudienceMembers": (
                "dm.audience_members.ingest",
                dm.IngestAudienceMembersRequest,
                self.ingest,
            ),
            "IngestionService/RemoveAudienceMembers": (
                "dm.audience_members.remove",
                dm.RemoveAudienceMembersRequest,
                self.remove,
            ),
            "IngestionService/RemoveAllAudienceMembers": (
                "dm.audience_members.remove_all",
                dm.RemoveAllAudienceMembersRequest,
                self.remove_all,
            ),
            "IngestionService/RetrieveRequestStatus": (
                "dm.request_status.retrieve",
                dm.RetrieveRequestStatusRequest,
                self.retrieve,
            ),
            "UserListService/CreateUserList": (
                "dm.user_lists.create",
                dm.CreateUserListRequest,
                lists.create,
            ),
            "UserListService/GetUserList": ("dm.user_lists.get", dm.GetUserListRequest, lists.get),
            "UserListService/ListUserLists": ("dm.user_lists.list", dm.ListUserListsRequest, lists.page),
            "UserListService/UpdateUserList": (
                "dm.user_lists.update",
                dm.UpdateUserListRequest,
                lists.update,
            ),
            "UserListService/DeleteUserList": (
                "dm.user_lists.delete",
                dm.DeleteUserListRequest,
                lists.delete,
            ),
        }

    def ingest(self, request: Any) -> Any:
        """Take people in."""
        answer = dm.IngestAudienceMembersResponse.pb()()
        if not self._state.rules.terms_accepted:
            raise RefusedError("FAILED_PRECONDITION", Problem("TERMS_AND_CONDITIONS_NOT_SIGNED"))
        audiences = self._destinations(request, open_only=True)
        check_members(request)
        left_out: Counter[str] = Counter()
        rows = []
        for member in request.audience_members:
            problem = consent_problem(member, request)
            if problem:
                left_out[problem] += 1
            else:
                rows.append(row_of(member, request.encoding))
        answer.request_id = self._accept(request, audiences, action="add", rows=rows, left_out=left_out)
        return answer

    def remove(self, request: Any) -> Any:
        """Take people out."""
        answer = dm.RemoveAudienceMembersResponse.pb()()
        audiences = self._destinations(request)
        check_members(request)
        rows = [row_of(member, request.encoding) for member in request.audience_members]
        answer.request_id = self._accept(request, audiences, action="remove", rows=rows)
        return answer

    def remove_all(self, request: Any) -> Any:
        """Take everybody out, or only who was last added before a time."""
        answer = dm.RemoveAllAudienceMembersResponse.pb()()
        audiences = self._destinations(request)
        as_of = ""
        if request.HasField("remove_as_of_time"):
            time = request.remove_as_of_time.ToDatetime(UTC)
            as_of = format_time(time)
            if time > self._state.clock():
                raise RefusedError(
                    "INVALID_ARGUMENT", Problem("INVALID_REMOVE_AS_OF_TIME", "remove_as_of_time")
                )
        answer.request_id = self._accept(request, audiences, action="remove_all", as_of=as_of)
        return answer

    def retrieve(self, request: Any) -> Any:
        """Say how a request stands, destination by destination."""
        answer = dm.RetrieveRequestStatusResponse.pb()()
        number = 0
        while work := self._state.work(f"{request.request_id}-{number}"):
            if self._state.clock() - parse_time(work.due_at) > _STATUS_KEPT_FOR:
                raise RefusedError("INVALID_ARGUMENT", Problem("REQUEST_TOO_OLD", "request_id"))
            _fill_status(answer.request_status_per_destination.add(), work)
            number += 1
        if not number:
            raise RefusedError("INVALID_ARGUMENT", Problem("INVALID_REQUEST_ID", "request_id"))
        return answer

    def _destinations(self, request: Any, *, open_only: bool = False) -> list[Audience]:
        if not request.destinations:
            raise RefusedError("INVALID_ARGUMENT", Problem("REQUIRED_FIELD_MISSING", "destinations"))
        if len(request.destinations) > DESTINATIONS_PER_REQUEST:
            raise RefusedError("INVALID_ARGUMENT", Problem("TOO_MANY_DESTINATIONS", "destinations"))
        audiences = []
        for index, destination in enumerate(request.destinations):
            path = f"destinations[{index}]"
            owner = destination.operating_account
            if owner.account_type != dm.ProductAccount.AccountType.GOOGLE_ADS or not owner.account_id:
                raise RefusedError(
                    "INVALID_ARGUMENT", Problem("INVALID_DESTINATION", f"{path}.operating_account")
                )
            audience = self._state.audience(
                known_account(self._state, owner.account_id), destination.product_destination_id
            )
            if audience is None:
                raise RefusedError(
                    "INVALID_ARGUMENT", Problem("INVALID_USER_LIST_ID", f"{path}.product_destination_id")
                )
            if open_only and audience.attributes.get("closed"):
                raise RefusedError("INVALID_ARGUMENT", Problem("INVALID_DESTINATION", path))
            audiences.append(audience)
        return audiences

    def _accept(
        self,
        request: Any,
        audiences: list[Audience],
        *,
        action: str,
        rows: list[list[str]] | None = None,
        left_out: Mapping[str, int] | None = None,
        as_of: str = "",
    ) -> str:
        if request.validate_only:
            return ""
        request_id = self._state.new_id()
        for number, audience in enumerate(audiences):
            work = Work(
                id=f"{request_id}-{number}",
                call="dm.audience_members",
                account=audience.account,
                audience=audience.id,
                action=action,
                due_at=self._state.due_at(),
                rows=rows or [],
                left_out=dict(left_out or {}),
                records=len(rows or []) + sum((left_out or {}).values()),
                identifiers=sum(map(len, rows or [])),
                as_of=as_of,
            )
            self._state.accept(work)
        return request_id


def _fill_status(status: Any, work: Work) -> None:
    status.destination.operating_account.account_id = work.account
    status.destination.operating_account.account_type = dm.ProductAccount.AccountType.GOOGLE_ADS
    status.destination.product_destination_id = work.audience
    status.request_status = _STATUSES[work.status]
    if work.status == "processing":
        return
    for reason, count in work.left_out.items():
        error = status.error_info.error_counts.add()
        error.record_count = count
        known = getattr(dm.ProcessingErrorReason, f"{_REASON}{reason}", None)
        error.reason = known if known is not None else 0
    if work.action == "add":
        counts = status.audience_members_ingestion_status.user_data_ingestion_status
        if work.status != "failed":  # everybody is recognized here
            counts.upload_match_rate_range = dm.MatchRateRange.MATCH_RATE_RANGE_91_TO_100
    elif work.action == "remove":
        counts = status.audience_members_removal_status.user_data_removal_status
    else:
        status.remove_all_audience_members_status.SetInParent()
        return
    counts.record_count, counts.user_identifier_count = work.records, work.identifiers
