"""Offline user data jobs: created, filled, run, and asked after by GAQL.

A crash between the steps leaves a job that was never run: harmless, and Google drops it after five
days. A job of which nobody knows whether it was run is run again rather than made anew. Jobs on one
list run in no order (google-ads-java#415), so no add is begun while another job is at work on its
list; a removal is: a revocation does not wait a day for a job to end.

The long-running operation that ``run`` answers with is never waited for: it is known to hang
(google-ads-python#360, #378); the job's own row is asked instead.

Of a failed job a part may have been applied, and Google's reasons for failing are about store sales
only: for a list it says nothing. So a failed job is Google's own fault, and all of it is sent again.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cohortd.core.delivery import Action, Batch, BatchState, Receipt
from cohortd.core.errors import FatalError, RejectedError, RetryableError
from connectors.google_ads import errors
from connectors.google_ads.client import AdsClient
from connectors.google_ads.operations import Chunk, chunks, new_job
from connectors.google_enums import enum_name
from connectors.google_errors import AlreadyStartedError, BusyError, GoneError
from connectors.google_lists import match_range

_SERVICE: Final = "OfflineUserDataJobService"
#: A job takes from ten minutes to a day.
_BUSY_S: Final = 300.0
_OPEN_QUERY: Final = (
    "SELECT offline_user_data_job.resource_name, offline_user_data_job.status, "
    "offline_user_data_job.customer_match_user_list_metadata.user_list FROM offline_user_data_job "
    "WHERE offline_user_data_job.type = 'CUSTOMER_MATCH_USER_LIST' "
    "AND offline_user_data_job.status IN ('PENDING', 'RUNNING')"
)
_STATUS_QUERY: Final = (
    "SELECT offline_user_data_job.resource_name, offline_user_data_job.status, "
    "offline_user_data_job.failure_reason, offline_user_data_job.operation_metadata.match_rate_range "
    "FROM offline_user_data_job WHERE offline_user_data_job.resource_name = '{job}'"
)


@dataclass(frozen=True, slots=True)
class Pending:
    """What to ask Google by, and what it refused before the job ran."""

    job: str
    action: Action
    members: int
    rejected: Mapping[int, str] = field(default_factory=dict)
    #: Values that Google found malformed and took all the same; said once, not written down.
    warnings: int = 0

    def dump(self) -> str:
        """Write it down for the ledger."""
        content = {
            "job": self.job,
            "action": self.action,
            "members": self.members,
            "rejected": self.rejected,
        }
        return json.dumps(content, separators=(",", ":"))


def load(text: str) -> Pending:
    """Read what ``dump`` wrote.

    Raises:
        RejectedError: It is something else; the batch must be sent again.
    """
    try:
        content = json.loads(text)
        job = re.fullmatch(r"customers/\d+/offlineUserDataJobs/[\w~-]+", content["job"])
        rejected = {int(index): str(reason) for index, reason in content["rejected"].items()}
        if job is not None:
            return Pending(job[0], Action(content["action"]), int(content["members"]), rejected)
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    raise RejectedError("this is no request of the Google Ads connector")


class Jobs:
    """The jobs of one account."""

    def __init__(self, client: AdsClient) -> None:
        self._client = client
        #: List and direction -> a batch and its filled job, of which nobody knows whether it runs.
        self._unheard: dict[tuple[str, Action], tuple[Batch, Pending]] = {}

    def send(self, batch: Batch) -> Receipt:
        """Create, fill and run a job for a batch, or run the one again whose start was not answered.

        Raises:
            RetryableError: Another job is at work on the list of this add.
        """
        place = batch.remote_id, batch.action
        known, unheard = self._unheard.pop(place, (None, None))
        if unheard is None or known != batch or not self._goes_on(place, batch, unheard):
            if batch.action is Action.ADD:
                self._refuse_while_busy(batch.remote_id)
            unheard = _filled(self._client, batch)
            self._start(place, batch, unheard)
        pending = unheard
        note = f"{pending.warnings} warnings about malformed values" if pending.warnings else ""
        return Receipt(
            BatchState.ACCEPTED, request=pending.dump(), rejected=dict(pending.rejected), note=note
        )

    def rehearse(self, remote_id: str) -> None:
        """Have Google check the creation of a job for adds, without creating it."""
        request = new_job(self._client, Batch(0, remote_id, Action.ADD, ()))
        request.validate_only = True
        self._client.call(_SERVICE, "create_offline_user_data_job", request)

    def _goes_on(self, place: tuple[str, Action], batch: Batch, pending: Pending) -> bool:
        """Start a job of which nobody knows whether it runs; tell whether Google still knows it."""
        try:
            self._start(place, batch, pending)
        except GoneError:
            return False
        return True

    def _start(self, place: tuple[str, Action], batch: Batch, pending: Pending) -> None:
        """Start a filled job; where that may be done again, keep it for the next attempt.

        Raises:
            RetryableError: It may run or not; or another job is at work on the list.
        """
        busy: BusyError | None = None
        try:
            self._run(pending.job)
        except BusyError as error:
            busy = error
        except RetryableError:
            self._unheard[place] = batch, pending
            raise
        if busy is not None:
            self._unheard[place] = batch, pending
            self._refuse_while_busy(batch.remote_id)
            raise busy

    def _run(self, job: str, *, dry: bool = False) -> bool:
        """Start a job; tell whether it had been started before."""
        run = self._client.message("RunOfflineUserDataJobRequest")
        run.resource_name, run.validate_only = job, dry
        try:
            self._client.call(_SERVICE, "run_offline_user_data_job", run)
        except AlreadyStartedError:
            return True
        return False

    def _refuse_while_busy(self, remote_id: str) -> None:
        """Raise while a job is at work on a list; one that waits to be run for ever does not count."""
        running = self._client.enum("OfflineUserDataJobStatusEnum").RUNNING
        for row in self._client.search(_OPEN_QUERY):
            job = row.offline_user_data_job
            if job.customer_match_user_list_metadata.user_list.rpartition("/")[2] != remote_id:
                continue
            if job.status == running or self._is_started(job.resource_name):
                raise RetryableError(
                    f"{errors.PLATFORM} is still at work on an earlier upload to audience {remote_id}",
                    after_s=_BUSY_S,
                    scope="audience",
                )

    def _is_started(self, job: str) -> bool:
        """Whether a job that is shown as waiting runs; Google runs none that waited for five days."""
        try:
            return self._run(job, dry=True)
        except (BusyError, RejectedError):  # it is another one that is at work
            return False
        except FatalError as error:
            if error.scope == "destination":
                raise
            return False


def ask(client: AdsClient, request: str) -> Receipt:
    """Ask what became of a job."""
    pending = load(request)
    for row in client.search(_STATUS_QUERY.format(job=pending.job)):
        if row.offline_user_data_job.resource_name == pending.job:
            return _receipt(client, pending, row.offline_user_data_job, request)
    raise RejectedError(f"{errors.PLATFORM} no longer knows the job; send the batch again")


def _filled(client: AdsClient, batch: Batch) -> Pending:
    """Create a job for a batch and fill it."""
    job = client.call(_SERVICE, "create_offline_user_data_job", new_job(client, batch)).resource_name
    refused: dict[int, str] = {}
    refused_operations: Counter[int] = Counter()
    operations: Counter[int] = Counter()
    warnings = 0
    for chunk in chunks(client, batch, job):
        operations.update(chunk.members)
        found, warned = _add(client, chunk)
        warnings += warned
        for index, reason in found:
            refused_operations[index] += 1
            refused.setdefault(index, reason)
    if refused and sum(refused_operations.values()) == sum(operations.values()):
        raise RejectedError(f"{errors.PLATFORM} refused every row", rows=refused)
    rejected = {
        index: reason
        for index, reason in refused.items()
        if batch.action is Action.REMOVE or refused_operations[index] == operations[index]
    }
    return Pending(job, batch.action, len(batch.members), rejected, warnings)


def _add(client: AdsClient, chunk: Chunk) -> tuple[list[tuple[int, str]], int]:
    """Add operations; gives the members Google refused and why, and how often it warned."""
    answer = client.call(
        _SERVICE, "add_offline_user_data_job_operations", chunk.request, members=chunk.members
    )
    refused: list[tuple[int, str]] = []
    for detail in answer.partial_failure_error.details:
        failure = client.failure(detail.value)
        error = errors.translate(failure, "INVALID_ARGUMENT", members=chunk.members)
        if isinstance(error, FatalError | RetryableError) or not error_rows(error):
            raise error
        refused.extend(_refused(failure, chunk))
    warned = sum(len(client.failure(detail.value).errors) for detail in answer.warning.details)
    return refused, warned


def error_rows(error: Exception) -> Mapping[int, str]:
    """The rows an error names; none where it names none."""
    return error.rows if isinstance(error, RejectedError) else {}


def _refused(failure: Any, chunk: Chunk) -> list[tuple[int, str]]:
    found: dict[int, str] = {}
    for error in failure.errors:
        index = errors.operation_of(error)
        if index is not None and index < len(chunk.members):
            found.setdefault(index, errors.code_of(error).rpartition(".")[2])
    return [(chunk.members[index], reason) for index, reason in found.items()]


def _receipt(client: AdsClient, pending: Pending, job: Any, request: str) -> Receipt:
    status = client.enum("OfflineUserDataJobStatusEnum")
    rejected = dict(pending.rejected)
    if job.status == status.SUCCESS:
        rate = match_range(enum_name(job.operation_metadata, "match_rate_range"))
        note = f"match rate {rate}" if rate else ""
        return Receipt(BatchState.CONFIRMED, request=request, rejected=rejected, note=note, match_rate=rate)
    if job.status != status.FAILED:
        return Receipt(BatchState.ACCEPTED, request=request, rejected=rejected)
    fault = f"Google's job failed ({enum_name(job, 'failure_reason')})"
    return Receipt(BatchState.REJECTED, request=request, rejected=rejected, fault=fault)
