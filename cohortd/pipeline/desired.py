"""Who should be in which audience: consent and identifiers of everybody, staged for comparison."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cohortd.core.consenting import ConsentRecord, ConsentStatus, Reason, SubjectKind
from cohortd.core.identifiers import Family, member_key
from cohortd.core.planning import Target
from cohortd.core.quality import ContactFigures
from cohortd.identity import Identified, normalize
from cohortd.ledger import STAGED, Comparison, SuppressedSet
from cohortd.pipeline.consents import ConsentBook, Contact, contacts_of
from cohortd.pipeline.decisions import keeping
from cohortd.pipeline.quality import contact_quality, identify_in
from cohortd.pipeline.sharing import Shared
from cohortd.pipeline.wiring import Destination, Pipeline
from cohortd.sources import read_contacts
from consent import decide, withdrawals

Row = tuple[int, bytes, bytes, bytes]  # kind, digest, member key, payload
Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Desired:
    """What was staged, and why everybody else was not."""

    #: (family, segment or "") -> reason -> customers left out.
    left_out: dict[tuple[Family, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    #: Withdrawals of customers, by family and member key: whoever of them is still in the ledger
    #: goes by the fast lane.
    withdrawn: dict[tuple[Family, bytes], ConsentRecord] = field(default_factory=dict)
    #: Customers whose consent is withdrawn, and who carry what somebody else would be sent by.
    sharing: dict[Family, Sequence[str]] = field(default_factory=dict)
    #: Contact fields that a newer grant of everybody who carries them frees again.
    freed: dict[Contact, datetime] = field(default_factory=dict)
    #: What everybody's contact fields are worth to each family.
    contacts: ContactFigures = field(default_factory=ContactFigures)


@dataclass(frozen=True, slots=True)
class _People:
    """One batch of customers under one family's rules."""

    ids: Sequence[str]
    keys: Sequence[bytes]
    #: The segment of each, "" for none.
    segments: "np.ndarray[tuple[int], np.dtype[np.object_]]"
    #: Why each is left out, "" for not.
    reasons: "np.ndarray[tuple[int], np.dtype[np.object_]]"
    #: The rule of consent that decided about each.
    rules: Sequence[str]
    granted_at: Sequence[datetime | None]
    identifiers: pa.Table

    def decided(self) -> dict[str, Sequence[object]]:
        return {
            "customer_id": self.ids,
            "segment_id": self.segments.tolist(),
            "reason": self.reasons.tolist(),
            "rule": self.rules,
        }


@dataclass(slots=True)
class _Carriers:
    """Who carries contact fields that were withdrawn by name.

    Whether such a field may be used again is known only when everybody was read.
    """

    since: Mapping[tuple[int, bytes], datetime]
    granted: dict[tuple[int, bytes], list[datetime | None]] = field(
        default_factory=lambda: defaultdict(list)
    )
    rows: list[tuple[str, Row]] = field(default_factory=list)

    def freed(self) -> dict[tuple[int, bytes], datetime]:
        """Contact fields for which every carrier granted later than the withdrawal."""
        found = {}
        for contact, times in self.granted.items():
            newer = [at for at in times if at is not None and at > self.since[contact]]
            if len(newer) == len(times):
                found[contact] = max(newer)
        return found


