"""The emulated Google Ads API's offline user data jobs."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from google.ads.googleads.v26.services.types import offline_user_data_job_service as job_types
from google.ads.googleads.v26.services.types.google_ads_service import GoogleAdsRow
from google.longrunning import operations_pb2
from google.protobuf import any_pb2
from google.rpc import status_pb2

from cohortd.core.times import format_time, parse_time
from cohortd.emulators.google_calls import Problem, RefusedError
from cohortd.emulators.google_operations import check_request, problem_of, row_of
from cohortd.emulators.google_state import GoogleState, Work
from cohortd.emulators.google_wire import ads_failure, enum_number

LIST_NAME: Final = re.compile(r"customers/(\d+)/userLists/(\d+)")
#: Everybody is recognized here.
_RECOGNIZED: Final = "MATCH_RANGE_91_TO_100"
_JOB_NAME: Final = re.compile(r"customers/(\d+)/offlineUserDataJobs/(\d+)")
#: A job must be run within so long of its creation.
RUN_WITHIN: Final = timedelta(days=5)
_JOB: Final = "offline_user_data_job_error"
#: Of a failed job some operations may have been applied; there is no word for a partial success.
_STATES: Final = {"processing": "RUNNING", "success": "SUCCESS", "partial": "FAILED", "failed": "FAILED"}


def known_customer(state: GoogleState, customer: str) -> str:
    """Give the account back, if there is one and we may see it.

    Raises:
        RefusedError: There is none, or we may not: Google does not say which.
    """
    accounts = state.rules.accounts
    if not customer.isdigit() or (accounts is not None and customer not in accounts):
        raise RefusedError("PERMISSION_DENIED", Problem("authorization_error.USER_PERMISSION_DENIED"))
    return customer


class Jobs:
    """OfflineUserDataJobService."""

    def __init__(self, state: GoogleState) -> None:
        self._state = state

    def create(self, request: Any) -> Any:
        """Open a job for one audience."""
        customer = known_customer(self._state, request.customer_id)
        if not self._state.rules.jobs_allowed:
            raise RefusedError(
                "PERMISSION_DENIED",
                Problem("not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"),
            )
        metadata = request.job.customer_match_user_list_metadata
        found = LIST_NAME.fullmatch(metadata.user_list)
        audience = self._state.audience(customer, found[2]) if found else None
        if audience is None:
            raise RefusedError("INVALID_ARGUMENT", Problem(f"{_JOB}.INVALID_USER_LIST_ID", "job"))
        states = {metadata.consent.ad_user_data, metadata.consent.ad_personalization}
        denied = enum_number(metadata.consent, "ad_user_data", "DENIED")
        granted = enum_number(metadata.consent, "ad_user_data", "GRANTED")
        if denied in states or not self._state.rules.terms_accepted:
            raise RefusedError(
                "INVALID_ARGUMENT", Problem(f"{_JOB}.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS", "job")
            )
        answer = job_types.CreateOfflineUserDataJobResponse.pb()()
        if not request.validate_only:
            job_id = self._state.new_job_id()
            job = {"account": customer, "audience": audience.id, "consented": states == {granted}}
            made_at = format_time(self._state.clock())
            kept = {**job, "action": "", "chunks": 0, "work": "", "made_at": made_at}
            self._state.keep_job(job_id, kept)
            answer.resource_name = f"customers/{customer}/offlineUserDataJobs/{job_id}"
        return answer

    def add_operations(self, request: Any) -> Any:
        """Take operations into a job that has not run; bad ones fall out and are named."""
        with self._state.lock:
            job_id, job = self._unstarted(request.resource_name)
            action = check_request(request, before=str(job["action"]), is_first=not job["chunks"])
            problems = [
                Problem(code, "operations", index)
                for index, operation in enumerate(request.operations)
                if (code := problem_of(operation))
            ]
            if problems and not request.enable_partial_failure:
                raise RefusedError("INVALID_ARGUMENT", *problems)
            bad = {problem.index for problem in problems}
            rows = [row_of(each) for index, each in enumerate(request.operations) if index not in bad]
            if not request.validate_only:
                number = int(str(job["chunks"]))
                self._state.store.keep(f"job-{job_id}-{number}", rows)
                self._state.keep_job(job_id, {**job, "action": action, "chunks": number + 1})
        answer = job_types.AddOfflineUserDataJobOperationsResponse.pb()()
        if problems:
            answer.partial_failure_error.CopyFrom(partial_failure(problems))
        return answer

    def run(self, request: Any) -> Any:
        """Start a job."""
        with self._state.lock:
            job_id, job = self._unstarted(request.resource_name)
            if self._state.rules.lists_take_turns and self._state.is_at_work(str(job["audience"])):
                raise RefusedError("ABORTED", Problem("database_error.CONCURRENT_MODIFICATION"))
            if not request.validate_only:
                self._start(job_id, job)
        return operations_pb2.Operation(name=f"customers/{job['account']}/operations/{job_id}", done=False)

    def rows(self, customer: str) -> Iterator[Any]:
        """Show an account's jobs as query rows."""
        last = self._state.store.kept("next-job")
        for number in range(1, (last if isinstance(last, int) else 0) + 1):
            job = self._state.job(str(number))
            if job is not None and job["account"] == customer:
                row = GoogleAdsRow.pb()()
                shown = row.offline_user_data_job
                shown.resource_name = f"customers/{customer}/offlineUserDataJobs/{number}"
                shown.id = number
                shown.type_ = enum_number(shown, "type_", "CUSTOMER_MATCH_USER_LIST")
                name = f"customers/{customer}/userLists/{job['audience']}"
                shown.customer_match_user_list_metadata.user_list = name
                work = self._state.work(str(job["work"])) if job["work"] else None
                shown.status = enum_number(shown, "status", self._status(work))
                if work is not None and work.action == "add" and work.status == "success":
                    metadata = shown.operation_metadata
                    metadata.match_rate_range = enum_number(metadata, "match_rate_range", _RECOGNIZED)
                yield row

    def _status(self, work: Work | None) -> str:
        if work is None or (work.status == "processing" and self._state.rules.starts_unseen):
            return "PENDING"
        return _STATES[work.status]

    def _unstarted(self, resource_name: str) -> tuple[str, dict[str, object]]:
        """Find a job that may still be filled and run; one that waited too long is still listed."""
        job_id, job = self._job(resource_name)
        if job["work"]:
            raise RefusedError("INVALID_ARGUMENT", Problem(f"{_JOB}.JOB_ALREADY_STARTED"))
        if self._state.clock() - parse_time(str(job["made_at"])) > RUN_WITHIN:
            raise RefusedError("NOT_FOUND", Problem("mutate_error.RESOURCE_NOT_FOUND"))
        return job_id, job

    def _job(self, resource_name: str) -> tuple[str, dict[str, object]]:
        found = _JOB_NAME.fullmatch(resource_name)
        job = self._state.job(found[2]) if found else None
        if found is None or job is None or job["account"] != found[1]:
            raise RefusedError("NOT_FOUND", Problem("mutate_error.RESOURCE_NOT_FOUND"))
        return found[2], job

    def _start(self, job_id: str, job: dict[str, object]) -> None:
        rows: list[list[str]] = []
        for number in range(int(str(job["chunks"]))):
            kept = self._state.store.kept(f"job-{job_id}-{number}")
            rows.extend(kept if isinstance(kept, list) else [])
            self._state.store.keep(f"job-{job_id}-{number}", None)
        action = str(job["action"] or "add")
        silent = action == "add" and not job["consented"]
        work = Work(
            id=self._state.new_id(),
            call="ads.jobs",
            account=str(job["account"]),
            audience=str(job["audience"]),
            action=action,
            due_at=self._state.due_at(),
            rows=[] if silent else rows,
            records=len(rows),
            identifiers=sum(map(len, rows)),
        )
        self._state.accept(work)
        self._state.keep_job(job_id, {**job, "work": work.id})


def partial_failure(problems: list[Problem]) -> status_pb2.Status:
    """Say what is wrong with operations of a request that was taken all the same."""
    failure = ads_failure(problems)
    detail = any_pb2.Any(
        type_url="type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure",
        value=failure.SerializeToString(),
    )
    return status_pb2.Status(code=3, message="some operations failed", details=[detail])
