"""Withdrawals into the ledger."""

from collections.abc import Sequence

from cohortd.core.consenting import ConsentStatus
from cohortd.ledger import Withdrawal, Withdrawn
from cohortd.pipeline.wiring import Pipeline


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
