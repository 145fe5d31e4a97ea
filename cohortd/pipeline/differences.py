"""What an export of the consent platform says and the ledger says otherwise, compared as columns.

A person, and a person with what a statement covers, is here a number of 64 bits, so that millions of
them are compared in memory. Two people with the same number are as good as impossible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from consent import ConsentRules, covers_purpose, platform_scope

Numbers = npt.NDArray[np.uint64]
Times = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: No time at all, below every time.
NEVER: Final = np.iinfo(np.int64).min
_RANKS: Final = {
    ConsentStatus.GRANTED.value: 0,
    ConsentStatus.DENIED.value: 1,
    ConsentStatus.REVOKED.value: 2,
}


class Difference(StrEnum):
    """How a statement of the export stands to what the ledger keeps."""

    SAME = "same"
    #: Withdrawn there and not here: taken in.
    WITHDRAWN_THERE = "withdrawn_there"
    #: Withdrawn here, and granted there with a newer time: lifted where the rules say so.
    GRANTED_THERE_LATER = "granted_there_later"
    #: Granted there, and withdrawn here since.
    WITHDRAWN_HERE_LATER = "withdrawn_here_later"
    #: Withdrawn there, and granted here since.
    GRANTED_HERE_LATER = "granted_here_later"
    #: The same answer, at another time.
    OTHER_TIMES = "other_times"
    #: Granted there, and nothing is kept here.
    GRANTED_THERE = "granted_there"


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """Statements for our purpose and platforms, a row each; times in whole seconds."""

    person: Numbers
    #: The person together with the purpose, platform and regulation that the statement names.
    matter: Numbers
    time: Times
    #: 0 granted, 1 denied, 2 revoked.
    rank: npt.NDArray[np.int8]
    #: Where each stands among the rows that were read.
    row: npt.NDArray[np.intp]

    def __len__(self) -> int:
        """Count the statements."""
        return len(self.person)

    @classmethod
    def of_frame(cls, rows: pd.DataFrame, person: Numbers, rules: ConsentRules) -> Self:
        """Take rows with the columns of a consent table; *person* is a number for each."""
        first, codes = _distinct(rows[["purpose", "platform", "regulation"]])
        words = rows[["purpose", "platform", "regulation"]].iloc[first].astype(str).to_numpy()
        scopes = np.array([_scope(*each) for each in words], dtype=np.uint64)
        ours = np.array([_is_ours(each[0], each[1], rules) for each in words], dtype=np.bool_)
        row = np.flatnonzero(ours[codes])
        time = pd.DatetimeIndex(rows["recorded_at"]).as_unit("s").asi8[row]
        rank = rows["status"].astype(object).map(_RANKS).to_numpy()[row].astype(np.int8)
        return cls(person[row], (person ^ scopes[codes])[row], time, rank, row)

    @classmethod
    def of_records(cls, records: Sequence[ConsentRecord], rules: ConsentRules) -> Self:
        """Take records that name their people by contact fields."""
        row = [i for i, each in enumerate(records) if _is_ours(each.purpose, each.platform, rules)]
        ours = [records[i] for i in row]
        person = np.array([person_of(each.subject_kind, each.subject) for each in ours], np.uint64)
        scopes = [_scope(each.purpose, each.platform, each.regulation) for each in ours]
        time = np.array([int(each.recorded_at.timestamp() // 1) for each in ours], np.int64)
        rank = np.array([_RANKS[each.status.value] for each in ours], np.int8)
        return cls(person, person ^ np.array(scopes, np.uint64), time, rank, np.array(row, np.intp))


@dataclass(frozen=True, slots=True, repr=False)
class _Newest:
    """The newest statements by a number, sorted by it; ``NEVER`` where there is none."""

    of: Numbers
    granted: Times
    withdrawn: Times
    revoked: Times

    @classmethod
    def among(cls, of: Numbers, said: Said) -> Self:
        order = np.argsort(of, kind="stable")
        found, starts = np.unique(of[order], return_index=True)
        time, rank = said.time[order], said.rank[order]

        def newest(which: Flags) -> Times:
            if not len(found):
                return np.empty(0, np.int64)
            times: Times = np.maximum.reduceat(np.where(which, time, NEVER), starts)
            return times

        return cls(found, newest(rank == 0), newest(rank > 0), newest(rank > 1))

    def at(self, wanted: Numbers) -> tuple[Times, Times, Times]:
        """When each was granted, withdrawn and revoked last."""
        if not len(self.of):
            never = np.full(len(wanted), NEVER)
            return never, never, never
        place = np.minimum(np.searchsorted(self.of, wanted), len(self.of) - 1)
        known = self.of[place] == wanted
        granted, withdrawn, revoked = (
            np.where(known, times[place], NEVER) for times in (self.granted, self.withdrawn, self.revoked)
        )
        return granted, withdrawn, revoked


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """What the ledger keeps, to be compared with."""

    _by_matter: _Newest
    _by_person: _Newest

    @classmethod
    def of(cls, parts: Iterable[Said]) -> Self:
        """Put together what was read in parts."""
        every = list(parts)
        said = Said(
            *(np.concatenate([getattr(each, name) for each in every]) for name in Said.__slots__),
        )
        return cls(_Newest.among(said.matter, said), _Newest.among(said.person, said))

    @property
    def people(self) -> Numbers:
        """Everybody of whom anything is kept, sorted."""
        return self._by_person.of

    def withdrew(self, people: Numbers) -> Flags:
        """Whether anything that each withdrew is kept, answered or not."""
        withdrew: Flags = self._by_person.at(people)[1] != NEVER
        return withdrew

    def absent_of(self, seen: Numbers) -> tuple[Numbers, int]:
        """Find people who are not among *seen* (sorted), and how many of them withdrew last."""
        is_absent = ~np.isin(self.people, seen, assume_unique=True)
        stands = self._by_person.withdrawn >= self._by_person.granted
        return self.people[is_absent], int(np.count_nonzero(is_absent & stands))

    def compare(self, said: Said) -> npt.NDArray[np.object_]:
        """Say of each statement how it stands to what is kept.

        A withdrawal is the same, or one of other times, only where one for the very same matter was
        taken in that is as new, and a revocation where that was none: whatever answered that one
        answers this one as well.
        """
        granted, withdrawn, revoked = self._by_matter.at(said.matter)
        person_granted, person_withdrawn, _ = self._by_person.at(said.person)
        is_grant = said.rank == 0
        taken_in = np.where(said.rank > 1, revoked, withdrawn)
        is_out = (person_withdrawn != NEVER) & (person_withdrawn >= person_granted)
        cases = [
            (~is_grant & (taken_in < said.time), Difference.WITHDRAWN_THERE),
            (~is_grant & (granted > taken_in), Difference.GRANTED_HERE_LATER),
            (~is_grant & (taken_in == said.time), Difference.SAME),
            (~is_grant, Difference.OTHER_TIMES),
            (is_out & (said.time > person_withdrawn), Difference.GRANTED_THERE_LATER),
            (is_out, Difference.WITHDRAWN_HERE_LATER),
            (granted == said.time, Difference.SAME),
            (granted == NEVER, Difference.GRANTED_THERE),
        ]
        found: npt.NDArray[np.object_] = np.select(
            [case for case, _ in cases], [name.value for _, name in cases], Difference.OTHER_TIMES.value
        ).astype(object)
        return found


def people_of_keys(keys: pa.Array) -> Numbers:
    """Number customers by their member keys."""
    written = b"".join(key[:8] for key in keys.to_pylist())
    return np.frombuffer(written, dtype="<u8").astype(np.uint64)


def person_of(kind: SubjectKind, subject: Sequence[tuple[str, bytes]]) -> int:
    """Number whoever a contact field names."""
    named = kind.value.encode() + b":" + min(subject)[1]
    return int.from_bytes(blake2b(named, digest_size=8).digest(), "little")


def _distinct(words: pd.DataFrame) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Find the distinct rows of few columns: where each stands first, and which one every row is."""
    codes = np.zeros(len(words), np.int64)
    for name in words:
        code, found = pd.factorize(words[name])
        codes = codes * max(len(found), 1) + code
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return first, which


def _scope(purpose: str, platform: str, regulation: str) -> int:
    words = "\0".join(each.strip().lower() for each in (purpose, platform, regulation))
    return int.from_bytes(blake2b(words.encode(), digest_size=8).digest(), "little")


def _is_ours(purpose: str, platform: str, rules: ConsentRules) -> bool:
    return covers_purpose(purpose, rules.purpose) and bool(platform_scope(platform))
