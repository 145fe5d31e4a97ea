"""The settings' schedule, wired: when each job's turn comes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from cohortd.core.turns import Turn
from config.cron import interval_of, trigger_fields
from config.schedule import Schedule

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

#: Every job, in the order in which those that are due begin.
JOBS: Final = (
    "revocations",
    "polling",
    "recluster",
    "sync",
    "expiry",
    "reconciliation",
    "sizes",
    "heads",
    "housekeeping",
    "backup",
)
#: Jobs that fit, send or copy, and may take long.
LONG: Final = frozenset({"recluster", "sync", "expiry", "polling", "backup"})


def turns_of(schedule: Schedule, *, without: Collection[str] = ()) -> Mapping[str, Turn]:
    """Name -> timetable of every job that is not switched off.

    Args:
        without: Jobs for which the settings give nothing to do.
    """
    whens = {name: getattr(schedule, name) for name in JOBS if name not in without}
    dog = schedule.watchdog
    return {
        name: Turn(
            name,
            when,
            after=_Timetable(when, schedule.timezone).after,
            at_most=dog.long if name in LONG else dog.short,
        )
        for name, when in whens.items()
        if when is not None
    }


@dataclass(frozen=True, slots=True)
class _Timetable:
    """Crontab text in a time zone, or an interval from one start to the next."""

    when: str
    timezone: str

    def after(self, at: datetime) -> datetime | None:
        """Find the first turn after a moment."""
        every = interval_of(self.when)
        if every is not None:
            return at + every
        # A turn that falls on the moment itself was that moment's.
        later = at + timedelta(microseconds=1)
        due: datetime | None = _cron(self.when, self.timezone).get_next_fire_time(None, later)
        return None if due is None else due.astimezone(UTC)


@cache
def _cron(when: str, timezone: str) -> "CronTrigger":
    """Read crontab text; the scheduler's library is imported by whoever asks for a turn."""
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415

    return CronTrigger(**trigger_fields(when), timezone=timezone)
