"""An export against the ledger, as columns."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.pipeline.differences import Kept, Said, people_of_keys
from consent import ConsentRules

RULES = ConsentRules(purpose="advertising", default={"*": ConsentStatus.DENIED})
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def record(
    status: str, day: int, *, who: bytes = b"a", regulation: str = "", purpose: str = ""
) -> ConsentRecord:
    return ConsentRecord(
        SubjectKind.EMAIL,
        (("google", who * 32), ("meta", who * 32)),
        ConsentStatus(status),
        DAY + timedelta(days=day, milliseconds=7 if regulation else 0),
        purpose=purpose,
        regulation=regulation,
    )


def said(*records: ConsentRecord) -> Said:
    return Said.of_records(records, RULES)


@pytest.mark.parametrize(
    ("kept", "there", "difference"),
    [
        ([], record("granted", 1), "granted_there"),
        ([], record("revoked", 1), "withdrawn_there"),
        ([record("revoked", 1)], record("revoked", 1), "same"),
        ([record("revoked", 2)], record("revoked", 1), "other_times"),
        ([record("revoked", 1)], record("revoked", 2), "withdrawn_there"),
        ([record("denied", 1)], record("revoked", 1), "withdrawn_there"),
        ([record("revoked", 1)], record("denied", 1), "same"),
        ([record("revoked", 2)], record("revoked", 1, regulation="gdpr"), "withdrawn_there"),
        ([record("revoked", 2, purpose="analytics")], record("revoked", 1), "withdrawn_there"),
        ([record("revoked", 1), record("granted", 2)], record("revoked", 1), "granted_here_later"),
        ([record("granted", 2)], record("revoked", 1), "withdrawn_there"),
        ([record("revoked", 1)], record("granted", 2), "granted_there_later"),
        ([record("revoked", 1, regulation="gdpr")], record("granted", 2), "granted_there_later"),
        ([record("revoked", 1)], record("granted", 1), "withdrawn_here_later"),
        ([record("revoked", 1), record("granted", 2)], record("granted", 2), "same"),
        ([record("granted", 1)], record("granted", 2), "other_times"),
        ([record("revoked", 1, who=b"b")], record("granted", 2), "granted_there"),
    ],
)
def test_a_statement_is_compared_with_what_is_kept_of_the_same_matter(
    kept: list[ConsentRecord], there: ConsentRecord, difference: str
) -> None:
    assert Kept.of([said(), said(*kept)]).compare(said(there)).tolist() == [difference]


def test_rows_by_customer_are_read_like_records_and_other_purposes_left_out() -> None:
    rows = pd.DataFrame(
        {
            "status": ["granted", "revoked", "denied"],
            "recorded_at": pd.to_datetime([DAY, DAY, DAY], utc=True),
            "purpose": ["advertising", "analytics", ""],
            "platform": ["", "", "meta"],
            "regulation": ["gdpr", "gdpr", ""],
        }
    )
    found = Said.of_frame(rows, np.array([1, 2, 3], np.uint64), RULES)
    empty = Said.of_frame(rows.iloc[:0], np.empty(0, np.uint64), RULES)

    assert (found.person.tolist(), found.row.tolist(), found.rank.tolist()) == ([1, 3], [0, 2], [0, 1])
    assert found.time.tolist() == [int(DAY.timestamp())] * 2
    assert len(empty) == 0


def test_the_absent_are_those_kept_and_not_seen_and_of_them_who_withdrew_last() -> None:
    kept = Kept.of(
        [
            said(
                record("revoked", 1, who=b"a"),
                record("granted", 2, who=b"a"),
                record("revoked", 1, who=b"b"),
                record("granted", 1, who=b"c"),
            )
        ]
    )
    seen = np.unique(said(record("granted", 1, who=b"c")).person)
    absent, withdrawn = kept.absent_of(seen)

    assert (len(absent), withdrawn) == (2, 1)
    assert kept.withdrew(kept.people).sum() == 2


def test_customers_are_numbered_by_the_beginning_of_their_keys() -> None:
    keys = pa.array([(n).to_bytes(8, "little") + b"x" * 8 for n in (1, 2**63)])

    assert people_of_keys(keys).tolist() == [1, 2**63]
