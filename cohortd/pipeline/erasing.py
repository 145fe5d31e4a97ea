"""A person erased: taken back everywhere, then everything of them goes but what keeps them out."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from cohortd.core.consenting import SubjectKind
from cohortd.core.errors import LedgerError, SettingsError
from cohortd.core.times import format_time
from cohortd.ledger import Erasure, Person, Recipient
from cohortd.pipeline.personal_reports import check_name, report_of, write_report
from cohortd.pipeline.revoking import Revocation, Revoked, take_back
from cohortd.pipeline.scrubbing import UNREADABLE, take_out
from cohortd.pipeline.wiring import Pipeline

log = structlog.get_logger()

_ID_BYTES: Final = 6
_WHAT: Final = {
    "decisions": "rows of decisions",
    "assignments": "rows of segments",
    "history": "rows of what was sent and taken back",
    "refused": "rows that a platform had refused",
    "shared": "notes of shared identifiers",
    "grants": "grants of consent",
    "events": "mentions in unreadable consent events",
}


@dataclass(frozen=True, slots=True)
class ErasureState:
    """How far an erasure is."""

    id: str
    asked_at: str
    #: Blank while it is not finished.
    finished_at: str
    #: What may still be on a platform, or is under way.
    waiting: int
    recipients: tuple[Recipient, ...]
    erased: dict[str, int]

    def as_json(self) -> dict[str, object]:
        """One of the answer of ``erase --status --json``."""
        return {
            "erasure": self.id,
            "status": "finished" if self.finished_at else "open",
            "asked_at": self.asked_at,
            "finished_at": self.finished_at or None,
            "waiting": self.waiting,
            "recipients": [asdict(each) for each in self.recipients],
            "erased": dict(self.erased),
        }

    @property
    def _unconfirmed(self) -> str:
        there = sum(each.state == "there" for each in self.recipients)
        if not there:
            return "what was under way to the platforms is not settled yet"
        return f"{there:,} of {len(self.recipients):,} remote audiences have not confirmed the removal yet"

    def sentences(self) -> Iterator[str]:
        """Tell it to people."""
        if self.finished_at:
            yield f"Erasure {self.id}, asked for {self.asked_at}, was finished {self.finished_at}."
        elif self.waiting:
            yield (
                f"Erasure {self.id}, asked for {self.asked_at}, is open: {self._unconfirmed}."
                " Later runs finish it."
            )
        else:
            yield (
                f"Erasure {self.id}, asked for {self.asked_at}, is open: everything is removed from the"
                " platforms, and the next run erases what is kept here."
            )
        if self.erased:
            gone = ", ".join(f"{count:,} {_WHAT.get(what, what)}" for what, count in self.erased.items())
            yield f"Erased here: {gone}."
        yield from map(_recipient_sentence, self.recipients)


@dataclass(frozen=True, slots=True)
class Erased:
    """What asking for an erasure set off."""

    revoked: Revoked
    state: ErasureState
    #: What the operator has to do.
    to_do: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The answer of ``erase --json``."""
        return {
            **self.state.as_json(),
            "subject": self.revoked.subject,
            "removals": self.revoked.status,
            "notes": list(self.revoked.notes),
            "to_do": list(self.to_do),
        }


def erase(pipeline: Pipeline, request: Revocation, *, report: Path | None = None) -> Erased:
    """Take a person back from everywhere by the fast lane; what is confirmed is erased at once.

    Args:
        report: Where to write what was known of the person, before it goes.

    Raises:
        SettingsError: The contact field is no valid one, so nobody is named by it; or the report cannot
            be written, and the person is taken back, but erased by a later run only.
    """
    if report is not None:
        check_name(report)
    erasure_id = secrets.token_hex(_ID_BYTES)
    withdraw = partial(pipeline.ledger.erasures.withdraw, erasure_id=erasure_id, now=pipeline.clock())
    revoked = take_back(pipeline, request, by="cohortd erase", withdraw=withdraw)
    found = _get(pipeline, erasure_id)
    person = pipeline.ledger.erasures.person(found)
    if report is not None:
        write_report(report_of(pipeline, request.kind, request.value), report)
    if revoked.sent:  # else the process that leads does it
        _finish(pipeline, found)
    state = _state(pipeline, _get(pipeline, erasure_id))
    return Erased(revoked, state, tuple(_to_do(pipeline, request, revoked, person)))


