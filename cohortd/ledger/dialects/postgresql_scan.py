"""Memberships out of PostgreSQL in the order of their key: bytes by COPY, which numpy reads as columns."""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection

from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import DIGEST_BYTES, MEMBER_KEY_BYTES
from cohortd.ledger.batches import OPEN
from cohortd.ledger.dialects.copying import copy_out, copy_values
from cohortd.ledger.dialects.wording import in_postgresql
from cohortd.ledger.keys import Words, words_of
from cohortd.ledger.memberships import State
from cohortd.ledger.rows import Payloads
from cohortd.ledger.sent import DOUBTED, LEFT_BEHIND, WHERE, WRONG_LENGTH, Range, Sent

_HAS_PAYLOAD: Final = 16
_STANDING: Final = f"""
    CAST(CASE state
        WHEN {State.ADDING:d} THEN
            CASE WHEN batch IN (SELECT b.id FROM batch b WHERE b.{OPEN}) THEN state ELSE {LEFT_BEHIND} END
        WHEN {State.REJECTED:d} THEN CASE WHEN doubt = 1 THEN {DOUBTED} ELSE state END
        ELSE state END + CASE WHEN length(payload) > 0 THEN {_HAS_PAYLOAD} ELSE 0 END AS smallint)
"""
_SCAN: Final = in_postgresql(f"SELECT digest, member, {_STANDING}, sent_at {WHERE} ORDER BY digest")
_FIELDS: Final = (
    ("digest", f"V{DIGEST_BYTES}"),
    ("member", f"V{MEMBER_KEY_BYTES}"),
    ("standing", ">i2"),
    ("sent_at", ">i8"),
)
_PAYLOADS: Final = in_postgresql(f"SELECT payload {WHERE} ORDER BY digest")


def scan(connection: Connection, remote: int, keys: Range, *, fresh: int) -> Sent:
    """Read the memberships in a range of keys."""
    values = {"remote": remote, **keys.values()}
    rows = copy_out(connection, _SCAN, values, _FIELDS)
    if rows is None:
        raise LedgerError(WRONG_LENGTH)
    marks = rows["standing"].astype(np.uint8)
    standing = marks & np.uint8(_HAS_PAYLOAD - 1)
    sent_at = rows["sent_at"].astype(np.int64)
    may_be_due = (standing == State.PRESENT) & (sent_at <= fresh)
    return Sent(
        _words(rows["digest"], DIGEST_BYTES),
        _words(rows["member"], MEMBER_KEY_BYTES),
        standing,
        sent_at if may_be_due.any() else None,
        _payloads(connection, values) if (marks & _HAS_PAYLOAD).any() else None,
    )


def _words(column: NDArray[np.void], width: int) -> Words:
    return words_of(np.ascontiguousarray(column).tobytes(), width)


def _payloads(connection: Connection, values: dict[str, object]) -> Payloads:
    return pa.array(copy_values(connection, _PAYLOADS, values), pa.large_binary())
