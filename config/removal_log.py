"""Settings of the removal log: where its signed heads are kept besides."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from config.base import Duration, Strict


class RemovalLog(Strict):
    """Where the removal log's signed heads are kept besides."""

    heads_to: tuple[Path, ...] = Field(
        default=(),
        description="Folders that this machine's owner cannot change, such as a share: the daemon adds the"
        " newest signed head to a file in each.",
    )
    every: Duration = Field(
        default=timedelta(hours=1), description="How often, while there is a newer one."
    )
    timestamp_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="A time-stamp authority (RFC 3161) by which heads that are kept are stamped; needs"
        " `cohortd[stamp]`.",
    )
    timestamp_certificate: Path | None = Field(
        default=None,
        description="A PEM file with the authority's root certificate, and what stands between:"
        " `log verify --heads` checks the stamps by it.",
    )
