"""Customer Match through Google's Data Manager API, the way for accounts that start today.

Limits and their sources (all read 2026-11-21, platforms/google.md §2c and §3):

- 10,000 rows a request, 10 identifiers a row, 300 requests a minute, 100,000 a day per Cloud
  project (developers.google.com/data-manager/api/devguides/limits);
- up to ten requests at once, to one audience too, so adds may overlap; the order of an add and a
  removal of one person is not documented: never have both in flight for the same person;
- fail-fast: one bad row refuses the whole request, and nothing of it is processed;
- a member is forgotten 540 days after it was last added; 100 active people are needed to serve.

Adds and removals are operations on a set, so sending a batch twice equals sending it once.
"""

from datetime import datetime
from typing import Final

from google.ads import datamanager_v1 as dm

from cohortd.core.delivery import (
    GONE,
    UNREADABLE,
    AccessCheck,
    AccountStatus,
    Action,
    Batch,
    BatchState,
    Flag,
    Hold,
    Lane,
    Limits,
    Marked,
    Receipt,
    RemoteSpec,
    RemoteStatus,
)
from cohortd.core.errors import RejectedError, RetryableError, SyncError
from cohortd.core.identifiers import Family
from connectors.google_access import MAXIMUM_MEMBERSHIP_DAYS, MINIMUM_SERVED, GoogleAccess
from connectors.google_checks import check_account
from connectors.google_data_manager import statuses
from connectors.google_data_manager.audiences import Audiences
from connectors.google_data_manager.client import DataManagerClient
from connectors.google_data_manager.errors import PLATFORM
from connectors.google_data_manager.options import DataManagerOptions
from connectors.google_data_manager.rows import (
    ROWS_PER_REQUEST,
    Account,
    of_nobody,
    sweep,
    unsendable,
    uploads,
)
from connectors.google_errors import GoneError
from connectors.google_lists import not_closed, not_made, not_renamed
from connectors.google_quotas import ProjectQuotas

_LIMITS: Final = Limits(
    family=Family.GOOGLE,
    rows_per_batch=ROWS_PER_REQUEST,
    minimum_size=MINIMUM_SERVED,
    forgets_after_days=MAXIMUM_MEMBERSHIP_DAYS,
    overlapping_batches=True,
)


class DataManagerConnector:
    """One Google Ads account, through the Data Manager API."""

    def __init__(
        self,
        options: DataManagerOptions,
        *,
        access: GoogleAccess | None = None,
        quotas: ProjectQuotas | None = None,
    ) -> None:
        """Do no I/O.

        Args:
            options: The account and how to reach it.
            access: Credentials from elsewhere, for tests.
            quotas: What the project may ask for; without it nothing is counted.

        Raises:
            SettingsError: An option cannot be meant.
        """
        self._client = DataManagerClient(options, access=access, quotas=quotas)
        self._quotas = quotas
        self._account = Account(self._client.account, self._client.login_account)
        self._audiences = Audiences(self._client)

    @property
    def platform(self) -> str:
        """The platform's name in the settings."""
        return "google_data_manager"

    @property
    def limits(self) -> Limits:
        """What this platform allows."""
        return _LIMITS

    def hold(self, *, urgent: bool) -> Hold | None:
        """Tell until when the project's quota is used up."""
        return self._quotas.hold(urgent=urgent) if self._quotas else None

    def used_share(self) -> float | None:
        """Tell how much of the project's quota is used."""
        return self._quotas.used_share() if self._quotas else None

    def ensure(self, spec: RemoteSpec) -> str:
        """Find the user list that carries our marker, else create it; return its numeric id."""
        try:
            return self._audiences.ensure(spec)
        except RejectedError as error:
            raise not_made(spec.audience, error) from None

    def marked(self) -> list[Marked]:
        """List the user lists whose integration code is a marker."""
        return self._audiences.marked()

    def apply(self, batch: Batch) -> Receipt:
        """Send a batch in as many requests as it needs; almost always one."""
        empty = unsendable(batch)
        if empty:
            raise RejectedError(f"{PLATFORM} takes e-mails, phones and addresses only", rows=empty)
        ids: list[str] = []
        warnings = 0
        for upload in uploads(batch, self._account):
            answer = self._client.ingestion(
                upload.method,
                upload.request,
                members=upload.members,
                urgent=batch.lane is Lane.REVOCATION,
            )
            warnings += len(getattr(answer, "field_warnings", ()))
            if not answer.request_id:
                # Whatever answered, nothing can ever be asked about it: that is no success.
                raise RetryableError(f"{PLATFORM} did not say by what id to ask after the request")
            ids.append(answer.request_id)
        note = f"{warnings} warnings about optional fields" if warnings else ""
        pending = statuses.Pending(batch.action, tuple(ids))
        return Receipt(BatchState.ACCEPTED, request=pending.dump(), note=note)

    def poll(self, request: str) -> Receipt:
        """Ask for every request of the batch; all must be done for it to be done."""
        pending = statuses.load(request)
        answers = [
            self._client.ingestion(
                "retrieve_request_status", dm.RetrieveRequestStatusRequest(request_id=each)
            )
            for each in pending.request_ids
        ]
        return statuses.receipt_of(pending, answers, request=request)

    def remove_older(self, remote_id: str, *, than: datetime) -> Receipt:
        """Have everybody forgotten who was last added before a moment."""
        request = sweep(remote_id, self._account, than=than)
        answer = self._client.ingestion("remove_all_audience_members", request)
        if not answer.request_id:
            raise RetryableError(f"{PLATFORM} did not say by what id to ask after the request")
        pending = statuses.Pending(Action.REMOVE, (answer.request_id,))
        return Receipt(BatchState.ACCEPTED, request=pending.dump())

    def read(self, remote_id: str) -> RemoteStatus:
        """Read what Google shows of the audience; what cannot be read is said in ``state``."""
        try:
            return self._audiences.show(remote_id)
        except GoneError:
            return RemoteStatus(state=GONE, usable=False, flags=(Flag.GONE,))
        except SyncError:
            return RemoteStatus(state=UNREADABLE)

    def account(self) -> AccountStatus:
        """This interface shows nothing of the account; terms come to light where they are missing."""
        return AccountStatus()

    def rename(self, remote_id: str, name: str) -> None:
        """Give the user list another name."""
        try:
            self._audiences.rename(remote_id, name)
        except RejectedError as error:
            raise not_renamed(error) from None

    def retire(self, remote_id: str) -> None:
        """Close the user list to new members; those in it stay until they expire or are removed."""
        try:
            self._audiences.close(remote_id)
        except RejectedError as error:
            raise not_closed(error) from None

    def check(self) -> list[AccessCheck]:
        """Try credentials, access, the making of an audience and an upload, both as rehearsals."""
        return check_account(
            self._client.account,
            self._audiences,
            refresh=self._client.refresh,
            upload=self._rehearse,
        )

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def _rehearse(self, remote_id: str) -> None:
        """An upload of nobody."""
        upload = of_nobody(remote_id, self._account)
        self._client.ingestion(upload.method, upload.request)
