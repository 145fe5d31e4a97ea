"""Memberships out of PostgreSQL in the order of their key.

As with SQLite, the server puts the rows of a range end to end itself, a column at a time: fetched one by
one, by COPY too, they take four times as long.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import DIGEST_BYTES, MEMBER_KEY_BYTES
from cohortd.ledger.batches import OPEN
from cohortd.ledger.dialects.wording import in_postgresql
from cohortd.ledger.keys import words_of
from cohortd.ledger.memberships import State
from cohortd.ledger.rows import Payloads
from cohortd.ledger.sent import DOUBTED, LEFT_BEHIND, WHERE, WRONG_LENGTH, Range, Sent

if TYPE_CHECKING:
    import psycopg

_HAS_PAYLOAD: Final = 16
_STANDING: Final = f"""
    CASE state
        WHEN {State.ADDING:d} THEN
            CASE WHEN batch IN (SELECT b.id FROM batch b WHERE b.{OPEN}) THEN state ELSE {LEFT_BEHIND} END
        WHEN {State.REJECTED:d} THEN CASE WHEN doubt = 1 THEN {DOUBTED} ELSE state END
        ELSE state END + CASE WHEN length(payload) > 0 THEN {_HAS_PAYLOAD} ELSE 0 END
"""
_SCAN: Final = in_postgresql(f"""
    SELECT string_agg(digest, ''), string_agg(member, ''), string_agg(int2send(CAST(mark AS smallint)), ''),
        string_agg(int8send(sent_at), '')
    FROM (SELECT digest, member, {_STANDING} AS mark, sent_at {WHERE} ORDER BY digest) one
""")
_PAYLOADS: Final = in_postgresql(f"""
    SELECT string_agg(payload, ''), string_agg(int4send(length(payload)), '')
    FROM (SELECT payload {WHERE} ORDER BY digest) one
""")


def scan(connection: Connection, remote: int, keys: Range, *, fresh: int) -> Sent:
    """Read the memberships in a range of keys."""
    values = {"remote": remote, **keys.values()}
    digest, member, marks, times = _columns(connection, _SCAN, values)
    mark = np.frombuffer(marks, dtype=">i2").astype(np.uint8)
    if len(digest) != len(mark) * DIGEST_BYTES or len(member) != len(mark) * MEMBER_KEY_BYTES:
        raise LedgerError(WRONG_LENGTH)
    standing = mark & np.uint8(_HAS_PAYLOAD - 1)
    sent_at = np.frombuffer(times, dtype=">i8").astype(np.int64)
    may_be_due = (standing == State.PRESENT) & (sent_at <= fresh)
    return Sent(
        words_of(digest, DIGEST_BYTES),
        words_of(member, MEMBER_KEY_BYTES),
        standing,
        sent_at if may_be_due.any() else None,
        _payloads(connection, values) if (mark & _HAS_PAYLOAD).any() else None,
    )


def _columns(connection: Connection, query: str, values: dict[str, object]) -> list[bytes]:
    """Read the one row of a query, in the binary form: as text, bytes take twice the room."""
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor(binary=True) as cursor:
        row = cursor.execute(query, values).fetchone()
    return [part or b"" for part in row or ()]


def _payloads(connection: Connection, values: dict[str, object]) -> Payloads:
    data, sizes = _columns(connection, _PAYLOADS, values)
    lengths = np.frombuffer(sizes, dtype=">i4").astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(lengths), [None, pa.py_buffer(ends), pa.py_buffer(data)]
    )
