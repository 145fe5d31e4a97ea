"""How soon members are sent again, so that their platform forgets nobody between two syncs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from cohortd.core.planning import Target
from cohortd.pipeline.reading import SENT
from cohortd.pipeline.wiring import Pipeline

#: The ledger has members sent again at nine tenths of their time at the latest.
_LATEST: Final = 0.9
#: The next sync may come later than the last one did.
_AT_MOST_LATER: Final = 1.25
_DAY: Final = timedelta(days=1)
#: Of the shortest membership: so long without a sync leaves nobody forgotten yet.
_WITHOUT_SYNC: Final = 0.05


def membership_days(pipeline: Pipeline, target: Target) -> int | None:
    """Days after which the target's platform forgets a member."""
    destination = pipeline.destinations.get(target.destination)
    return destination.membership_days if destination is not None else None


def refresh_days(pipeline: Pipeline) -> Callable[[Target], int | None]:
    """Say for a target within how many days members are to be sent again, by how often there is a sync.

    Where a membership ends soon and syncs are rare, whoever is not due yet would be forgotten before
    the next one.
    """
    last = pipeline.ledger.runs.last(kind="sync", status=SENT)
    gap = _AT_MOST_LATER * (pipeline.clock() - last.started_at) / _DAY if last is not None else 0.0

    def days_of(target: Target) -> int | None:
        days = membership_days(pipeline, target)
        return None if days is None else min(days, max(0, int((days - gap) / _LATEST)))

    return days_of


def needs_sync(pipeline: Pipeline) -> bool:
    """Tell whether there was no sync for so long that members would be forgotten before many more days."""
    days = [each.membership_days for each in pipeline.destinations.values() if each.membership_days]
    last = pipeline.ledger.runs.last(kind="sync", status=SENT)
    if not days or last is None:
        return False
    return pipeline.clock() - last.started_at >= _WITHOUT_SYNC * min(days) * _DAY
