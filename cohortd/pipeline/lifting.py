"""What a newer grant gives again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.identifiers import Family
from cohortd.ledger import SuppressionCause
from cohortd.pipeline.consents import ROWS_AT_ONCE, ConsentBook, parts, table_records
from cohortd.pipeline.subjects import customer_subject
from cohortd.pipeline.wiring import Pipeline
from consent import answers, platform_scope

#: Grants by the keys of their subjects.
Grants = Mapping[tuple[str, bytes], Sequence[ConsentRecord]]


def lift_answered(pipeline: Pipeline, book: ConsentBook, *, as_of: datetime) -> int:
    """Lift suppressions whose very subject granted again, strictly later.

    A withdrawal by contact field that only the customer's own id answers needs to know who else
    carries the field: that is seen when everybody's contact fields are read.
    """
    since = pipeline.ledger.consent.oldest()
    if since is None:
        return 0
    lifted = 0
    for grants in _grants(pipeline, book, since=since, as_of=as_of):
        for cause in pipeline.ledger.consent.about([key for _, key in grants]):
            for family in platform_scope(cause.platform):
                lifted += _lift_for(pipeline, cause, family, grants, as_of=as_of)
    return lifted


def _lift_for(
    pipeline: Pipeline, cause: SuppressionCause, family: Family, grants: Grants, *, as_of: datetime
) -> int:
    """Lift one withdrawal for one family, and keep the grant that answers it.

    Without the kept grant the withdrawal would stand again as soon as the table lost the row.
    """
    withdrawal = replace(cause.record, platform=family.value)
    answer = [
        grant
        for key in cause.keys
        for grant in grants.get(key, ())
        if answers(grant, withdrawal, pipeline.consent, as_of=as_of)
    ]
    if not answer:
        return 0
    newest = max(answer, key=lambda grant: grant.recorded_at)
    store = pipeline.ledger.consent
    store.record([newest], received_at=pipeline.clock())
    return store.lift(cause, granted_at=newest.recorded_at, now=pipeline.clock(), families=[family])


def _grants(pipeline: Pipeline, book: ConsentBook, *, since: datetime, as_of: datetime) -> Iterator[Grants]:
    """Yield the grants after *since* and not after *as_of* of whoever has a withdrawal standing.

    Nearly everybody granted, and few of them ever withdrew: only for those are records made.
    """
    named = [r for r in book.contact_records() if since < r.recorded_at <= as_of]
    yield _by_key(named)
    kept = book.kept.filter(
        (pc.field("status") == ConsentStatus.GRANTED.value)
        & (pc.field("recorded_at") > since)
        & (pc.field("recorded_at") <= as_of)
    )
    for start in range(0, len(kept), ROWS_AT_ONCE):
        yield _by_key(_kept(pipeline, kept.slice(start, ROWS_AT_ONCE)))
    at = book.table["recorded_at"]
    granted = book.table["status"] == ConsentStatus.GRANTED.value
    recent = book.table[granted & (at > pd.Timestamp(since)) & (at <= pd.Timestamp(as_of))]
    for part in parts(recent):
        yield _by_key(_in_table(pipeline, part))


def _kept(pipeline: Pipeline, grants: pa.Table) -> list[ConsentRecord]:
    store = pipeline.ledger.consent
    causes = store.about(grants.column("key").unique().to_pylist())
    return list(store.records_for([(SubjectKind.CUSTOMER, key) for c in causes for _, key in c.keys]))


def _in_table(pipeline: Pipeline, rows: pd.DataFrame) -> list[ConsentRecord]:
    keys = {customer_subject(pipeline, str(c))[0][1]: c for c in rows["customer_id"].unique()}
    causes = pipeline.ledger.consent.about(list(keys))
    theirs = {keys[key] for cause in causes for _, key in cause.keys}
    return [record for _, record in table_records(pipeline, rows[rows["customer_id"].isin(theirs)])]


def _by_key(records: Iterable[ConsentRecord]) -> Grants:
    found: dict[tuple[str, bytes], list[ConsentRecord]] = defaultdict(list)
    for record in records:
        if record.status is ConsentStatus.GRANTED:
            for key in record.subject:
                found[key].append(record)
    return found
