"""The advertising accounts that are kept true."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from config.base import Digits, Strict
from config.endpoints import check_endpoint, is_loopback

GOOGLE_DAYS = 540
META_DAYS = 180


class Poll(Strict):
    """How often the platform is asked whether it is done."""

    first_s: float = Field(default=1800, gt=0, description="Seconds until the first question.")
    factor: float = Field(default=1.3, ge=1, description="How much longer each further wait is.")
    max_s: float = Field(default=3600, gt=0, description="The longest wait, in seconds.")
    give_up_s: float = Field(
        default=86400,
        gt=0,
        description="Seconds after which the batch counts as unknown and is sent again.",
    )


class Retry(Strict):
    """How often a request is tried within one sync."""

    attempts: int = Field(default=5, ge=1, le=20, description="Tries in all.")
    first_s: float = Field(default=1, ge=0, description="Seconds before the second try; doubled each time.")
    max_s: float = Field(default=60, gt=0, description="The longest wait between two tries, in seconds.")


class Quota(Strict):
    """How many requests a Google Cloud project may make, kept to by all destinations of the project."""

    per_minute: int = Field(default=300, gt=0, description="Requests a minute.")
    per_day: int = Field(default=100_000, gt=0, description="Requests a day.")
    reserve: float = Field(
        default=0.1, ge=0, le=0.9, description="The share of both that only revocations may use."
    )
    project: str | None = Field(
        default=None,
        min_length=1,
        description="Any name for the project, the same for all destinations that belong to it; left out,"
        " what `credentials_file` says. Without a file, the machine's own credentials are one project.",
    )


class Account(Strict):
    """What every destination has."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=40,
        description="Your name for it (a-z, 0-9, _ and -). Keep it: the ledger knows it by that.",
    )
    member_limit: int | None = Field(
        default=None,
        gt=0,
        description="The most members an audience gets there; those who can be matched by more"
        " identifiers are preferred. Left out, any number.",
    )
    retry: Retry = Field(default_factory=Retry, description="How often a request is tried within one sync.")

    @property
    def account(self) -> str:
        """Whose members are sent there; the ledger refuses the name for another."""
        raise NotImplementedError

    @property
    def place(self) -> str:
        """What no two destinations of a platform may share."""
        return self.account


class OnlineAccount(Account):
    """What every destination has that is reached through an interface."""

    schemes: ClassVar[tuple[str, ...]] = ()

    endpoint: str | None = Field(
        default=None,
        description="Another address, for emulators; plaintext only on this machine.",
    )
    timeout_s: float = Field(default=120, gt=0, description="Seconds one request may take.")
    concurrency: int = Field(
        default=2,
        ge=1,
        le=5,
        description="The most batches sent at once, each to another audience; revocations beside a sync"
        " may be as many more.",
    )

    @property
    def is_local(self) -> bool:
        """Whether it speaks to this machine, where credentials are optional."""
        return is_loopback(self.endpoint)

    @field_validator("endpoint")
    @classmethod
    def _check_endpoint(cls, endpoint: str | None) -> str | None:
        return None if endpoint is None else check_endpoint(endpoint, schemes=cls.schemes)


class GoogleAccount(OnlineAccount):
    """What both Google interfaces have."""

    account_id: Digits = Field(
        pattern=r"^\d+$", description="The Google Ads customer id; dashes do not matter."
    )
    login_account_id: Digits | None = Field(
        default=None,
        pattern=r"^\d+$",
        description="The manager account through which access is had, if any.",
    )
    poll: Poll = Field(
        default_factory=Poll, description="How often the platform is asked whether it is done."
    )
    membership_days: int = Field(
        default=GOOGLE_DAYS,
        gt=0,
        le=GOOGLE_DAYS,
        description="Days Google keeps a member; left out, `audiences.membership_days`.",
    )

    @property
    def account(self) -> str:
        """The customer id."""
        return self.account_id


def _replace_when_cheaper(how: str, *, default: bool) -> Any:
    return Field(
        default=default,
        description="Whether everybody who stays is sent anew, and whoever leaves is forgotten with all"
        f" others, where that takes fewer requests than the difference: {how}. Guards look at the same"
        " numbers either way.",
    )


class GoogleDataManager(GoogleAccount):
    """Google Ads through the Data Manager: the way for new adopters."""

    schemes: ClassVar[tuple[str, ...]] = ("grpc", "http", "https")

    platform: Literal["google_data_manager"] = Field(description="`google_data_manager`.")
    concurrency: int = Field(
        default=4,
        ge=1,
        le=5,
        description="The most batches sent at once, each to another audience; revocations beside a sync"
        " may be as many more. Google recommends no more than ten.",
    )
    credentials_file: Path | None = Field(
        default=None,
        description="JSON of a service account or an authorized user; left out, the machine's own (ADC).",
    )
    quota: Quota | None = Field(
        default_factory=Quota,
        description="What Google lets the Cloud project do; null to count nothing and be refused instead.",
    )
    replace_when_cheaper: bool = _replace_when_cheaper(
        "who leaves goes when all of that is confirmed, which takes as long again; no revocation waits",
        default=True,
    )


