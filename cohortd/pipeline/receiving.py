"""Consent events taken in as they come: recorded, queued for removal, and only then acknowledged.

All that an event comes to is one transaction of the ledger: withdrawals with their removals, records, and
the note that it came. What comes again because the answer to it was lost is known by that note.
"""

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import structlog

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.errors import CohortdError
from cohortd.core.times import format_time
from cohortd.core.withholding import telling_apart, without_contacts
from cohortd.ledger import Outcome, ReceivedEvent, Withdrawn
from cohortd.pipeline import carriers
from cohortd.pipeline.subjects import contact_subject, customer_subject
from cohortd.pipeline.wiring import Pipeline
from cohortd.pipeline.withdrawing import withdraw_all
from cohortd.receiver import EventShape, Named, Reading, Received, Said, Verdict, read_event
from consent import is_withdrawal, platform_scope

#: For so long the note of an event is kept. Senders send again for days, and whoever repeats an old event
#: has to have its signature: a signed time is refused after minutes, and of the others each makes the same
#: records, which are kept for good. Only one without a time would take back once more.
KEPT_FOR: Final = timedelta(days=400)
_NOBODY = "whom it names cannot be read"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _About:
    """One way in which an event names its person; the id is for looking them up, and is not kept."""

    kind: SubjectKind
    subject: tuple[tuple[str, bytes], ...]
    customer_id: str = ""


class Receiving:
    """Takes events in, one after the other, from any thread."""

    def __init__(self, pipeline: Pipeline, shapes: Mapping[str, EventShape]) -> None:
        """Read the events of each source by its shape."""
        self._pipeline = pipeline
        self._shapes = shapes
        self._one_by_one = threading.Lock()
        self._to_carry: queue.SimpleQueue[tuple[ConsentRecord, str] | None] = queue.SimpleQueue()

    def take(self, received: Received) -> Verdict:
        """Take an event in; what came of it is committed when this returns.

        Raises:
            CohortdError: The ledger cannot be used now. The event must come again.
        """
        with self._one_by_one:
            return self._take(received)

    def carry(self, *, stop: Callable[[], bool]) -> None:
        """Read what withdrawn people carry now, as events come, until ``close`` is called.

        Removals of what the ledger knows do not wait for it: reading the customers takes a while, and may
        fail. What was not read when *stop* says so, the next plan reads.
        """
        is_open = True
        while is_open:
            waiting = [self._to_carry.get()]
            while not self._to_carry.empty():
                waiting.append(self._to_carry.get())
            if stop():
                return
            is_open = None not in waiting
            try:
                self._carry([each for each in waiting if each is not None])
            except CohortdError as error:
                log.warning("contacts_not_read", reason=str(error))
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a table does to it
                log.warning("contacts_not_read", reason=type(error).__name__)

    def close(self) -> None:
        """Let ``carry`` end after what is waiting."""
        self._to_carry.put(None)

    def _take(self, received: Received) -> Verdict:
        ledger, now = self._pipeline.ledger, self._pipeline.clock()
        body = sha256(received.raw)
        event = ReceivedEvent(received.source, telling_apart(received.event_id), body.digest())
        if ledger.received.is_known(event):
            return Verdict.KNOWN
        reading = read_event(received.raw, self._shapes[received.source])
        about = list(_about(self._pipeline, reading.named))
        fault = reading.fault or ("" if about else _NOBODY)
        said = (Said(ConsentStatus.REVOKED, None),) if fault else reading.said
        records = {
            _record(one, each, now=now, source=received.source, evidence=body.hexdigest()): one.customer_id
            for one in about
            for each in said
        }
        if not event.event and not _says_which(reading):
            # The same bytes may be sent again and mean it: somebody withdraws, grants, and withdraws.
            event = ReceivedEvent(event.source, f"at {format_time(now)}", event.body)
        subjects = [ledger.removals.subject_ref(one.kind, one.subject) for one in about] if fault else []
        withdrawing = [r for r in records if is_withdrawal(r, purpose=self._pipeline.consent.purpose)]
        new = ledger.consent.to_withdraw(withdrawing)
        withdrawn = [Withdrawn(r, platform_scope(r.platform)) for r in new]
        outcome = Outcome(withdrawn, list(records), len(received.raw), fault, subjects)
        ledger.received.take(event, outcome, now=now)
        for record in new:
            self._to_carry.put((record, records[record]))
        return self._told(received, fault, about)

    def _told(self, received: Received, fault: str, about: Sequence[_About]) -> Verdict:
        if not fault:
            log.info("consent_event_taken", source=received.source)
            return Verdict.TAKEN
        log.warning("consent_event_parked", source=received.source, reason=fault, revoked=bool(about))
        return Verdict.PARKED

    def _carry(self, waiting: Sequence[tuple[ConsentRecord, str]]) -> None:
        pipeline = self._pipeline
        by_contact = carriers.of_records(pipeline, [record for record, customer in waiting if not customer])
        by_id = carriers.of_customers(pipeline, [customer for _, customer in waiting if customer])
        withdrawn = [
            Withdrawn(record, platform_scope(record.platform), extra)
            for record, customer in waiting
            if (extra := by_id.get(customer, []) if customer else by_contact.get(record, []))
        ]
        withdraw_all(pipeline, withdrawn)


def forget_received(pipeline: Pipeline) -> int:
    """Forget that events came which came long ago, unless somebody has yet to look at one."""
    return pipeline.ledger.received.forget(pipeline.clock() - KEPT_FOR)


def _about(pipeline: Pipeline, named: Named) -> "list[_About]":
    """Name the person as the ledger does, by whatever the event names them.

    By contact fields also beside a customer id: it may be the sender's own, which we never saw.
    """
    ids = [
        _About(SubjectKind.CUSTOMER, customer_subject(pipeline, each), each) for each in named.customer_ids
    ]
    contacts = [
        *((SubjectKind.EMAIL, each) for each in named.emails),
        *((SubjectKind.PHONE, each) for each in named.phones),
    ]
    found = [(kind, contact_subject(pipeline, kind, value)) for kind, value in contacts]
    return [*ids, *(_About(kind, subject) for kind, subject in found if subject)]


def _says_which(reading: Reading) -> bool:
    """Whether the body says which event it is, by an id or by its times."""
    return bool(reading.event_id) or (
        not reading.fault and all(each.recorded_at is not None for each in reading.said)
    )


def _record(about: _About, said: Said, *, now: datetime, source: str, evidence: str) -> ConsentRecord:
    """Make a record; what bears no time is said now."""
    return ConsentRecord(
        subject_kind=about.kind,
        subject=about.subject,
        status=said.status,
        recorded_at=said.recorded_at or now,
        purpose=without_contacts(said.purpose),
        platform=without_contacts(said.platform),
        regulation=without_contacts(said.regulation),
        source=source,
        evidence=evidence,
        legal_basis=without_contacts(said.legal_basis),
        confirmed=said.confirmed,
    )
