"""Memberships out of SQLite in the order of their key.

A row fetched from SQLite costs a microsecond, mostly for making Python objects. Here SQLite puts the
rows of a range end to end itself, a column at a time, which takes a quarter of that.
"""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection

from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import DIGEST_BYTES, MEMBER_KEY_BYTES
from cohortd.ledger.batches import OPEN
from cohortd.ledger.keys import words_of
from cohortd.ledger.memberships import State
from cohortd.ledger.sent import DOUBTED, LEFT_BEHIND, WHERE, WRONG_LENGTH, Range, Sent

#: Numbers are written with so many digits, the first of them a 1.
_DIGITS: Final = 12
#: One letter a row: ``@`` and how it stands, plus these.
_MAY_BE_DUE: Final = 8
_HAS_PAYLOAD: Final = 16
_LETTER: Final = f"""
    CASE WHEN state = {State.PRESENT:d} AND sent_at > :fresh AND length(payload) = 0
        THEN '{chr(64 + State.PRESENT)}'
    ELSE char(64 + CASE state
            WHEN {State.ADDING:d} THEN
                CASE WHEN batch IN (SELECT b.id FROM batch b WHERE b.{OPEN}) THEN state
                ELSE {LEFT_BEHIND} END
            WHEN {State.REJECTED:d} THEN CASE WHEN doubt = 1 THEN {DOUBTED} ELSE state END
            ELSE state END
        + CASE WHEN state = {State.PRESENT:d} AND sent_at <= :fresh THEN {_MAY_BE_DUE} ELSE 0 END
        + CASE WHEN length(payload) > 0 THEN {_HAS_PAYLOAD} ELSE 0 END) END
"""
_SCAN: Final = f"""
    SELECT CAST(group_concat(digest, '') AS BLOB), CAST(group_concat(member, '') AS BLOB),
        CAST(group_concat({_LETTER}, '') AS BLOB) {WHERE}
"""
_TIMES: Final = f"SELECT CAST(group_concat(sent_at + {10 ** (_DIGITS - 1)}, '') AS BLOB) {WHERE}"
_PAYLOADS: Final = f"""
    SELECT CAST(group_concat(payload, '') AS BLOB),
        CAST(group_concat(length(payload) + {10 ** (_DIGITS - 1)}, '') AS BLOB) {WHERE}
"""


def scan(connection: Connection, remote: int, keys: Range, *, fresh: int) -> Sent:
    """Read the memberships in a range of keys.

    Args:
        fresh: Whoever was sent later is not due; only of the others is it told when they were sent.
    """
    values = {"remote": remote, "fresh": fresh, **keys.values()}
    digest, member, letters = (part or b"" for part in connection.exec_driver_sql(_SCAN, values).one())
    count = len(letters)
    if len(digest) != count * DIGEST_BYTES or len(member) != count * MEMBER_KEY_BYTES:
        raise LedgerError(WRONG_LENGTH)
    marks = np.frombuffer(letters, dtype=np.uint8)
    return Sent(
        words_of(digest, DIGEST_BYTES),
        words_of(member, MEMBER_KEY_BYTES),
        marks & np.uint8(_MAY_BE_DUE - 1),
        _times(connection, values, count) if (marks & _MAY_BE_DUE).any() else None,
        _payloads(connection, values) if (marks & _HAS_PAYLOAD).any() else None,
    )


def _times(connection: Connection, values: dict[str, object], count: int) -> NDArray[np.int64]:
    found = _numbers(connection.exec_driver_sql(_TIMES, values).scalar_one())
    if len(found) != count:
        raise LedgerError("the ledger holds a time that it cannot have written; restore a backup")
    return found


def _payloads(connection: Connection, values: dict[str, object]) -> pa.LargeBinaryArray:
    data, sizes = connection.exec_driver_sql(_PAYLOADS, values).one()
    lengths = _numbers(sizes)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(lengths), [None, pa.py_buffer(ends), pa.py_buffer(data)]
    )


def _numbers(text: bytes) -> NDArray[np.int64]:
    """Read numbers of a fixed count of digits; the first digit is there to fix it."""
    digits = np.frombuffer(text, dtype=np.uint8).reshape(-1, _DIGITS) - np.uint8(ord("0"))
    number = np.zeros(len(digits), dtype=np.int64)
    for place in range(1, _DIGITS):
        number *= 10
        number += digits[:, place]
    return number
