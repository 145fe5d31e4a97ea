"""Who may be sent where, and why not; revocations; the removal log's rules."""

from typing import TYPE_CHECKING

from cohortd.core.on_demand import on_demand
from consent.growth import GrowthProof, prove_growth, verify_growth
from consent.inclusion import Included, InclusionProof, prove, verify_inclusion
from consent.policy import ConsentRules
from consent.removal_log import Finding, Tampering, verify
from consent.scopes import covers_purpose, platform_scope
from consent.sealing import ChainSealer
from consent.surveying import Survey
from consent.witnesses import verify_witnesses

if TYPE_CHECKING:
    from consent.rules import RECORD_COLUMNS, TABLE, Rule, decide
    from consent.withdrawing import answers, is_withdrawal, withdrawals, withdraws

__all__ = [
    "RECORD_COLUMNS",
    "TABLE",
    "ChainSealer",
    "ConsentRules",
    "Finding",
    "GrowthProof",
    "Included",
    "InclusionProof",
    "Rule",
    "Survey",
    "Tampering",
    "answers",
    "covers_purpose",
    "decide",
    "is_withdrawal",
    "platform_scope",
    "prove",
    "prove_growth",
    "verify",
    "verify_growth",
    "verify_inclusion",
    "verify_witnesses",
    "withdrawals",
    "withdraws",
]

#: What needs numpy and pandas.
__getattr__ = on_demand(
    __name__,
    {
        "RECORD_COLUMNS": "rules",
        "TABLE": "rules",
        "Rule": "rules",
        "answers": "withdrawing",
        "decide": "rules",
        "is_withdrawal": "withdrawing",
        "withdrawals": "withdrawing",
        "withdraws": "withdrawing",
    },
)
