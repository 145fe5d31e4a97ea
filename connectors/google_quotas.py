"""The Data Manager's quotas of a Cloud project: four kinds of requests, each counted by itself.

Knows nothing of the vendor's library, so that destinations share one before any of them is asked.

Source: developers.google.com/data-manager/api/devguides/limits
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Final

from cohortd.core.delivery import Hold
from cohortd.core.times import Clock
from connectors.pacing import DayBook, Pacer, Quota

#: Methods that only read; all others count as changes.
_READS: Final = frozenset({"retrieve_request_status", "get_user_list", "list_user_lists"})
#: A project may manage audiences half as often a day as it may take people in and out.
_MANAGED_LESS: Final = 2


class ProjectQuotas:
    """What all destinations share whose requests count for one project."""

    def __init__(
        self, project: str, quota: Quota, *, clock: Clock, book: DayBook, wait: Callable[[float], bool]
    ) -> None:
        """Do no I/O; see ``Pacer``.

        Args:
            project: Its name, or whatever else tells it from others.
            quota: What is allowed of taking people in and out.
            clock: Tells the minute and the day.
            book: Keeps the day.
            wait: Waits for so many seconds; true where the process was asked to stop.
        """
        managed = replace(quota, per_day=max(1, quota.per_day // _MANAGED_LESS))
        self._pacers = {
            (service, is_read): Pacer(
                f"data manager {service} {'reads' if is_read else 'changes'} of {project}",
                quota if service == "ingestion" else managed,
                clock=clock,
                book=book,
                wait=wait,
            )
            for service in ("ingestion", "management")
            for is_read in (False, True)
        }

    def request(self, method: str, *, urgent: bool = False) -> AbstractContextManager[None]:
        """Count a request of this method, made in the block, once it may be made."""
        service = "management" if "user_list" in method else "ingestion"
        return self._pacers[service, method in _READS].request(urgent=urgent)

    def hold(self, *, urgent: bool) -> Hold | None:
        """Tell until when nobody may be taken in or out."""
        return self._pacers["ingestion", False].hold(urgent=urgent)

    def used_share(self) -> float:
        """Tell how much of the kind of requests is used that is used most."""
        return max(pacer.used_share() for pacer in self._pacers.values())

    def close(self) -> None:
        """Take back what was noted of the day and not used."""
        for pacer in self._pacers.values():
            pacer.close()


def project_of(credentials_file: Path | None, endpoint: str | None) -> str:
    """Find out by what Google counts: the project of the credentials, or another address.

    Credentials that do not say their project count by themselves.
    """
    if endpoint:
        return endpoint
    if credentials_file is None:
        return "the machine's own credentials"
    try:
        told = json.loads(credentials_file.read_text(encoding="utf-8"))
        found = told.get("quota_project_id") or told.get("project_id")
    except (OSError, ValueError, AttributeError):
        found = None
    return str(found or credentials_file)
