"""Consent taken in: what was withdrawn is queued for removal, what was granted again is lifted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd

from cohortd.core.consenting import ConsentRecord, ConsentStatus
from cohortd.core.identifiers import Family
from cohortd.core.reporting import SourceReport
from cohortd.ledger import SuppressionCause, Withdrawal, Withdrawn
from cohortd.pipeline import carriers
from cohortd.pipeline.consents import WITHDRAWAL_OF_NOBODY, ConsentBook, open_book, table_records
from cohortd.pipeline.wiring import Pipeline
from cohortd.sources import WITHDRAWAL_LOST, Tally
from consent import answers, is_withdrawal, platform_scope, withdraws

#: Reasons under which a row of the consent table is lost although it withdraws.
LOST = (WITHDRAWAL_LOST, WITHDRAWAL_OF_NOBODY)


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in, and all that is known now."""

    book: ConsentBook
    report: SourceReport | None
    withdrawn: int
    lifted: int

    @property
    def lost(self) -> str:
        """Say, if so, that withdrawals could not be read: whoever ordered them is still being sent."""
        count = sum(self.report.dropped.get(reason, 0) for reason in LOST) if self.report else 0
        return (
            f"consent: {count:,} withdrawals name nobody that can be read; mend those rows" if count else ""
        )


def take_in(pipeline: Pipeline, *, as_of: datetime) -> Intake:
    """Read the consent table, queue removals for new withdrawals, lift what a newer grant answers.

    Nothing else of a run comes before this: a revocation must get out even where customers or
    events cannot be read (law 2).
    """
    pipeline.progress("reading consent")
    tally = Tally("consent")
    book = open_book(pipeline, tally)
    withdrawn = withdraw_new(pipeline, book)
    lifted = _lift(pipeline, book, as_of=as_of)
    report = tally.report() if pipeline.sources.consent is not None else None
    return Intake(book, report, withdrawn, lifted)


def withdraw_new(pipeline: Pipeline, book: ConsentBook) -> int:
    """Queue removals for every withdrawal in *book* that the ledger does not know yet."""
    purpose = pipeline.consent.purpose
    by_customer = table_records(pipeline, book.table[withdraws(book.table, purpose=purpose)])
    by_contact = [r for r in book.contact_records() if is_withdrawal(r, purpose=purpose)]
    store = pipeline.ledger.consent
    news = set(store.unknown([*(record for _, record in by_customer), *by_contact]))
    if not news:
        return 0
    customers = [(customer, record) for customer, record in by_customer if record in news]
    contacts = [record for record in by_contact if record in news]
    asked = [pair for pair in customers if _takes_back(pipeline, pair[1])]
    extra = carriers.of_customers(pipeline, [customer for customer, _ in asked])
    carried = carriers.of_records(pipeline, contacts)
    withdraw_all(
        pipeline,
        [
            *(Withdrawn(r, platform_scope(r.platform), extra.get(customer, [])) for customer, r in asked),
            *(Withdrawn(r, platform_scope(r.platform), carried.get(r, [])) for r in contacts),
        ],
    )
    return len(asked) + len(contacts)


def withdraw_all(pipeline: Pipeline, withdrawn: Sequence[Withdrawn]) -> list[Withdrawal]:
    """Record withdrawals and queue their removals, both in one transaction of the ledger."""
    outcomes: list[Withdrawal] = []
    for trigger in (ConsentStatus.REVOKED, ConsentStatus.DENIED):
        those = [item for item in withdrawn if item.record.status is trigger]
        if those:
            outcomes += pipeline.ledger.consent.withdraw_many(
                those, trigger=trigger.value, now=pipeline.clock()
            )
    return outcomes


def _takes_back(pipeline: Pipeline, record: ConsentRecord) -> bool:
    """Tell a withdrawal from a plain no.

    Who says no without ever having been sent takes nothing back: the decision keeps them out, and
    the removal log stays a log of removals. While anything waits to be sent, they may be in it.
    """
    if record.status is ConsentStatus.REVOKED:
        return True
    key = record.subject[0][1]
    return bool(pipeline.ledger.members.of_member(key) or pipeline.ledger.outbox.open_batches())


def _lift(pipeline: Pipeline, book: ConsentBook, *, as_of: datetime) -> int:
    """Lift suppressions whose very subject granted again, strictly later.

    A withdrawal by contact field that only the customer's own id answers needs to know who else
    carries the field: that is seen when everybody's contact fields are read.
    """
    active = pipeline.ledger.consent.active()
    if not active:
        return 0
    grants = _grants(pipeline, book, since=min(cause.withdrawn_at for cause in active), as_of=as_of)
    lifted = 0
    for cause in active:
        for family in platform_scope(cause.platform):
            lifted += _lift_for(pipeline, cause, family, grants, as_of=as_of)
    return lifted


def _lift_for(
    pipeline: Pipeline,
    cause: SuppressionCause,
    family: Family,
    grants: Mapping[tuple[str, bytes], list[ConsentRecord]],
    *,
    as_of: datetime,
) -> int:
    """Lift one withdrawal for one family, and keep the grant that answers it.

    Without the kept grant the withdrawal would stand again as soon as the table lost the row.
    """
    withdrawal = replace(cause.record, platform=family.value)
    answer = [
        grant
        for key in cause.keys
        for grant in grants.get(key, ())
        if answers(grant, withdrawal, purpose=pipeline.consent.purpose, as_of=as_of)
    ]
    if not answer:
        return 0
    newest = max(answer, key=lambda grant: grant.recorded_at)
    store = pipeline.ledger.consent
    store.record([newest], received_at=pipeline.clock())
    return store.lift(cause, granted_at=newest.recorded_at, now=pipeline.clock(), families=[family])


def _grants(
    pipeline: Pipeline, book: ConsentBook, *, since: datetime, as_of: datetime
) -> Mapping[tuple[str, bytes], list[ConsentRecord]]:
    """Grants after *since* and not after *as_of*, by the keys of their subjects."""
    at = book.table["recorded_at"]
    recent = (
        (book.table["status"] == ConsentStatus.GRANTED.value)
        & (at > pd.Timestamp(since))
        & (at <= pd.Timestamp(as_of))
    )
    found: dict[tuple[str, bytes], list[ConsentRecord]] = {}
    records = [record for _, record in table_records(pipeline, book.table[recent])]
    records += [record for kept in book.by_member.values() for record in kept]
    records += list(book.contact_records())
    for record in records:
        if record.status is ConsentStatus.GRANTED and since < record.recorded_at <= as_of:
            for key in record.subject:
                found.setdefault(key, []).append(record)
    return found
