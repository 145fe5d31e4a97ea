"""Customer Match through the Google Ads API, for accounts that were already allowed to.

Limits and their sources (all read 2026-11-21, platforms/google.md §0 and §3):

- since 2026-04-01 only who uploaded Customer Match data between October 2025 and March 2026 may
  (developers.google.com/ads/blog/posts/2026/03/changes-to-customer-match-support-in);
- 20 identifiers an operation, 100,000 (10,000 recommended) a request, any number a job; one big
  job beats many small, hence the big batches;
- jobs on one list run in no order, so one must be done before the next: batches never overlap, and
  before an add Google is asked whether a job of an earlier process is still at work on the list;
- a job takes 10 minutes to 24 hours; success is also said of a job whose operations all fell out
  later on, so only refusals named while adding are certain;
- a member is forgotten 540 days after it was last added; 100 active people are needed to serve.
"""

from typing import Final

from cohortd.core.delivery import (
    UNREADABLE,
    AccessCheck,
    AccountStatus,
    Batch,
    Limits,
    Marked,
    Receipt,
    RemoteSpec,
    RemoteStatus,
)
from cohortd.core.errors import RejectedError, SyncError
from cohortd.core.identifiers import Family
from connectors.google_access import MAXIMUM_MEMBERSHIP_DAYS, MINIMUM_SERVED, GoogleAccess
from connectors.google_ads import jobs
from connectors.google_ads.audiences import Audiences
from connectors.google_ads.client import AdsClient
from connectors.google_ads.errors import PLATFORM
from connectors.google_ads.operations import unsendable
from connectors.google_ads.options import GoogleAdsOptions
from connectors.google_checks import check_account
from connectors.google_errors import UnknownCallError
from connectors.google_lists import not_closed, not_made, not_renamed

_LIMITS: Final = Limits(
    family=Family.GOOGLE,
    rows_per_batch=100_000,
    minimum_size=MINIMUM_SERVED,
    forgets_after_days=MAXIMUM_MEMBERSHIP_DAYS,
    overlapping_batches=False,
)


class GoogleAdsConnector:
    """One Google Ads account, through the Google Ads API."""

    def __init__(self, options: GoogleAdsOptions, *, access: GoogleAccess | None = None) -> None:
        """Do no I/O.

        Args:
            options: The account and how to reach it.
            access: Credentials from elsewhere, for tests.

        Raises:
            SettingsError: An option cannot be meant.
        """
        self._client = AdsClient(options, access=access)
        self._audiences = Audiences(self._client)
        self._jobs = jobs.Jobs(self._client)

    @property
    def platform(self) -> str:
        """The platform's name in the settings."""
        return "google_ads"

    @property
    def limits(self) -> Limits:
        """What this platform allows."""
        return _LIMITS

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
        """Create a job for the batch, fill it and run it."""
        empty = unsendable(batch)
        if empty:
            raise RejectedError(f"{PLATFORM} takes e-mails, phones and addresses only", rows=empty)
        return self._jobs.send(batch)

    def poll(self, request: str) -> Receipt:
        """Ask what became of the job."""
        return jobs.ask(self._client, request)

    def read(self, remote_id: str) -> RemoteStatus:
        """Read what Google shows of the audience; what cannot be read is said in ``state``."""
        try:
            return self._audiences.show(remote_id)
        except SyncError:
            return RemoteStatus(state=UNREADABLE)

    def account(self) -> AccountStatus:
        """Read whether the customer data terms are accepted, where Google says."""
        try:
            return AccountStatus(terms=self._audiences.terms())
        except (RejectedError, UnknownCallError):
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
            self._client.customer,
            self._audiences,
            refresh=self._client.refresh,
            upload=self._jobs.rehearse,
        )

    def close(self) -> None:
        """Give back connections."""
        self._client.close()
