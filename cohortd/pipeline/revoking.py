"""One person's revocation, recorded and sent at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.delivery import Lane
from cohortd.core.errors import NotLeaderError, SettingsError
from cohortd.core.identifiers import Family
from cohortd.core.removals import RemovalEvent
from cohortd.ledger import Extra, Withdrawal, Withdrawn
from cohortd.pipeline.delivery import Delivery
from cohortd.pipeline.subjects import IDENTIFIER_KINDS, contact_subject, customer_subject
from cohortd.pipeline.wiring import Pipeline
from cohortd.pipeline.withdrawing import withdraw_all

#: A reason with more digits than this may hold a phone number.
MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Revocation:
    """Whom, and what was said of it."""

    kind: SubjectKind
    value: str
    reason: str = ""
    #: Who asked for it.
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Sending:
    """How the sending of queued removals went."""

    #: Whether this process sent; else the leading process does.
    sent: bool
    notes: tuple[str, ...]
    fell_short: bool


@dataclass(frozen=True, slots=True)
class Revoked:
    """What a revocation set off."""

    #: The subject's name in the removal log.
    subject: str
    recorded_at: datetime
    #: Remote audiences from which the person is taken back.
    queued: int
    #: Destinations that have not confirmed yet.
    open: int
    sent: bool
    notes: tuple[str, ...]
    fell_short: bool
    #: Whether the customers table has the person now.
    in_source: bool

    @property
    def status(self) -> str:
        """In a word: recorded (nothing to take back), queued, sent (not confirmed yet) or confirmed."""
        if not self.queued:
            return "recorded"
        if not self.sent or self.fell_short:
            return "queued"
        return "sent" if self.open else "confirmed"


#: Takes one withdrawal in, with its removals, in one transaction.
Withdraw = Callable[[Withdrawn], Withdrawal]


def revoke(pipeline: Pipeline, revocation: Revocation) -> Revoked:
    """Record *revocation*, queue its removals in the same transaction, and send them at once.

    Raises:
        SettingsError: The contact field is no valid one, so nobody is named by it.
    """
    return take_back(
        pipeline, revocation, by="cohortd revoke", withdraw=lambda item: withdraw_all(pipeline, [item])[0]
    )


def take_back(pipeline: Pipeline, revocation: Revocation, *, by: str, withdraw: Withdraw) -> Revoked:
    """Do what ``revoke`` does, with another way to take the withdrawal in.

    What the ledger knows of the person goes out while the customers table is read for what they carry
    now: reading millions of customers takes a while, and may fail.

    Args:
        by: The command, for the record's source.

    Raises:
        SettingsError: The contact field is no valid one, so nobody is named by it.
    """
    now = pipeline.clock()
    record = _record(pipeline, revocation, now, by=by)
    whole = Withdrawn(record, tuple(Family), operator=_sayable(revocation.operator))
    withdrawal = withdraw(whole)
    with ThreadPoolExecutor(1) as beside:  # neither waits: for a slow platform, nor for a large table
        reading = beside.submit(
            copy_context().run, _withdraw_carried, pipeline, revocation, whole, withdraw
        )
        sending = send_revocations(pipeline)
        extra, has_more = reading.result()
    sending = send_revocations(pipeline) if has_more else sending
    notes = sending.notes if _is_known(pipeline, record, extra) else (_nobody(revocation), *sending.notes)
    timings = pipeline.ledger.removals.timings(subject=withdrawal.subject)
    waiting = {t.destination for t in timings if t.confirmed_at is None}
    nowhere = [
        f"{name} is no longer in the settings: the removal there waits until it is put back"
        for name in sorted(waiting - set(pipeline.destinations))
    ]
    return Revoked(
        subject=withdrawal.subject,
        recorded_at=now,
        queued=_queued(pipeline, withdrawal.subject, since=now),
        open=sum(t.confirmed_at is None for t in timings),
        sent=sending.sent,
        notes=(*notes, *nowhere),
        fell_short=sending.fell_short or bool(nowhere),
        in_source=bool(extra),
    )


def _withdraw_carried(
    pipeline: Pipeline, revocation: Revocation, whole: Withdrawn, withdraw: Withdraw
) -> tuple[list[Extra], bool]:
    """Withdraw what the person carries now, too; also tell whether that queued any removal."""
    extra = _carried(pipeline, revocation, whole.record)
    if not extra:
        return extra, False
    return extra, bool(withdraw(replace(whole, extra=extra)).remotes)


def _carried(pipeline: Pipeline, revocation: Revocation, record: ConsentRecord) -> list[Extra]:
    """Read what the person, or whoever carries the contact field, carries now."""
    # Libraries of data, for which the removals of what the ledger knows do not wait.
    from cohortd.pipeline import carriers  # noqa: PLC0415

    if revocation.kind is SubjectKind.CUSTOMER:
        return carriers.of_customers(pipeline, [revocation.value]).get(revocation.value, [])
    return carriers.of_records(pipeline, [record]).get(record, [])


def _queued(pipeline: Pipeline, subject: str, *, since: datetime) -> int:
    """Count the remote audiences from which removals of the subject were queued."""
    entries = pipeline.ledger.removals.entries(subject=subject, since=since)
    return len({(e.audience, e.destination) for e in entries if e.event == RemovalEvent.QUEUED})


def _is_known(pipeline: Pipeline, record: ConsentRecord, extra: Sequence[Extra]) -> bool:
    """Whether the customers table names the person now, or anything was ever sent of them."""
    members = pipeline.ledger.members
    if extra:
        return True
    if record.subject_kind is SubjectKind.CUSTOMER:
        return any(members.of_member(key) or members.history_of(key) for _, key in record.subject)
    kind = IDENTIFIER_KINDS[record.subject_kind]
    return any(members.owners_of(Family(family), kind, digest) for family, digest in record.subject)


def _nobody(revocation: Revocation) -> str:
    named = "id" if revocation.kind is SubjectKind.CUSTOMER else revocation.kind.value
    return (
        f"nobody of this {named} is known now: no customer who can be reached has it, and nobody was ever"
        " sent by it. The revocation stands all the same"
    )


def send_revocations(pipeline: Pipeline) -> Sending:
    """Send whatever removals are queued for revocations, unless another process leads."""
    try:
        with pipeline.ledger.leadership() as epoch:
            delivery = Delivery(pipeline, epoch)
            delivery.resume()
            delivery.drain(lane=Lane.REVOCATION)
            delivery.poll()
    except NotLeaderError:
        note = "another cohortd process leads; it sends the removals"
        return Sending(sent=False, notes=(note,), fell_short=False)
    return Sending(sent=True, notes=tuple(delivery.said), fell_short=bool(delivery.notes))


def _record(pipeline: Pipeline, revocation: Revocation, now: datetime, *, by: str) -> ConsentRecord:
    if revocation.kind is SubjectKind.CUSTOMER:
        subject = customer_subject(pipeline, revocation.value)
    else:
        subject = contact_subject(pipeline, revocation.kind, revocation.value)
    if not subject:
        raise SettingsError(
            f"this is no valid {revocation.kind.value}, so it names nobody; nothing was recorded"
            " (a phone number without + needs identity.default_region in the settings)"
        )
    return ConsentRecord(
        subject_kind=revocation.kind,
        subject=subject,
        status=ConsentStatus.REVOKED,
        recorded_at=now,
        source=_source(revocation.reason, by),
        # Never the plain digest of a contact field that was given for a reason.
        evidence=sha256(revocation.reason.encode()).hexdigest() if _sayable(revocation.reason) else "",
    )


def _source(reason: str, by: str) -> str:
    """Keep the reason for the log, unless it looks as if it held contact data."""
    if not reason:
        return by
    return f"{by}: {_sayable(reason) or '(reason withheld, it seems to hold contact data)'}"


def _sayable(text: str) -> str:
    """Cut it short; nothing is left of what may hold contact data."""
    holds_contact = "@" in text or sum(character.isdigit() for character in text) > MOST_DIGITS
    return "" if holds_contact else text[:200]