def stage_desired(
    pipeline: Pipeline,
    comparison: Comparison,
    assignment: "pd.Series[str]",
    book: ConsentBook,
    *,
    segments: Sequence[str],
    as_of: datetime,
    decisions: Path | None,
    scratch: Path,
) -> Desired:
    """Read everybody's contact fields once and stage who may be sent where.

    Args:
        assignment: Customer id -> segment id.
        decisions: Where to keep why everybody was left out, or None for a dry look.
        scratch: A folder that goes when the run ends.
    """
    pipeline.progress("deciding consent and hashing contact fields")
    desired = Desired()
    by_family = {f: [d for d in pipeline.destinations.values() if d.family is f] for f in pipeline.families}
    suppressed = {family: pipeline.ledger.consent.suppressed(family) for family in by_family}
    carriers = {family: _Carriers(suppressed[family].contact_causes) for family in by_family}
    shared = {family: Shared() for family in by_family}
    for destinations in by_family.values():
        for segment in segments:
            _stage_everywhere(comparison, destinations, segment, None)
    with keeping(decisions) as keep, contact_quality(pipeline, scratch) as quality:
        for batch in read_contacts(pipeline.sources.customers, None):
            quality.read(batch)
            for family, destinations in by_family.items():
                found = identify_in(pipeline, batch, family)
                known_by = quality.identified(family, batch, found)
                people = _decide(
                    pipeline,
                    batch,
                    family,
                    assignment,
                    book,
                    identified=found,
                    as_of=as_of,
                    desired=desired,
                )
                sent = _stage(comparison, destinations, people, suppressed[family], carriers[family])
                shared[family].note_sent(sent)
                shared[family].note_withdrawn(people.ids, people.reasons, people.identifiers)
                _account(people, family, desired)
                keep(family, {**people.decided(), "match_keys": known_by.tolist()})
        desired.contacts = quality.figures()
    for family, destinations in by_family.items():
        _stage_freed(comparison, destinations, carriers[family], desired.freed)
        desired.sharing[family] = shared[family].customers()
    return desired


def _decide(
    pipeline: Pipeline,
    batch: pa.RecordBatch,
    family: Family,
    assignment: "pd.Series[str]",
    book: ConsentBook,
    *,
    identified: Identified,
    as_of: datetime,
    desired: Desired,
) -> _People:
    ids = batch.column("customer_id").to_pylist()
    keys = [member_key(customer, pipeline.ledger.secret) for customer in ids]
    contacts = contacts_of(identified.identifiers, family, ids) if book.by_contact else []
    records = book.rows(dict(zip(keys, ids, strict=True)), contacts)
    customers = pd.DataFrame({"customer_id": ids, "country": _countries(batch)})
    decided = decide(customers, records, pipeline.consent, family=family, as_of=as_of)
    decided = decided.reindex(ids)
    _note_withdrawals(pipeline, family, decided, records, as_of=as_of, desired=desired)
    segments = assignment.reindex(ids).fillna("").to_numpy(dtype=object)
    reasons = decided["reason"].to_numpy(dtype=object).copy()
    reachable = np.zeros(len(ids), dtype=bool)
    reachable[np.asarray(identified.identifiers.column("row").to_numpy(), dtype=np.int64)] = True
    reasons[(reasons == "") & ~reachable] = Reason.NO_IDENTIFIER.value
    reasons[(reasons == "") & (segments == "")] = Reason.NO_SEGMENT.value
    granted = [None if pd.isna(at) else at.to_pydatetime() for at in decided["granted_at"]]
    rules = decided["rule"].tolist()
    return _People(ids, keys, segments, reasons, rules, granted, identified.identifiers)


def _countries(batch: pa.RecordBatch) -> list[str]:
    """ISO codes for the consent defaults; blank where the country is not known."""
    if "country" not in batch.schema.names:
        return [""] * batch.num_rows
    values = [value or "" for value in batch.column("country").to_pylist()]
    known = {value: normalize(Family.GOOGLE, "country", value).normalized or "" for value in set(values)}
    return [known[value] for value in values]


def _stage(
    comparison: Comparison,
    destinations: Sequence[Destination],
    people: _People,
    suppressed: SuppressedSet,
    carriers: _Carriers,
) -> pa.ChunkedArray:
    """Stage everybody who may be sent, without any suppressed identifier.

    Returns:
        The digests they are sent by.
    """
    found = people.identifiers
    row = found.column("row").to_numpy()
    allowed = (people.reasons == "")[row]
    barred = np.fromiter((key in suppressed.members for key in people.keys), np.bool_, len(people.keys))
    usable = allowed & ~barred[row]
    withheld = _withhold(people, usable, suppressed, carriers)
    held_back, has_some = (np.zeros(len(people.keys), dtype=np.bool_) for _ in range(2))
    held_back[row[allowed]] = True
    has_some[row[usable]] = True
    people.reasons[held_back & ~has_some] = Reason.IDENTIFIER_REVOKED.value
    sent = np.flatnonzero(usable & ~withheld)
    members = pa.array(people.keys, STAGED.field("member").type).take(pa.array(row[sent]))
    columns = {**{n: found.column(n).take(sent) for n in ("kind", "digest", "payload")}, "member": members}
    codes, segments = pd.factorize(people.segments)
    of_each = codes[row[sent]]
    for code in np.unique(of_each):
        places = pa.array(np.flatnonzero(of_each == code))
        rows = pa.table({name: columns[name].take(places) for name in STAGED.names}, schema=STAGED)
        _stage_everywhere(comparison, destinations, segments[code], rows)
    return columns["digest"]


