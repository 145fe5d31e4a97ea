"""Everybody who may be sent, on the way to the comparison."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cohortd.core.consenting import Reason
from cohortd.core.identifiers import Family
from cohortd.core.planning import Target
from cohortd.ledger import STAGED, Comparison, SuppressedSet
from cohortd.pipeline.deciding import People
from cohortd.pipeline.limiting import Limited, ranks
from cohortd.pipeline.subjects import Contact
from cohortd.pipeline.wiring import Destination

Row = tuple[int, bytes, bytes, bytes]  # kind, digest, member key, payload
Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Carriers:
    """Who carries contact fields that were withdrawn by name.

    Whether such a field may be used again is known only when everybody was read.
    """

    since: Mapping[tuple[int, bytes], datetime]
    granted: dict[tuple[int, bytes], list[datetime | None]] = field(
        default_factory=lambda: defaultdict(list)
    )
    #: Audience, row and match confidence.
    rows: list[tuple[str, Row, int]] = field(default_factory=list)

    def freed(self) -> dict[tuple[int, bytes], datetime]:
        """Contact fields for which every carrier granted later than the withdrawal."""
        found = {}
        for contact, times in self.granted.items():
            newer = [at for at in times if at is not None and at > self.since[contact]]
            if len(newer) == len(times):
                found[contact] = max(newer)
        return found


class FamilyStage:
    """Stages everybody on every destination of one family, without any suppressed identifier."""

    def __init__(
        self,
        comparison: Comparison,
        family: Family,
        destinations: Collection[Destination],
        *,
        suppressed: SuppressedSet,
        audiences: Sequence[str],
        scratch: Path,
    ) -> None:
        """Make every audience known everywhere, so that nobody is desired there yet.

        Args:
            scratch: A folder that goes when the run ends.
        """
        self._comparison = comparison
        self._family = family
        self._destinations = destinations
        self._suppressed = suppressed
        self._carriers = Carriers(suppressed.contact_causes)
        limits = {each.name: each.member_limit for each in destinations if each.member_limit is not None}
        self._limited = {
            Target(audience, name): Limited(limit, scratch / f"limited-{name}-{number}")
            for name, limit in limits.items()
            for number, audience in enumerate(audiences)
        }
        for audience in audiences:
            for destination in destinations:
                comparison.stage(Target(audience, destination.name), family, None)

    def add(self, people: People, confidence: NDArray[np.uint8]) -> pa.ChunkedArray:
        """Stage those of a batch who may be sent; say of the others why not.

        Args:
            confidence: By how many independent keys each may be known.

        Returns:
            The digests they are sent by.
        """
        found = people.identifiers
        row = found.column("row").to_numpy()
        allowed = (people.reasons == "")[row]
        members = self._suppressed.members
        barred = np.fromiter((key in members for key in people.keys), np.bool_, len(people.keys))
        usable = allowed & ~barred[row]
        withheld = self._withhold(people, usable, confidence)
        held_back, has_some = (np.zeros(len(people.keys), dtype=np.bool_) for _ in range(2))
        held_back[row[allowed]] = True
        has_some[row[usable]] = True
        people.reasons[held_back & ~has_some] = Reason.IDENTIFIER_REVOKED.value
        sent = np.flatnonzero(usable & ~withheld)
        keys = pa.array(people.keys, STAGED.field("member").type).take(pa.array(row[sent]))
        columns = {**{n: found.column(n).take(sent) for n in ("kind", "digest", "payload")}, "member": keys}
        whole = pa.table(columns, schema=STAGED)
        for division in people.divisions:
            of_each = division.codes[row[sent]]
            for code in np.unique(of_each[of_each >= 0]):
                places = np.flatnonzero(of_each == code)
                rows = whole.take(pa.array(places))
                self._stage(division.audiences[code], rows, confidence[row[sent[places]]])
        return columns["digest"]

    def freed(self) -> dict[Contact, datetime]:
        """Stage what is free again, now that everybody was read; say what, and since when."""
        found = self._carriers.freed()
        for audience, row, confidence in self._carriers.rows:
            if row[:2] in found:
                rows = pa.table([[value] for value in row], schema=STAGED)
                self._stage(audience, rows, np.array([confidence], dtype=np.uint8))
        return {(self._family.value, kind, digest): at for (kind, digest), at in found.items()}

    def finish(self) -> dict[Target, int]:
        """Stage whom limited audiences get; count, for each that was full, who found no room."""
        for target, limited in self._limited.items():
            for rows in limited.chosen():
                self._comparison.stage(target, self._family, rows)
        return {target: limited.over for target, limited in self._limited.items() if limited.over}

    def _stage(self, audience: str, rows: pa.Table, confidence: NDArray[np.uint8]) -> None:
        of_rows = None
        for destination in self._destinations:
            target = Target(audience, destination.name)
            if target not in self._limited:
                self._comparison.stage(target, self._family, rows)
                continue
            if of_rows is None:
                of_rows = ranks(rows.column("member").combine_chunks(), confidence)
            self._limited[target].add(rows, of_rows)

    def _withhold(self, people: People, usable: Mask, confidence: NDArray[np.uint8]) -> Mask:
        """Take out what is suppressed: for good, or until it is known whether it is free again.

        Returns:
            Which rows are not to be sent yet; *usable* loses those that are not to be sent at all.
        """
        withheld = np.zeros(len(usable), dtype=np.bool_)
        carriers, suppressed = self._carriers, self._suppressed.digests
        digests = pa.array({digest for _, digest in suppressed}, STAGED.field("digest").type)
        seen = pc.is_in(people.identifiers.column("digest"), value_set=digests)
        places = np.flatnonzero(seen.to_numpy())
        hits = people.identifiers.take(pa.array(places))
        columns = (hits.column(name).to_pylist() for name in ("row", "kind", "digest", "payload"))
        for place, row, kind, digest, payload in zip(places.tolist(), *columns, strict=True):
            if (kind, digest) in carriers.since:
                carriers.granted[kind, digest].append(people.granted_at[row])
                if usable[place]:
                    withheld[place] = True
                    sent = (kind, digest, people.keys[row], payload)
                    carriers.rows += [
                        (division.audiences[code], sent, int(confidence[row]))
                        for division in people.divisions
                        if (code := division.codes[row]) >= 0
                    ]
            elif (kind, digest) in suppressed:
                usable[place] = False
        return withheld