def finish_erasures(pipeline: Pipeline) -> int:
    """Finish whatever erasure has nothing left to wait for; return how many."""
    return sum(_finish(pipeline, erasure) for erasure in pipeline.ledger.erasures.unfinished())


def erasures(pipeline: Pipeline, erasure_id: str = "") -> Sequence[ErasureState]:
    """Tell how far every erasure is, or one.

    Raises:
        SettingsError: There is no such erasure.
    """
    chosen = [_get(pipeline, erasure_id)] if erasure_id else pipeline.ledger.erasures.all()
    return [_state(pipeline, each) for each in chosen]


def _finish(pipeline: Pipeline, erasure: Erasure) -> bool:
    """Erase, unless anything may still be on a platform; a crash in between leaves it to be done again.

    Files first: whose they are is found by what the ledger forgets last. One that cannot be read or
    written holds up the erasure, and nothing else.
    """
    ledger = pipeline.ledger
    if ledger.erasures.waiting(erasure):
        return False
    person = ledger.erasures.person(erasure)
    try:
        files = {folder: _scrub(pipeline, folder, person) for folder in ("decisions", "assignments")}
        went = {what: rows for what, rows in files.items() if rows}
        ledger.erasures.finish(erasure, person, files=went, now=pipeline.clock())
    except (*UNREADABLE, LedgerError) as error:
        log.warning("erasure_not_finished", erasure=erasure.id, error=type(error).__name__)
        return False
    return True


def _scrub(pipeline: Pipeline, folder: str, person: Person) -> int:
    newest_first = sorted((pipeline.data_dir / folder).glob("*.parquet"), reverse=True)
    return take_out(
        newest_first,
        frozenset(person.members),
        secret=pipeline.ledger.secret,
        # Without the last assignments nobody has a previous segment; decisions serve trace alone.
        spares_broken=folder == "assignments",
    )


def _get(pipeline: Pipeline, erasure_id: str) -> Erasure:
    found = pipeline.ledger.erasures.get(erasure_id)
    if found is None:
        raise SettingsError(f"there is no erasure {erasure_id}; cohortd erase --status lists them")
    return found


def _state(pipeline: Pipeline, erasure: Erasure) -> ErasureState:
    ledger, is_open = pipeline.ledger, erasure.finished_at is None
    return ErasureState(
        erasure.id,
        format_time(erasure.asked_at),
        "" if erasure.finished_at is None else format_time(erasure.finished_at),
        ledger.erasures.waiting(erasure) if is_open else 0,
        ledger.erasures.recipients(erasure),
        dict(erasure.erased),
    )


def _recipient_sentence(one: Recipient) -> str:
    where = f"{one.destination} ({one.platform}, account {one.account}), audience {one.name}"
    outcome = {
        "there": "not confirmed as removed yet",
        "removed": f"removed {one.removed_at}",
        "refused": "which the platform did not take",
    }[one.state]
    return f"Recipient: {where}: first sent {one.first_sent_at}, {outcome}."


def _to_do(pipeline: Pipeline, request: Revocation, revoked: Revoked, person: Person) -> Iterator[str]:
    """What cohortd cannot erase, since it is not its own."""
    where = "The customers table has this person now. Erase" if revoked.in_source else "Erase"
    yield (
        f"{where} them in your own tables (customers, events, consent) and in backups. As long as they are"
        " there, they stay out of every audience, but each run reads them and keeps a decision on them."
    )
    if request.kind is not SubjectKind.CUSTOMER and not person.members:
        yield (
            f"Not exactly one person is known by this {request.kind.value}: it was taken back, with whoever"
            " carries it, and erased, but nobody as a person. Name each by --customer."
        )
    if pipeline.sources.consent_drop is not None:
        yield "Files laid into sources.consent_drop stay in done and failed there: erase them in these."
    if any(each.by_hand for each in pipeline.destinations.values()):
        yield "Files for upload by hand that name them go when their keep_days are over."
    yield "Exports, proofs and reports that you had written are yours to delete."
