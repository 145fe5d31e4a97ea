"""Consent records as columns, and which withdrawals among them no grant answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from cohortd.core.consenting import ConsentStatus
from cohortd.core.identifiers import Family
from consent.policy import CONSENT, ConsentRules
from consent.scopes import covers_purpose, platform_scope

Flags = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int64]
#: No time at all: what numpy keeps for "not a time", and below every time.
NEVER: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Statements:
    """Records that speak of one family's platforms, of known people; one column a property."""

    #: Where the person stands among the people asked about.
    person: npt.NDArray[np.intp]
    #: Microseconds since 1970; ``NEVER`` where the time is missing.
    at: Times
    is_grant: Flags
    is_revocation: Flags
    #: Whether it is for our purpose.
    is_ours: Flags
    #: Whether it counts by now: every withdrawal, and grants up to then.
    is_seen: Flags
    #: Whether it rests on a basis that counts: every withdrawal, and grants on one of ours.
    is_based: Flags
    #: Whether the second step of a grant was done.
    is_confirmed: Flags
    #: Whether opting in again after it takes two steps.
    is_two_step: Flags
    #: A number for each regulation; 0 for none.
    regulation: npt.NDArray[np.int64]
    #: Where the record stands in the table.
    row: npt.NDArray[np.intp]

    @classmethod
    def read(
        cls,
        records: pd.DataFrame,
        people: pd.Index,
        rules: ConsentRules,
        *,
        family: Family,
        seen_until: int | None,
    ) -> Self:
        """Take from *records* what concerns *people* and *family*.

        Args:
            records: The columns of ``rules.decide``.
            people: Who is asked about; no id twice.
            rules: Our purpose, the bases that count, and what takes two steps.
            family: Whose platforms.
            seen_until: Later grants are not seen; None to see all.
        """
        person = people.get_indexer(pd.Index(records["customer_id"]))
        in_scope = _flags(records["platform"], lambda text: family in platform_scope(text))
        row = np.flatnonzero((person >= 0) & in_scope)
        status = _words(records["status"])[row]
        at = _times(records["recorded_at"])[row]
        is_grant: Flags = status == ConsentStatus.GRANTED.value
        regulation = _words(records["regulation"])[row]
        return cls(
            person=person[row],
            at=at,
            is_grant=is_grant,
            is_revocation=status == ConsentStatus.REVOKED.value,
            is_ours=_flags(records["purpose"], lambda text: covers_purpose(text, rules.purpose))[row],
            is_seen=~is_grant | ((at != NEVER) & (at <= (seen_until if seen_until is not None else at))),
            is_based=~is_grant | _flags(records["legal_basis"], lambda text: is_accepted(text, rules))[row],
            is_confirmed=records["confirmed"].to_numpy(dtype=np.bool_)[row],
            is_two_step=np.isin(regulation, list(rules.two_step)),
            regulation=_numbered(regulation),
            row=row,
        )

    @property
    def is_counting_grant(self) -> Flags:
        """Which are grants for our purpose, by now, on a basis that counts."""
        counting: Flags = self.is_grant & self.is_ours & self.is_seen & self.is_based
        return counting

    def only(self, chosen: Flags) -> Statements:
        """Keep the chosen ones."""
        return Statements(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def instant(at: datetime) -> int:
    """Write an aware time as ``Statements.at`` has it."""
    if at.tzinfo is None:
        raise ValueError("as_of must be aware")
    return int(np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64))


def is_accepted(legal_basis: str, rules: ConsentRules) -> bool:
    """Whether a grant may rest on this basis; a blank one is consent."""
    return (legal_basis.strip().lower() or CONSENT) in rules.legal_bases


def unanswered(said: Statements) -> Flags:
    """Mark the withdrawals for our purpose that no grant answers.

    A grant answers when it is strictly newer, for our purpose and platform, seen by now, and of the
    same regulation; a blank regulation on either side is the same as any. After an opt-out under
    a regulation of two steps it answers only where the second was done.
    """
    withdraws = ~said.is_grant & said.is_ours
    grants = said.only(said.is_counting_grant)
    answer = _newest_answers(said, grants)
    if said.is_two_step.any():
        confirmed = _newest_answers(said, grants.only(grants.is_confirmed))
        answer = np.where(said.is_two_step, confirmed, answer)
    # Without a time of its own a withdrawal cannot be older than anything.
    standing: Flags = withdraws & ((said.at == NEVER) | (answer <= said.at))
    return standing


def unconfirmed(said: Statements) -> Flags:
    """Mark the withdrawals that a newer grant would answer, had its second step been done."""
    withdraws = ~said.is_grant & said.is_ours & said.is_two_step & (said.at != NEVER)
    waiting: Flags = (
        withdraws & unanswered(said) & (_newest_answers(said, said.only(said.is_counting_grant)) > said.at)
    )
    return waiting


def newest_rows(said: Statements, chosen: Flags, people: int) -> npt.NDArray[np.intp]:
    """Find where each person's newest chosen record stands in the table; -1 where there is none."""
    picked = said.only(chosen)
    order = np.lexsort((picked.row, picked.at))
    found = np.full(people, -1, dtype=np.intp)
    found[picked.person[order]] = picked.row[order]
    return found


def _newest_answers(said: Statements, grants: Statements) -> Times:
    """Find for each statement the newest of *grants* that may answer it."""
    people = int(said.person.max(initial=-1)) + 1
    newest_of_all = newest_grants(grants, people)
    newest_blank = newest_grants(grants.only(grants.regulation == 0), people)
    answer: Times = np.where(
        said.regulation == 0,
        newest_of_all[said.person],
        np.maximum(newest_blank[said.person], _newest_alike(grants, said)),
    )
    return answer


def newest_grants(grants: Statements, people: int) -> Times:
    """Find each person's newest grant; ``NEVER`` where there is none."""
    newest = np.full(people, NEVER, dtype=np.int64)
    np.maximum.at(newest, grants.person, grants.at)
    return newest


def _newest_alike(grants: Statements, said: Statements) -> Times:
    """Find for each statement its person's newest grant of the very same regulation."""
    kinds = int(said.regulation.max(initial=0)) + 1
    newest = pd.Series(grants.at).groupby(grants.person * kinds + grants.regulation).max()
    return newest.reindex(said.person * kinds + said.regulation, fill_value=NEVER).to_numpy(dtype=np.int64)


def _flags(column: pd.Series[str], judge: Callable[[str], bool]) -> Flags:
    """Judge each distinct text once."""
    codes, texts = _distinct(column)
    judged: Flags = np.array([judge(text) for text in texts], dtype=np.bool_)[codes]
    return judged


def _words(column: pd.Series[str]) -> npt.NDArray[np.object_]:
    codes, texts = _distinct(column)
    words = np.array([text.strip().lower() for text in texts], dtype=np.object_)
    return words[codes]


def _distinct(column: pd.Series[str]) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Number the distinct texts; an absent one is blank."""
    codes, texts = pd.factorize(column.astype(object).where(column.notna(), ""))
    return codes, [str(text) for text in texts]


def _numbered(regulation: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    codes, texts = pd.factorize(regulation)
    numbers = np.array(
        [0 if text == "" else number for number, text in enumerate(texts, 1)], dtype=np.int64
    )
    return numbers[codes] if len(texts) else np.empty(0, dtype=np.int64)


def _times(column: pd.Series[pd.Timestamp]) -> Times:
    at = pd.to_datetime(column, utc=True).dt.tz_localize(None)
    return at.to_numpy().astype("M8[us]").view(np.int64)
