"""Which records take consent back, and which grant gives it again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohortd.core.consenting import ConsentRecord, ConsentStatus
from cohortd.core.identifiers import Family
from consent.policy import ConsentRules
from consent.scopes import covers_purpose, platform_scope
from consent.statements import Statements, instant, is_accepted, unanswered


def withdrawals(
    records: pd.DataFrame,
    *,
    rules: ConsentRules,
    families: Collection[Family],
    as_of: datetime | None = None,
) -> npt.NDArray[np.bool_]:
    """Mark the records that withdraw consent for our purpose and that no newer grant answers.

    A withdrawal for several families stands while it stands for one of them.

    Args:
        records: The columns of ``decide``.
        rules: What the settings say.
        families: Whose platforms.
        as_of: Later grants are not seen.
    """
    people = pd.Index(records["customer_id"].unique())
    standing = np.zeros(len(records), dtype=np.bool_)
    until = None if as_of is None else instant(as_of)
    for family in families:
        said = Statements.read(records, people, rules, family=family, seen_until=until)
        standing[said.row[unanswered(said)]] = True
    return standing


def withdraws(records: pd.DataFrame, *, rules: ConsentRules) -> npt.NDArray[np.bool_]:
    """Mark the records that withdraw consent for our purpose on a platform of ours, answered or not."""
    people = pd.Index(records["customer_id"].unique())
    found = np.zeros(len(records), dtype=np.bool_)
    for family in Family:
        said = Statements.read(records, people, rules, family=family, seen_until=None)
        found[said.row[~said.is_grant & said.is_ours]] = True
    return found


def is_withdrawal(record: ConsentRecord, *, purpose: str) -> bool:
    """Whether one record withdraws consent for *purpose* on a platform of ours."""
    return (
        record.status is not ConsentStatus.GRANTED
        and covers_purpose(record.purpose, purpose)
        and bool(platform_scope(record.platform))
    )


def answers(
    grant: ConsentRecord, withdrawal: ConsentRecord, rules: ConsentRules, *, as_of: datetime | None = None
) -> bool:
    """Whether *grant* takes back *withdrawal* as far as we are concerned.

    It must be strictly newer, for our purpose, on a basis that counts, cover every platform of ours
    that the withdrawal names, and be of the same regulation (a blank one on either side is the same
    as any). Under a regulation of two steps the second must have been done.

    Args:
        grant: What was said later.
        withdrawal: What was said before.
        rules: What the settings say.
        as_of: Later grants are not seen.
    """
    return (
        grant.status is ConsentStatus.GRANTED
        and grant.recorded_at > withdrawal.recorded_at
        and (as_of is None or grant.recorded_at <= as_of)
        and covers_purpose(grant.purpose, rules.purpose)
        and is_accepted(grant.legal_basis, rules)
        and platform_scope(grant.platform) >= platform_scope(withdrawal.platform)
        and _same_regulation(grant.regulation, withdrawal.regulation)
        and (grant.confirmed or withdrawal.regulation.strip().lower() not in rules.two_step)
    )


def _same_regulation(one: str, other: str) -> bool:
    one, other = one.strip().lower(), other.strip().lower()
    return one == other or not one or not other
