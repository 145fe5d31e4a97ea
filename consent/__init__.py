"""Who may be sent where, and why not; revocations; the removal log's rules."""

from consent.growth import GrowthProof, prove_growth, verify_growth
from consent.inclusion import Included, InclusionProof, prove, verify_inclusion
from consent.policy import ConsentRules
from consent.removal_log import Finding, Tampering, verify
from consent.rules import RECORD_COLUMNS, TABLE, Rule, decide
from consent.scopes import covers_purpose, platform_scope
from consent.sealing import ChainSealer
from consent.surveying import Survey
from consent.withdrawals import answers, is_withdrawal, withdrawals, withdraws
from consent.witnesses import verify_witnesses

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
