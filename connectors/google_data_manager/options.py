"""What the Data Manager connector must be told."""

from dataclasses import dataclass, field

from connectors.google_access import Endpoint, GoogleIdentity, account_digits, parse_endpoint

SCOPE = "https://www.googleapis.com/auth/datamanager"


@dataclass(frozen=True, slots=True)
class DataManagerOptions:
    """One Google Ads account behind the Data Manager API."""

    #: The account that owns the audiences; dashes are allowed.
    account_id: str
    #: The manager account the credentials belong to, where they have no direct access.
    login_account_id: str | None = None
    #: ``grpc://HOST:PORT`` or ``http://HOST:PORT`` of a stand-in on this machine, ``https://HOST`` of
    #: another door to Google (REST); None for Google's own.
    endpoint: str | None = None
    identity: GoogleIdentity = field(default_factory=GoogleIdentity)
    #: Seconds a request may take.
    timeout_s: float = 120.0

    def account(self) -> str:
        """The account's digits."""
        return account_digits(self.account_id, setting="account_id")

    def login_account(self) -> str | None:
        """The manager account's digits."""
        if not self.login_account_id:
            return None
        return account_digits(self.login_account_id, setting="login_account_id")

    def address(self) -> Endpoint | None:
        """Where else than at Google's own address to call."""
        return parse_endpoint(self.endpoint, schemes=("grpc", "http", "https"))
