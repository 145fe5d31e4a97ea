"""Who may be sent where, and why not: one table of rules, read from the top."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohortd.core.consenting import ConsentStatus, Reason
from cohortd.core.identifiers import Family
from consent.statements import NEVER, Statements, instant, newest_grants, unanswered

ANYWHERE: Final = "*"
#: Codes people write that no country has.
_MEANT: Final = {"UK": "GB", "EL": "GR"}


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
    Rule("granted", None, "a grant for our purpose and this platform was recorded by now"),
    Rule("default_granted", None, "nothing of the above, and silence means yes in the customer's country"),
    Rule(
        "purpose_not_covered", Reason.NO_CONSENT, "silence means no, and grants are for other purposes only"
    ),
    Rule(
        "default_denied_country_unknown",
        Reason.NO_CONSENT,
        "the country is not known, and silence means no in one of those that are named",
    ),
    Rule("default_denied", Reason.NO_CONSENT, "silence means no in the customer's country"),
)


@dataclass(frozen=True, slots=True)
class ConsentRules:
    """What the settings say of consent."""

    purpose: str
    #: What silence means, by country (ISO 3166-1 alpha-2, upper case); ``*`` for all others.
    default: Mapping[str, ConsentStatus] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be the meaning of silence."""
        if ConsentStatus.REVOKED in self.default.values():
            raise ValueError("silence means granted or denied; it cannot revoke")

    def silence(self, country: str) -> str:
        """Say which rule decides for a customer of *country* without any record."""
        code = country.strip().upper()
        code = _MEANT.get(code, code)
        anywhere = self.default.get(ANYWHERE, ConsentStatus.DENIED)
        if len(code) == 2 and code.isalpha():  # noqa: PLR2004 - alpha-2
            return f"default_{self.default.get(code, anywhere)}"
        if anywhere is ConsentStatus.GRANTED and ConsentStatus.DENIED in self.default.values():
            return "default_denied_country_unknown"
        return f"default_{anywhere}"


def decide(
    customers: pd.DataFrame, records: pd.DataFrame, rules: ConsentRules, *, family: Family, as_of: datetime
) -> pd.DataFrame:
    """Decide for every customer whether they may be sent to *family*'s platforms.

    The order of the records does not matter. Withdrawals count whatever their time, grants only up
    to *as_of*; equal times go to the withdrawal.

    Args:
        customers: ``customer_id`` (unique) and ``country`` (blank where unknown).
        records: ``customer_id``, ``status``, ``recorded_at``, ``purpose``, ``platform`` and
            ``regulation``; records of others are passed over.
        rules: What the settings say.
        family: Whose platforms.
        as_of: Now, aware.

    Returns:
        By ``customer_id``: ``reason`` (blank: may be sent, else a ``Reason``), ``granted_at`` (the
        newest grant, where that is why) and ``rule`` (the line of ``TABLE`` that decided).
    """
    people = pd.Index(customers["customer_id"], name="customer_id")
    said = Statements.read(records, people, rules.purpose, family=family, seen_until=instant(as_of))
    standing = unanswered(said)
    granted_at = newest_grants(said.only(said.is_grant & said.is_seen & said.is_ours), len(people))
    elsewhere = said.is_grant & said.is_seen & ~said.is_ours
    silence = _silence(customers, rules)
    applies = {
        "revoked": _any(said.person[standing & said.is_revocation], len(people)),
        "denied": _any(said.person[standing], len(people)),
        "granted": granted_at != NEVER,
        "default_granted": silence == "default_granted",
        "purpose_not_covered": _any(said.person[elsewhere], len(people)),
        "default_denied_country_unknown": silence == "default_denied_country_unknown",
    }
    rule = np.select(
        [applies[line.id] for line in TABLE[:-1]], [line.id for line in TABLE[:-1]], TABLE[-1].id
    )
    return _explain(people, rule, granted_at)


def _explain(
    people: pd.Index, rule: "npt.NDArray[np.str_]", granted_at: "npt.NDArray[np.int64]"
) -> pd.DataFrame:
    reasons = {line.id: line.reason.value if line.reason else "" for line in TABLE}
    told = pd.Series(rule, index=people, dtype=object)
    shown = np.where(rule == "granted", granted_at, NEVER).view("M8[us]")
    return pd.DataFrame(
        {
            "reason": told.map(reasons).astype(object),
            "granted_at": pd.Series(shown, index=people).dt.tz_localize(UTC),
            "rule": told,
        },
        index=people,
    )


def _silence(customers: pd.DataFrame, rules: ConsentRules) -> "npt.NDArray[np.object_]":
    countries = customers["country"].fillna("").astype(str)
    meaning = {country: rules.silence(country) for country in countries.unique()}
    return countries.map(meaning).to_numpy(dtype=object)


def _any(person: "npt.NDArray[np.intp]", people: int) -> "npt.NDArray[np.bool_]":
    found = np.zeros(people, dtype=np.bool_)
    found[person] = True
    return found