def _withhold(people: _People, usable: Mask, suppressed: SuppressedSet, carriers: _Carriers) -> Mask:
    """Take out what is suppressed: for good, or until it is known whether it is free again.

    Returns:
        Which rows are not to be sent yet; *usable* loses those that are not to be sent at all.
    """
    withheld = np.zeros(len(usable), dtype=np.bool_)
    digests = pa.array({digest for _, digest in suppressed.digests}, STAGED.field("digest").type)
    seen = pc.is_in(people.identifiers.column("digest"), value_set=digests)
    places = np.flatnonzero(seen.to_numpy())
    hits = people.identifiers.take(pa.array(places))
    columns = (hits.column(name).to_pylist() for name in ("row", "kind", "digest", "payload"))
    for place, row, kind, digest, payload in zip(places.tolist(), *columns, strict=True):
        if (kind, digest) in carriers.since:
            carriers.granted[kind, digest].append(people.granted_at[row])
            if usable[place]:
                withheld[place] = True
                carriers.rows.append((people.segments[row], (kind, digest, people.keys[row], payload)))
        elif (kind, digest) in suppressed.digests:
            usable[place] = False
    return withheld


def _stage_everywhere(
    comparison: Comparison, destinations: Sequence[Destination], segment: str, rows: pa.Table | None
) -> None:
    for destination in destinations:
        comparison.stage(Target(segment, destination.name), destination.family, rows)


def _stage_freed(
    comparison: Comparison,
    destinations: Sequence[Destination],
    carriers: _Carriers,
    freed: dict[Contact, datetime],
) -> None:
    family = destinations[0].family.value
    found = carriers.freed()
    freed.update({(family, kind, digest): at for (kind, digest), at in found.items()})
    for segment, row in carriers.rows:
        if row[:2] in found:
            rows = pa.table([[value] for value in row], schema=STAGED)
            _stage_everywhere(comparison, destinations, segment, rows)


def _account(people: _People, family: Family, desired: Desired) -> None:
    pairs = Counter(zip(people.segments.tolist(), people.reasons.tolist(), strict=True))
    for (segment, reason), count in pairs.items():
        if reason:
            desired.left_out[family, segment][reason] += count


def _note_withdrawals(
    pipeline: Pipeline,
    family: Family,
    decided: pd.DataFrame,
    records: pd.DataFrame,
    *,
    as_of: datetime,
    desired: Desired,
) -> None:
    """Keep, of everybody whom a withdrawal keeps out, the newest that stands."""
    out = decided[decided["reason"].isin([Reason.REVOKED.value, Reason.DENIED.value])]
    theirs = records[records["customer_id"].isin(out.index)]
    standing = withdrawals(theirs, purpose=pipeline.consent.purpose, families=[family], as_of=as_of)
    said = theirs[standing]
    newest = said.groupby("customer_id")["recorded_at"].max()
    for customer, at in newest.items():
        key = member_key(str(customer), pipeline.ledger.secret)
        desired.withdrawn[family, key] = ConsentRecord(
            subject_kind=SubjectKind.CUSTOMER,
            subject=(("", key),),
            status=ConsentStatus(str(out["reason"].loc[str(customer)])),
            recorded_at=at.to_pydatetime(),
            purpose=pipeline.consent.purpose,
            platform=family.value,
            source="the consent records of this customer",
        )
