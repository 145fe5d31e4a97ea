"""When the daemon does what, and how long it may take."""

from datetime import timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from config.base import Duration, Strict
from config.cron import check_cron, interval_of

#: No job is looked at more often.
SHORTEST: Final = timedelta(seconds=10)
#: Less leaves no time to store what a platform is just answering.
LEAST_GRACE: Final = timedelta(seconds=2)


def check_when(text: str) -> str:
    """Return *text* if it is an interval such as ``15m``, or a crontab line that can come due.

    Raises:
        ValueError: It is neither.
    """
    every = interval_of(text)
    if every is None:
        return check_cron(text)
    if every < SHORTEST:
        raise ValueError(f"is too short an interval: the shortest is {SHORTEST.seconds}s")
    return text.replace(" ", "")


When = Annotated[str, AfterValidator(check_when)]


class Watchdog(Strict):
    """How long a job may take before it counts as stuck."""

    long: Duration = Field(
        default=timedelta(hours=12),
        description="For `recluster`, `sync`, `expiry`, `polling` and `backup`.",
    )
    short: Duration = Field(default=timedelta(minutes=15), description="For every other job.")
    give_up: Duration | None = Field(
        default=timedelta(hours=12),
        description="How much longer until the daemon leaves with exit code 1, so that whatever runs it"
        " starts it again; null: never.",
    )


class Schedule(Strict):
    """When the daemon does what: crontab text or an interval such as `15m`; null switches one off."""

    recluster: When | None = Field(default="0 3 * * 1", description="Look whether a new model is due.")
    sync: When | None = Field(default="0 * * * *", description="Read the sources and send what changed.")
    revocations: When | None = Field(default="*/5 * * * *", description="Read consent and send removals.")
    polling: When | None = Field(
        default="*/5 * * * *", description="Ask the platforms what they have done, send what had to wait."
    )
    expiry: When | None = Field(
        default="15 4 * * *",
        description="Look whether members would be forgotten by their platform, there being no sync for too"
        " long, and sync then. Off where `sync` is null, unless it is given.",
    )
    reconciliation: When | None = Field(
        default="30 4 * * *",
        description="Compare `sources.consent_export` with the ledger; nothing is done without one.",
    )
    sizes: When | None = Field(
        default="50 * * * *",
        description="Look whether an audience's size was not read for a day, and ask its platform.",
    )
    heads: When | None = Field(
        default="*/5 * * * *", description="Keep the removal log's newest head elsewhere (`removal_log`)."
    )
    housekeeping: When | None = Field(
        default="10 2 * * *", description="Delete what is old: reports, what killed runs left."
    )
    backup: When | None = Field(
        default="40 2 * * *", description="Copy the state to `backup.to`; nothing is done without one."
    )
    timezone: str = Field(default="UTC", description="The timetable's time zone, such as `Europe/Berlin`.")
    grace: Duration = Field(
        default=timedelta(seconds=25),
        ge=LEAST_GRACE,
        description="How long after SIGTERM the daemon has ended, whatever is under way. What runs it must"
        " wait a little longer before it kills it: Kubernetes waits 30 seconds, Docker 10.",
    )
    watchdog: Watchdog = Field(default_factory=Watchdog, description="How long a job may take.")

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, name: str) -> str:
        try:
            # Known without the system's time zone files, which small images leave out.
            return name if name == "UTC" else ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone this machine knows, such as UTC or Europe/Berlin") from None

    @model_validator(mode="before")
    @classmethod
    def _send_nothing_unasked(cls, value: object) -> object:
        """Whoever wants no syncs by the schedule gets none for the sake of members' time either."""
        if isinstance(value, dict) and "sync" in value and value["sync"] is None:
            return {"expiry": None, **value}
        return value