class GoogleAds(GoogleAccount):
    """Google Ads through its own interface: for accounts already allowed to upload there."""

    schemes: ClassVar[tuple[str, ...]] = ("grpc",)

    platform: Literal["google_ads"] = Field(description="`google_ads`.")
    developer_token: SecretStr | None = Field(
        default=None, description="The developer token; Google ignores it since September 2026."
    )
    developer_token_file: Path | None = Field(
        default=None, description="A file that holds `developer_token`."
    )
    client_id: str | None = Field(default=None, description="OAuth client id.")
    client_secret: SecretStr | None = Field(default=None, description="OAuth client secret.")
    client_secret_file: Path | None = Field(default=None, description="A file that holds `client_secret`.")
    refresh_token: SecretStr | None = Field(default=None, description="OAuth refresh token.")
    refresh_token_file: Path | None = Field(default=None, description="A file that holds `refresh_token`.")
    credentials_file: Path | None = Field(
        default=None,
        description="JSON of a service account or an authorized user, instead of the three above.",
    )
    api_version: str = Field(default="v26", pattern=r"^v\d+$", description="The version of the interface.")

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        oauth = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }
        missing = [name for name, value in oauth.items() if value is None]
        if self.credentials_file and len(missing) < len(oauth):
            raise ValueError(
                "give credentials_file, or client_id, client_secret and refresh_token, not both"
            )
        if self.is_local:
            return self
        if missing and not self.credentials_file:
            raise ValueError(
                f"needs credentials_file, or {', '.join(missing)} (each may be given as a file)"
            )
        return self


class Meta(OnlineAccount):
    """Custom Audiences on Facebook and Instagram."""

    schemes: ClassVar[tuple[str, ...]] = ("http", "https")

    platform: Literal["meta"] = Field(description="`meta`.")
    ad_account_id: str = Field(pattern=r"^act_\d+$", description="The ad account: `act_` and its digits.")
    access_token: SecretStr | None = Field(
        default=None, description="The token of a system user with `ads_management`."
    )
    access_token_file: Path | None = Field(default=None, description="A file that holds `access_token`.")
    app_id: str | None = Field(
        default=None, description="The app's id; with `app_secret` requests are signed."
    )
    app_secret: SecretStr | None = Field(default=None, description="The app's secret.")
    app_secret_file: Path | None = Field(default=None, description="A file that holds `app_secret`.")
    api_version: str = Field(
        default="v26.0", pattern=r"^v\d+\.\d+$", description="The version of the interface."
    )
    customer_file_source: Literal[
        "USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED"
    ] = Field(default="USER_PROVIDED_ONLY", description="Where the contact data is from, as Meta asks it.")
    retention_days: int | None = Field(
        default=None,
        gt=0,
        le=META_DAYS,
        description="Days Meta keeps a member unless it is sent again; null for ever.",
    )
    replace_when_cheaper: bool = _replace_when_cheaper(
        "in a session of Meta's, which an ad set's learning outlives; nothing else, a revocation neither,"
        " reaches the audience before its end (90 minutes at most, as a rule some)",
        default=False,
    )
    removal_refused: Literal["replace", "recreate", "wait"] = Field(
        default="replace",
        description="What follows where Meta takes nobody out of an audience because it is small, and"
        " somebody took consent back: `replace` all members by those who stay (or else as the next),"
        " `recreate` the audience (the old one is deleted: its id changes, and ads that use it stop), or"
        " `wait` until it has grown. Whoever leaves for another reason waits.",
    )

    @property
    def account(self) -> str:
        """The ad account."""
        return self.ad_account_id

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        if self.access_token is None and not self.is_local:
            raise ValueError("needs access_token or access_token_file")
        return self


class CsvDrop(Account):
    """Files that somebody uploads by hand, for where no program may into the ad account."""

    platform: Literal["csv_drop"] = Field(description="`csv_drop`.")
    folder: Path = Field(description="Where the files go, a folder an audience.")
    template: Literal["google", "meta"] = Field(
        description="Whose form the files have, and so whose normalization rules and consent apply."
    )
    keep_days: int = Field(
        default=30,
        ge=1,
        description="Days after which files are deleted, all but removals that nobody has taken.",
    )
    membership_days: int | None = Field(
        default=None,
        gt=0,
        le=GOOGLE_DAYS,
        description="Days the audience on the platform is set to keep a member; members are written again"
        " before. Left out, 540 for `google` and for ever for `meta`.",
    )

    @property
    def account(self) -> str:
        """The template: digests of one platform's rules mean nothing at the other's."""
        return self.template

    @property
    def place(self) -> str:
        """The folder."""
        return str(self.folder)

    @property
    def days(self) -> int | None:
        """Days after which the platform forgets a member."""
        return self.membership_days or (GOOGLE_DAYS if self.template == "google" else None)


Destination = Annotated[GoogleDataManager | GoogleAds | Meta | CsvDrop, Field(discriminator="platform")]
PLATFORMS: dict[str, type[Account]] = {
    "google_data_manager": GoogleDataManager,
    "google_ads": GoogleAds,
    "meta": Meta,
    "csv_drop": CsvDrop,
}
