"""What of removals that are not confirmed needs a person, as the open batches tell.

The removal log would say the same, but to read all of it takes longer than a look every minute may.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cohortd.core.deadlines import Standing
from cohortd.core.delivery import AccessCheck, Lane
from cohortd.core.times import minute_of
from cohortd.ledger import OpenRemovals
from cohortd.pipeline.alarms import due_removals
from cohortd.pipeline.due import DUE_CURE, KIND_OF, WORDS
from cohortd.pipeline.wiring import Pipeline

#: After this long without a confirmation somebody should look, whatever time the law leaves: Google may
#: take a day, and is then asked once more.
OVERDUE_AFTER: Final = timedelta(hours=36)


def removal_lines(pipeline: Pipeline) -> list[AccessCheck]:
    """Say which removals are late or will be, which nobody sends, and which a platform refuses."""
    waiting = pipeline.ledger.overview.open_removals()
    return [
        *_nowhere(pipeline, waiting),
        *_due(pipeline),
        *_unconfirmed(pipeline, waiting),
        *_refused(pipeline),
    ]


def is_overdue(removals: OpenRemovals, now: datetime) -> bool:
    """Whether removals are past their time; without one, whether they take longer than they should."""
    if removals.due_at is None:
        return is_slow(removals, now)
    return removals.due_at < now


def is_slow(removals: OpenRemovals, now: datetime) -> bool:
    """Whether removals take longer than they should, whatever the law leaves."""
    return now - removals.received_at > OVERDUE_AFTER


def _nowhere(pipeline: Pipeline, waiting: Sequence[OpenRemovals]) -> list[AccessCheck]:
    """Removals from destinations that are no longer set: nothing sends them."""
    unset = [each for each in waiting if each.destination not in pipeline.destinations]
    return [
        AccessCheck(
            f"revocations on {name}",
            ok=False,
            detail=f"{count:,} removals are open, and this destination is no longer in the settings",
            cure=f"Put {name} back until they are confirmed.",
            kind="revocations_nowhere",
        )
        for name, count in _by_destination(unset)
    ]


def _due(pipeline: Pipeline) -> list[AccessCheck]:
    return [
        AccessCheck(
            f"revocations on {each.destination}",
            ok=False,
            detail=f"{each.count:,} removals are {WORDS[each.standing]} {minute_of(each.first_due_at)}",
            cure=DUE_CURE,
            kind=KIND_OF[each.standing],
        )
        for each in due_removals(pipeline)
        if each.standing is not Standing.RUNNING
    ]


def _unconfirmed(pipeline: Pipeline, waiting: Sequence[OpenRemovals]) -> list[AccessCheck]:
    now = pipeline.clock()
    slow = [each for each in waiting if each.destination in pipeline.destinations and is_slow(each, now)]
    return [
        AccessCheck(
            f"revocations on {name}",
            ok=False,
            detail=f"{count:,} removals are not confirmed {OVERDUE_AFTER.total_seconds() / 3600:.0f} hours"
            " after they were recorded",
            cure="See what cohortd log show says of them, and whether the destination is paused.",
            kind="revocations_unconfirmed",
        )
        for name, count in _by_destination(slow)
    ]


def _by_destination(removals: Sequence[OpenRemovals]) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for each in removals:
        counts[each.destination] += each.count
    return sorted(counts.items())


def _refused(pipeline: Pipeline) -> list[AccessCheck]:
    """Removals that a platform refused by name."""
    refused = [
        batch
        for batch in pipeline.ledger.outbox.open_batches()
        if batch.lane is Lane.REVOCATION and batch.refusals and not batch.repeats
    ]
    counts: Counter[tuple[str, str]] = Counter()
    for batch in refused:
        counts[batch.target.destination, batch.target.audience] += batch.rows
    return [
        AccessCheck(
            f"revocations on {destination}",
            ok=False,
            detail=f"the platform refused {count:,} removals from {audience}; they are tried again",
            cure="cohortd log show has the platform's reason; the audience may have to go as a whole.",
            kind="revocations_refused",
        )
        for (destination, audience), count in sorted(counts.items())
    ]
