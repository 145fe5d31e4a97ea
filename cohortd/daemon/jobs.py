"""The daemon's jobs, as data."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from cohortd.core.turns import Turn
from cohortd.daemon.work import Work

#: How often the leader looks for revocations and approvals that came through another process; seconds.
WATCH_S: Final = 1.0
#: How often it looks which removals are due soon or late.
DUE_S: Final = 60.0
#: How often it looks what to tell people.
ALERTS_S: Final = 60.0
#: How often it forgets what was kept long enough.
FORGET_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done again and again."""

    name: str
    #: Says how it ended.
    do: Callable[[], str]
    #: When it comes; None where it only looks now and then, of which nothing is noted.
    turn: Turn | None = None
    #: Held while it is done.
    lock: AbstractContextManager[object] | None = None
    #: Whether it goes on while new settings wait for the rest to end.
    is_urgent: bool = False
    #: How often it looks, where it does; seconds.
    every_s: float = WATCH_S


def jobs_of(work: Work) -> Sequence[Job]:
    """List what is done by the schedule."""
    turns = work.pipeline.turns
    jobs = (
        Job("revocations", work.revocations, is_urgent=True),
        Job("polling", work.polling),
        Job("recluster", work.recluster, lock=work.alone),
        Job("sync", work.sync, lock=work.alone),
        Job("expiry", work.expiry, lock=work.alone),
        Job("reconciliation", work.reconciliation, is_urgent=True),
        Job("sizes", work.sizes),
        Job("heads", work.heads),
        Job("housekeeping", work.housekeeping),
        Job("backup", work.backup),
    )
    return [
        Job(each.name, each.do, turns[each.name], each.lock, each.is_urgent)
        for each in jobs
        if each.name in turns
    ]


def lookouts_of(work: Work) -> Sequence[Job]:
    """List what looks now and then whether there is anything to do, whatever the schedule says."""
    return (
        Job("pulse", work.pulse, is_urgent=True),
        Job("watch", work.watch, is_urgent=True),
        Job("approvals", work.approvals),
        Job("due", work.due, is_urgent=True, every_s=DUE_S),
        Job("alerts", work.alerts, is_urgent=True, every_s=ALERTS_S),
        Job("forget", work.forget, every_s=FORGET_S),
    )
