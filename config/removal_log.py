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
