"""Whose the files of the state are: one that root wrote is of no use to the user as whom all else runs."""

import os
from collections.abc import Iterable
from pathlib import Path

from cohortd.core.errors import SettingsError


def refuse_root(folder: Path) -> None:
    """Refuse to work as root in another user's folder.

    A daemon that cannot read its newest epoch any more must take the ledger for an older copy.

    Raises:
        SettingsError: We are root, and it belongs to somebody else.
    """
    owner = folder.stat().st_uid
    if os.geteuid() == 0 != owner:
        raise SettingsError(
            f"data_dir: {folder} belongs to user {owner}, who could not use what root writes there;"
            f" call cohortd as that user: setpriv --reuid {owner} --regid {folder.stat().st_gid}"
            " --clear-groups cohortd ..."
        )


def shut_to_us(paths: Iterable[Path]) -> list[Path]:
    """Return those that we may not read or write."""
    return [path for path in paths if not os.access(path, os.R_OK | os.W_OK, effective_ids=True)]
