"""What the Google Ads connector must be told."""

from dataclasses import dataclass, field

from connectors.google_access import Endpoint, GoogleIdentity, account_digits, parse_endpoint

SCOPE = "https://www.googleapis.com/auth/adwords"


@dataclass(frozen=True, slots=True)
class GoogleAdsOptions:
    """One Google Ads account behind the Google Ads API."""

    #: The account that owns the audiences; dashes are allowed.
    customer_id: str
    #: The manager account, where access is through one.
    login_customer_id: str | None = None
    #: ``grpc://HOST:PORT`` of a stand-in on this machine; None for Google.
    endpoint: str | None = None
    identity: GoogleIdentity = field(default_factory=GoogleIdentity)
    #: Ignored by Google since 2026-09-09; older stand-ins may ask for one.
    developer_token: str | None = field(default=None, repr=False)
    #: A version lives about a year; v26 until November 2027.
    version: str = "v26"
    #: Seconds a request may take.
    timeout_s: float = 120.0

    def customer(self) -> str:
        """The account's digits."""
        return account_digits(self.customer_id, setting="customer_id")

    def login_customer(self) -> str | None:
        """The manager account's digits."""
        if not self.login_customer_id:
            return None
        return account_digits(self.login_customer_id, setting="login_customer_id")

    def address(self) -> Endpoint | None:
        """The stand-in, if one is to be used."""
        return parse_endpoint(self.endpoint, schemes=("grpc",))
