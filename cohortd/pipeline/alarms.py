"""Removals that are due soon or late: counted for whoever raises alarms, told in the log once each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from cohortd.core.deadlines import Standing
from cohortd.ledger import RunningRemovals
from cohortd.pipeline.wiring import Pipeline

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DueRemovals:
    """Removals on one destination that are due soon, or late."""

    destination: str
    standing: Standing
    #: How many withdrawals are not confirmed there.
    count: int
    #: When the first of them is, or was, due.
    first_due_at: datetime


def due_removals(pipeline: Pipeline) -> list[DueRemovals]:
    """Say of every destination how many removals are late and how many will be soon; no line where none."""
    return _counted(_standing(pipeline))


@dataclass(slots=True)
class DueWatch:
    """Tells in the log of every removal that is due soon and of every one that is late, once each.

    What was told is kept in memory: a daemon that starts tells of all that is open, once.
    """

    _told: set[tuple[object, ...]] = field(default_factory=set)

    def look(self, pipeline: Pipeline) -> list[DueRemovals]:
        """Tell what is new since the last look; return it."""
        found = _standing(pipeline)
        new = _counted([each for each in found if _clock_of(*each) not in self._told])
        for each in new:
            told = {
                "destination": each.destination,
                "removals": each.count,
                "first_due_at": each.first_due_at.isoformat(),
            }
            if each.standing is Standing.LATE:
                log.error("revocation_deadline_missed", **told)
            else:
                log.warning("revocation_deadline_neared", **told)
        self._told = {_clock_of(*each) for each in found}
        return new


def _standing(pipeline: Pipeline) -> list[tuple[RunningRemovals, Standing]]:
    deadlines, now = pipeline.ledger.removals.deadlines, pipeline.clock()
    found = [
        (each, deadlines.standing(each.received_at, each.due_at, now))
        for each in pipeline.ledger.clocks.running()
    ]
    return [(each, standing) for each, standing in found if standing is not Standing.RUNNING]


def _clock_of(removals: RunningRemovals, standing: Standing) -> tuple[object, ...]:
    """Name what is told once; how many are still open under a clock changes."""
    return (removals.destination, removals.received_at, removals.due_at, standing)


def _counted(found: Sequence[tuple[RunningRemovals, Standing]]) -> list[DueRemovals]:
    """Sum up; the first due of each come first."""
    groups: dict[tuple[str, Standing], list[RunningRemovals]] = {}
    for each, standing in found:
        groups.setdefault((each.destination, standing), []).append(each)
    return [
        DueRemovals(
            destination, standing, sum(each.count for each in group), min(each.due_at for each in group)
        )
        for (destination, standing), group in sorted(groups.items())
    ]
