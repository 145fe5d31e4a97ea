"""Consent taken in: what was withdrawn is queued for removal, what was granted again is lifted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import structlog

from cohortd.core.consenting import ConsentStatus
from cohortd.core.identifiers import Family
from cohortd.core.reporting import SourceReport
from cohortd.ledger import Withdrawn
from cohortd.pipeline import carriers
from cohortd.pipeline.consents import (
    ROWS_AT_ONCE,
    WITHDRAWAL_OF_NOBODY,
    ConsentBook,
    open_book,
    parts,
    table_records,
)
from cohortd.pipeline.lifting import lift_answered
from cohortd.pipeline.wiring import Pipeline
from cohortd.pipeline.withdrawing import withdraw_all
from cohortd.sources import WITHDRAWAL_LOST, Tally
from consent import ConsentRules, is_withdrawal, platform_scope, withdrawals, withdraws

log = structlog.get_logger()

#: Reasons under which a row of the consent table is lost although it withdraws.
LOST = (WITHDRAWAL_LOST, WITHDRAWAL_OF_NOBODY)


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in, and all that is known now."""

    book: ConsentBook
    report: SourceReport | None
    withdrawn: int
    lifted: int
    #: A sentence, where an older copy of the ledger was put back.
    put_back: str = ""

    @property
    def lost(self) -> str:
        """Say, if so, that withdrawals could not be read."""
        return lost_withdrawals(self.report.dropped) if self.report else ""


def lost_withdrawals(dropped: Mapping[str, int]) -> str:
    """Say, if so, that withdrawals could not be read: whoever ordered them is still being sent."""
    count = sum(dropped.get(reason, 0) for reason in LOST)
    return f"consent: {count:,} withdrawals name nobody that can be read; mend those rows" if count else ""


def take_in(pipeline: Pipeline, *, as_of: datetime) -> Intake:
    """Read the consent table, queue removals for new withdrawals, lift what a newer grant answers.

    Nothing else of a run comes before this: a revocation must get out even where customers or
    events cannot be read (law 2).
    """
    pipeline.progress("reading consent")
    tally = Tally("consent")
    book = open_book(pipeline, tally)
    withdrawn = withdraw_new(pipeline, book, as_of=as_of)
    put_back = _assert_again(pipeline)
    lifted = lift_answered(pipeline, book, as_of=as_of)
    report = tally.report() if pipeline.sources.consent is not None else None
    return Intake(book, report, withdrawn, lifted, put_back)


def _assert_again(pipeline: Pipeline) -> str:
    """Say, if so, that an older copy of the ledger was put back, and have the revoked taken off again."""
    rows = pipeline.ledger.consent.assert_again(now=pipeline.clock())
    if rows is None:
        return ""
    told = (
        f"an older copy of the ledger was put back: {rows:,} removals of people who revoked were queued"
        " once more; whoever was added since that copy and has left since stays on the platforms"
        " until you sync with --replace, or they forget them"
    )
    log.warning("ledger_put_back", removals=rows)
    return told


def withdraw_new(pipeline: Pipeline, book: ConsentBook, *, as_of: datetime) -> int:
    """Take in every withdrawal in *book* that the ledger does not know yet, and queue its removals.

    A mere denial that the table itself answers with a newer grant is none.
    """
    rules = pipeline.consent
    rows = book.table[_to_withdraw(book.table, rules, as_of=as_of)]
    by_contact = [r for r in book.contact_records() if is_withdrawal(r, purpose=rules.purpose)]
    contacts = pipeline.ledger.consent.to_withdraw(by_contact)
    carried = carriers.of_records(pipeline, contacts)
    withdraw_all(pipeline, [Withdrawn(r, platform_scope(r.platform), carried.get(r, [])) for r in contacts])
    return len(contacts) + _withdraw_customers(pipeline, rows)


def _to_withdraw(table: pd.DataFrame, rules: ConsentRules, *, as_of: datetime) -> npt.NDArray[np.bool_]:
    """Mark revocations, answered or not, and denials that stand.

    Whoever said no once and yes later need not be known as having said no: in a log of many years that
    is nearly everybody. A statement without a time is kept in any case, since it counts from then on.
    """
    in_any_case = (table["status"] == ConsentStatus.REVOKED.value) | table["untimed"]
    standing = withdrawals(table, rules=rules, families=tuple(Family), as_of=as_of)
    marked: npt.NDArray[np.bool_] = standing | (withdraws(table, rules=rules) & in_any_case.to_numpy())
    return marked


def _withdraw_customers(pipeline: Pipeline, rows: pd.DataFrame) -> int:
    """Take in withdrawals by customer id; there may be millions, nearly all of them known.

    Of a first load of denials it is not read what those people carry: what of it somebody else carries
    as well comes out when everybody is read.
    """
    rows = rows[~pipeline.known_rows.holds(rows)]
    found = [_unknown(pipeline, part) for part in parts(rows)]
    news = pd.concat(found).drop_duplicates() if found else rows
    are_few = len(news) <= ROWS_AT_ONCE
    for part in parts(news):
        records = table_records(pipeline, part)
        read = [c for c, record in records if are_few or record.status is ConsentStatus.REVOKED]
        extra = carriers.of_customers(pipeline, read)
        withdraw_all(
            pipeline, [Withdrawn(r, platform_scope(r.platform), extra.get(c, [])) for c, r in records]
        )
    return len(news)


def _unknown(pipeline: Pipeline, rows: pd.DataFrame) -> pd.DataFrame:
    records = [record for _, record in table_records(pipeline, rows)]
    news = set(pipeline.ledger.consent.to_withdraw(records))
    is_new = np.fromiter((record in news for record in records), np.bool_, len(records))
    pipeline.known_rows.add(rows[~is_new])
    return rows[is_new]
