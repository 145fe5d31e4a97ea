"""Removal log entries gathered into cases: one revocation and what became of it everywhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cohortd.core.removals import BY_HAND, REPEATED, RemovalEntry, RemovalEvent
from cohortd.report.cards import between


@dataclass(slots=True)
class Removal:
    """One remote audience that a person is taken out of; the newest step counts."""

    destination: str
    audience: str
    remote_id: str
    #: Event -> when it last happened.
    steps: dict[str, str] = field(default_factory=dict)
    state: str = ""
    detail: str = ""
    #: By when it had to be confirmed, and whether it was: ``yes``, ``no``, or blank where nobody can say.
    due_at: str = ""
    on_time: str = ""

    def is_overdue(self, now: str) -> bool:
        """Whether it is past its time and neither confirmed nor a file for upload by hand."""
        return bool(now and self.due_at) and self.state != RemovalEvent.CONFIRMED and self.due_at < now

    @property
    def by_hand(self) -> bool:
        """Whether it is confirmed as a file for people to upload, and no more."""
        return self.state == RemovalEvent.CONFIRMED and BY_HAND in self.detail


@dataclass(slots=True)
class Case:
    """One revocation of one subject."""

    subject: str
    recorded_at: str
    event_time: str
    trigger: str
    source: str
    removals: dict[tuple[str, str, str], Removal] = field(default_factory=dict)
    #: Every entry that belongs to it, repetitions too.
    entries: list[RemovalEntry] = field(default_factory=list)

    def seconds(self, removal: Removal) -> float | None:
        """Seconds from the record to the platform's confirmation; None while it is open."""
        confirmed = removal.steps.get(RemovalEvent.CONFIRMED, "")
        return between(self.recorded_at, confirmed) if removal.state == RemovalEvent.CONFIRMED else None


@dataclass(frozen=True, slots=True)
class Closing:
    """The log in numbers; ``slowest_s`` is None while nothing is confirmed."""

    revocations: int
    removals: int
    confirmed: int
    refused: int
    #: Neither confirmed nor refused.
    open: int
    #: Of the confirmed ones those that are files for people to upload; no platform has said anything.
    by_hand: int
    slowest_s: float | None
    #: Of the confirmed ones that have a clock.
    on_time: int = 0
    late: int = 0
    #: Of all others those that are past their time.
    overdue: int = 0


def cases_of(entries: Iterable[RemovalEntry]) -> list[Case]:
    """Gather entries, in the order of the log; each record of a revocation begins a case.

    Steps of a subject whose record is not among the entries (an excerpt) make a case of their own.
    """
    cases: list[Case] = []
    by_subject: dict[str, list[Case]] = {}
    for entry in entries:
        own = by_subject.setdefault(entry.subject, [])
        if entry.detail.startswith(REPEATED):
            if own:
                own[-1].entries.append(entry)
            continue  # what it repeats is in the case
        if entry.event == RemovalEvent.RECORDED or not own:
            own.append(_case(entry))
            cases.append(own[-1])
        if entry.event == RemovalEvent.RECORDED:
            own[-1].entries.append(entry)
        else:
            _step(own, entry)
    return cases


def begun_until(cases: Iterable[Case], until: str) -> list[Case]:
    """Choose those whose record is among the entries, and from before a time; blank for any."""
    return [case for case in cases if case.recorded_at and (not until or case.recorded_at < until)]


def closing(cases: Sequence[Case], *, now: str = "") -> Closing:
    """Sum up.

    Args:
        now: By which what is open is past its time; blank counts none.
    """
    pairs = [(case, removal) for case in cases for removal in case.removals.values()]
    lasted = [seconds for case, removal in pairs if (seconds := case.seconds(removal)) is not None]
    confirmed = sum(removal.state == RemovalEvent.CONFIRMED for _, removal in pairs)
    refused = sum(removal.state == RemovalEvent.REJECTED for _, removal in pairs)
    return Closing(
        revocations=len(cases),
        removals=len(pairs),
        confirmed=confirmed,
        refused=refused,
        open=len(pairs) - confirmed - refused,
        by_hand=sum(removal.by_hand for _, removal in pairs),
        slowest_s=max(lasted, default=None),
        on_time=sum(removal.on_time == "yes" for _, removal in pairs),
        late=sum(removal.on_time == "no" for _, removal in pairs),
        overdue=sum(removal.is_overdue(now) for _, removal in pairs),
    )


def _case(entry: RemovalEntry) -> Case:
    recorded_at = entry.at if entry.event == RemovalEvent.RECORDED else ""
    return Case(entry.subject, recorded_at, entry.event_time, entry.trigger, entry.source)


def _step(own: Sequence[Case], entry: RemovalEntry) -> None:
    key = (entry.destination, entry.audience, entry.remote_id)
    # Somebody who revokes again may still have an answer outstanding from the first time.
    waiting = [
        case for case in own if key in case.removals and case.removals[key].state != RemovalEvent.CONFIRMED
    ]
    case = waiting[0] if waiting and entry.event != RemovalEvent.QUEUED else own[-1]
    case.entries.append(entry)
    removal = case.removals.setdefault(key, Removal(*key))
    removal.steps[entry.event] = entry.at
    removal.state = entry.event
    removal.detail = entry.detail
    removal.due_at = entry.due_at or removal.due_at
    removal.on_time = entry.on_time
