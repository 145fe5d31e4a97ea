"""How it is said of removals that they are late, or will be soon."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from cohortd.core.deadlines import Deadlines, Standing
from cohortd.core.removals import RemovalEntry, RemovalEvent
from cohortd.core.times import format_time
from cohortd.ledger import timings_of

DUE_CURE: Final = "See cohortd log show, whether the destination is paused, and whether the daemon runs."
WORDS: Final[Mapping[Standing, str]] = {
    Standing.LATE: "past their time, since",
    Standing.SOON: "due soon, the first at",
}
KIND_OF: Final[Mapping[Standing, str]] = {
    Standing.LATE: "revocations_late",
    Standing.SOON: "revocations_due_soon",
}
#: Said of a confirmation, by what its entry says of its time.
_DONE: Final[Mapping[str, str]] = {"yes": "on time", "no": "was late"}


def due_words(entries: Sequence[RemovalEntry], deadlines: Deadlines, now: datetime) -> dict[int, str]:
    """Say of entries, by number, how they stand to their time: a whole log, or all of a subject.

    Said are confirmations (on time, was late) and the queueing of what is not confirmed yet (by when;
    soon, late).
    """
    waiting = {
        (each.subject, each.event_time, each.destination): deadlines.standing(
            each.recorded_at, each.due_at, now
        )
        for each in timings_of(entries)
        if each.confirmed_at is None and each.due_at is not None
    }
    return dict(_words(entries, waiting))


def _words(
    entries: Iterable[RemovalEntry], waiting: Mapping[tuple[str, datetime, str], Standing]
) -> Iterable[tuple[int, str]]:
    named = {
        (subject, format_time(at), destination): standing
        for (subject, at, destination), standing in waiting.items()
    }
    for entry in entries:
        standing = named.get((entry.subject, entry.event_time, entry.destination))
        if entry.event == RemovalEvent.QUEUED and standing is not None and entry.due_at:
            mark = "" if standing is Standing.RUNNING else f"{standing.value.upper()}: "
            yield entry.seq, f"{mark}by {entry.due_at[:16]}Z"
        elif entry.on_time:
            yield entry.seq, _DONE[entry.on_time]
