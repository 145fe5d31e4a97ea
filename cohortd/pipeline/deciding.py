"""Who of a batch of customers may be sent to one family of platforms, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from cohortd.core.consenting import ConsentRecord, ConsentStatus, Reason, SubjectKind
from cohortd.core.identifiers import Family, member_key
from cohortd.identity import Identified
from cohortd.pipeline.belonging import Belonging, Division, nowhere, together
from cohortd.pipeline.consents import ConsentBook, contacts_of, resting_on
from cohortd.pipeline.residing import places
from cohortd.pipeline.wiring import Pipeline
from consent import decide, withdrawals

#: By family and member key: the newest withdrawal that stands.
Withdrawn: TypeAlias = dict[tuple[Family, bytes], ConsentRecord]


@dataclass(frozen=True, slots=True)
class People:
    """One batch of customers under one family's rules."""

    ids: Sequence[str]
    keys: Sequence[bytes]
    #: Their audiences, those of the segments first.
    divisions: Sequence[Division]
    #: Why each is left out, "" for not.
    reasons: np.ndarray[tuple[int], np.dtype[np.object_]]
    #: The rule of consent that decided about each.
    rules: Sequence[str]
    granted_at: Sequence[datetime | None]
    identifiers: pa.Table
    #: When and by whom the record was made on which each decision rests; None and "" for silence.
    record_at: Sequence[datetime | None]
    record_source: Sequence[str]

    def decided(self) -> dict[str, Sequence[object]]:
        """Return what was decided about each, by column."""
        found, *own = self.divisions
        return {
            "customer_id": self.ids,
            "segment_id": found.named().tolist(),
            "also_in": together(own, len(self.ids)),
            "reason": self.reasons.tolist(),
            "rule": self.rules,
            "record_at": self.record_at,
            "record_source": self.record_source,
        }


def decide_batch(
    pipeline: Pipeline,
    batch: pa.RecordBatch,
    family: Family,
    belonging: Belonging,
    book: ConsentBook,
    *,
    identified: Identified,
    as_of: datetime,
) -> tuple[People, Withdrawn]:
    """Decide about a batch of customers.

    Returns:
        What was decided, and who of them took consent back.
    """
    ids = batch.column("customer_id").to_pylist()
    keys = [member_key(customer, pipeline.ledger.secret) for customer in ids]
    contacts = contacts_of(identified.identifiers, family, ids) if book.by_contact else []
    records = book.rows(dict(zip(keys, ids, strict=True)), contacts)
    countries, states = places(batch, pipeline.consent)
    customers = pd.DataFrame({"customer_id": ids, "country": countries, "state": states})
    decided = decide(customers, records, pipeline.consent, family=family, as_of=as_of)
    decided = decided.reindex(ids)
    withdrawn = _withdrawn(pipeline, family, decided, records, as_of=as_of)
    divisions = belonging.of(ids)
    reasons = decided["reason"].to_numpy(dtype=object).copy()
    reachable = np.zeros(len(ids), dtype=bool)
    reachable[np.asarray(identified.identifiers.column("row").to_numpy(), dtype=np.int64)] = True
    reasons[(reasons == "") & ~reachable] = Reason.NO_IDENTIFIER.value
    reasons[(reasons == "") & nowhere(divisions, len(ids))] = Reason.NO_SEGMENT.value
    granted = [None if pd.isna(at) else at.to_pydatetime() for at in decided["granted_at"]]
    rules = decided["rule"].tolist()
    people = People(
        ids,
        keys,
        divisions,
        reasons,
        rules,
        granted,
        identified.identifiers,
        **resting_on(decided["record"].to_numpy(), records),
    )
    return people, withdrawn


def _withdrawn(
    pipeline: Pipeline,
    family: Family,
    decided: pd.DataFrame,
    records: pd.DataFrame,
    *,
    as_of: datetime,
) -> Withdrawn:
    """Keep, of everybody whom a withdrawal keeps out, the newest that stands."""
    out = decided[decided["reason"].isin([Reason.REVOKED.value, Reason.DENIED.value])]
    theirs = records[records["customer_id"].isin(out.index)]
    standing = withdrawals(theirs, rules=pipeline.consent, families=[family], as_of=as_of)
    said = theirs[standing]
    newest = said.groupby("customer_id")["recorded_at"].max()
    found: Withdrawn = {}
    for customer, at in newest.items():
        key = member_key(str(customer), pipeline.ledger.secret)
        found[family, key] = ConsentRecord(
            subject_kind=SubjectKind.CUSTOMER,
            subject=(("", key),),
            status=ConsentStatus(str(out["reason"].loc[str(customer)])),
            recorded_at=at.to_pydatetime(),
            purpose=pipeline.consent.purpose,
            platform=family.value,
            source="the consent records of this customer",
        )
    return found
