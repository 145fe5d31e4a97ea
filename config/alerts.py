"""Settings of alerts: where they go, and from when on something is one."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from config.base import Duration, Strict


class Alerts(Strict):
    """Messages to people when something needs one of them, and when it is over."""

    urls: tuple[SecretStr, ...] = Field(
        min_length=1,
        description="Where to, as Apprise writes it: `slack://...`, `mailtos://...`, `workflows://...`"
        " (Teams), `jsons://HOST/PATH` (a webhook). A list, or one a line. Each is a secret.",
    )
    urls_file: Path | None = Field(
        default=None, description="A file that holds `urls`, one a line; `#` begins a comment."
    )
    repeat_after: Duration = Field(
        default=timedelta(days=1),
        gt=timedelta(0),
        description="After how long what still stands is told again.",
    )
    sync_silent_for: Duration = Field(
        default=timedelta(days=2), gt=timedelta(0), description="How long no sync may have ended."
    )
    events_stale_after: Duration | None = Field(
        default=timedelta(days=7),
        gt=timedelta(0),
        description="How old the newest event may be; null: any age.",
    )
    consent_stale_after: Duration | None = Field(
        default=None,
        gt=timedelta(0),
        description="How long no new consent record may have come, from wherever; left out, any time.",
    )

    @field_validator("urls", mode="before")
    @classmethod
    def _split_lines(cls, value: object) -> object:
        """Take text, such as a file's, for one URL a line."""
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str):
            return value
        lines = (line.strip() for line in text.splitlines())
        return tuple(line for line in lines if line and not line.startswith("#"))

    @field_validator("urls")
    @classmethod
    def _check_urls(cls, urls: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for number, each in enumerate(urls, start=1):
            if "://" not in each.get_secret_value():
                raise ValueError(f"number {number} is no URL such as slack://...")
        return tuple(dict.fromkeys(urls))
