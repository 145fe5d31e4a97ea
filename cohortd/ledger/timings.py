"""How long taking somebody back took, worked out of the removal log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cohortd.core.removals import REPEATED, RemovalEntry, RemovalEvent
from cohortd.core.times import parse_time


@dataclass(frozen=True, slots=True)
class RemovalTiming:
    """One withdrawal on one destination, all its audiences there together.

    ``sent_at``, ``accepted_at`` and ``confirmed_at`` are the slowest audience's, and None while one
    of them has not come so far.
    """

    subject: str
    destination: str
    event_time: datetime
    recorded_at: datetime
    queued_at: datetime
    sent_at: datetime | None
    accepted_at: datetime | None
    confirmed_at: datetime | None
    #: By when it had to be confirmed; None where it has no clock.
    due_at: datetime | None = None


@dataclass(slots=True)
class _Audience:
    """The steps of one audience; a removal that is queued again starts them anew."""

    queued_at: str
    #: As it was queued last.
    due_at: str = ""
    at: dict[str, str] = field(default_factory=dict)


def timings_of(entries: Iterable[RemovalEntry], *, recorded: bool = False) -> Sequence[RemovalTiming]:
    """Fold the log's lines.

    Args:
        entries: A whole log, all of a subject, or the end of a log.
        recorded: Whether to leave out what was recorded before the first of them.
    """
    recorded_at: dict[tuple[str, str], str] = {}
    steps: dict[tuple[str, str, str], dict[str, _Audience]] = {}
    for entry in entries:
        if entry.detail.startswith(REPEATED):
            continue
        if entry.event == RemovalEvent.RECORDED:
            recorded_at.setdefault((entry.subject, entry.event_time), entry.at)
            continue
        audiences = steps.setdefault((entry.subject, entry.event_time, entry.destination), {})
        audience = audiences.setdefault(f"{entry.audience}\n{entry.remote_id}", _Audience(entry.at))
        if entry.event == RemovalEvent.QUEUED:
            audience.at.clear()
            audience.due_at = entry.due_at
        else:
            audience.at[entry.event] = entry.at
    return [
        _timing(key, list(audiences.values()), recorded_at)
        for key, audiences in steps.items()
        if not recorded or key[:2] in recorded_at
    ]


def _timing(
    key: tuple[str, str, str], audiences: Sequence[_Audience], recorded_at: dict[tuple[str, str], str]
) -> RemovalTiming:
    subject, event_time, destination = key
    queued_at = min(audience.queued_at for audience in audiences)
    due = min((audience.due_at for audience in audiences if audience.due_at), default="")
    return RemovalTiming(
        subject=subject,
        destination=destination,
        event_time=parse_time(event_time),
        recorded_at=parse_time(recorded_at.get((subject, event_time), queued_at)),
        queued_at=parse_time(queued_at),
        sent_at=_slowest(audiences, RemovalEvent.SENT),
        accepted_at=_slowest(audiences, RemovalEvent.ACCEPTED),
        confirmed_at=_slowest(audiences, RemovalEvent.CONFIRMED),
        due_at=parse_time(due) if due else None,
    )


def _slowest(audiences: Sequence[_Audience], event: RemovalEvent) -> datetime | None:
    times = [audience.at.get(event, "") for audience in audiences]
    return parse_time(max(times)) if all(times) else None
