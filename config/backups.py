"""Settings of backups: where the daemon puts copies of the state."""

from pathlib import Path

from pydantic import Field

from config.base import Strict


class Backup(Strict):
    """Where the daemon puts copies of the state, as `cohortd backup` does."""

    to: Path = Field(description="A folder, best on another disk: each copy is a folder of its own in it.")
    keep: int = Field(default=14, ge=1, description="How many copies of this ledger stay there.")
