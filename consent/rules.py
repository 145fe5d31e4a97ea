"""Who may be sent where, and why not: one table of rules, read from the top."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohortd.core.consenting import Reason
from cohortd.core.identifiers import Family
from consent.policy import ConsentRules
from consent.statements import (
    NEVER,
    Flags,
    Statements,
    instant,
    newest_grants,
    newest_rows,
    unanswered,
    unconfirmed,
)

#: What ``decide`` reads of a record, beside whom it is about.
RECORD_COLUMNS: Final = (
    *("status", "recorded_at", "purpose", "platform", "regulation", "legal_basis", "confirmed"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    id: str
    #: None: the customer may be sent.
    reason: Reason | None
    when: str


#: The first line that applies decides.
TABLE: Final = (
    Rule("revoked", Reason.REVOKED, "a revocation stands that no newer grant answers"),
    Rule("denied", Reason.DENIED, "a denial stands that no newer grant answers"),
    Rule(
        "opt_in_unconfirmed",
        Reason.REVOKED,
        "a newer grant came, but under the regulation of what was withdrawn opting in again takes a"
        " second step, which was not done",
    ),
    Rule("granted", None, "a grant for our purpose and this platform was recorded by now"),
    Rule(
        "default_granted",
        None,
        "nothing of the above, silence means yes where the customer lives, and no withdrawal was answered"
        " by a grant that is too old by now",
    ),
    Rule("grant_expired", Reason.NO_CONSENT, "the newest grant is older than `consent.max_age`"),
    Rule(
        "basis_not_accepted",
        Reason.NO_CONSENT,
        "silence means no, and grants rest on other than `consent.legal_bases` only",
    ),
    Rule(
        "purpose_not_covered", Reason.NO_CONSENT, "silence means no, and grants are for other purposes only"
    ),
    Rule(
        "default_denied_country_unknown",
        Reason.NO_CONSENT,
        "the country is not known, and silence means no in one of those that are named",
    ),
    Rule(
        "default_denied_state_unknown",
        Reason.NO_CONSENT,
        "the state is not known, and silence means no in one of that country's that are named",
    ),
    Rule("default_denied", Reason.NO_CONSENT, "silence means no where the customer lives"),
)


def decide(
    customers: pd.DataFrame, records: pd.DataFrame, rules: ConsentRules, *, family: Family, as_of: datetime
) -> pd.DataFrame:
    """Decide for every customer whether they may be sent to *family*'s platforms.

    The order of the records does not matter. Withdrawals count whatever their time, grants only up
    to *as_of*; equal times go to the withdrawal.

    Args:
        customers: ``customer_id`` (unique), ``country`` and ``state`` (blank where unknown).
        records: ``customer_id`` and ``RECORD_COLUMNS``; records of others are passed over.
        rules: What the settings say.
        family: Whose platforms.
        as_of: Now, aware.

    Returns:
        By ``customer_id``: ``reason`` (blank: may be sent, else a ``Reason``), ``granted_at`` (the
        newest grant, where that is why), ``rule`` (the line of ``TABLE`` that decided) and ``record``
        (the row of *records* it rests on, counted from 0; -1 where it rests on silence).
    """
    people = pd.Index(customers["customer_id"], name="customer_id")
    said = Statements.read(records, people, rules, family=family, seen_until=instant(as_of))
    evidence = _evidence(said, rules, as_of)
    rests_on = {rule: newest_rows(said, chosen, len(people)) for rule, chosen in evidence.items()}
    applies = {rule: rows >= 0 for rule, rows in rests_on.items()} | _by_silence(customers, rules)
    relapsed = applies["grant_expired"] & _any(said.person[~said.is_grant & said.is_ours], len(people))
    applies["default_granted"] &= ~relapsed
    lines = [line.id for line in TABLE[:-1]]
    rule = np.select([applies[line] for line in lines], lines, TABLE[-1].id)
    record = np.select([rule == line for line in rests_on], list(rests_on.values()), -1)
    granted_at = newest_grants(said.only(evidence["granted"]), len(people))
    return _explain(people, rule, granted_at=granted_at, record=record)


def _evidence(said: Statements, rules: ConsentRules, as_of: datetime) -> dict[str, Flags]:
    """Mark, for each rule that rests on a record, the records it may rest on."""
    standing, waiting = unanswered(said), unconfirmed(said)
    grants = said.is_counting_grant
    oldest = NEVER if rules.max_age is None else instant(as_of - rules.max_age)
    given = said.is_grant & said.is_seen
    return {
        "revoked": standing & ~waiting & said.is_revocation,
        "denied": standing & ~waiting,
        "opt_in_unconfirmed": waiting,
        "granted": grants & (said.at >= oldest),
        "grant_expired": grants & (said.at < oldest),
        "basis_not_accepted": given & said.is_ours & ~said.is_based,
        "purpose_not_covered": given & ~said.is_ours,
    }


def _explain(
    people: pd.Index,
    rule: npt.NDArray[np.str_],
    *,
    granted_at: npt.NDArray[np.int64],
    record: npt.NDArray[np.intp],
) -> pd.DataFrame:
    reasons = {line.id: line.reason.value if line.reason else "" for line in TABLE}
    told = pd.Series(rule, index=people, dtype=object)
    shown = np.where(rule == "granted", granted_at, NEVER).view("M8[us]")
    return pd.DataFrame(
        {
            "reason": told.map(reasons).astype(object),
            "granted_at": pd.Series(shown, index=people).dt.tz_localize(UTC),
            "rule": told,
            "record": record,
        },
        index=people,
    )


def _by_silence(customers: pd.DataFrame, rules: ConsentRules) -> dict[str, Flags]:
    """Mark for each rule of silence whom it would decide about; each place is looked up once."""
    places = customers[["country", "state"]].fillna("").astype(str)
    codes = places.groupby(["country", "state"], sort=False).ngroup().to_numpy()
    distinct = places.drop_duplicates().itertuples(index=False, name=None)
    meanings = np.array([rules.silence(country, state) for country, state in distinct], dtype=object)
    silence = meanings[codes] if len(codes) else np.empty(0, dtype=object)
    return {
        rule: np.asarray(silence == rule, dtype=np.bool_)
        for rule in ("default_granted", "default_denied_country_unknown", "default_denied_state_unknown")
    }


def _any(person: npt.NDArray[np.intp], people: int) -> Flags:
    found = np.zeros(people, dtype=np.bool_)
    found[person] = True
    return found
