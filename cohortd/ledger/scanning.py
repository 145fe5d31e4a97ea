"""The ledger's side of a comparison, read in the order of its key: the only part of it that is SQLite's.

A row fetched from SQLite costs a microsecond, mostly for making Python objects. Here SQLite puts the
rows of a range end to end itself, a column at a time, which takes a quarter of that.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection

from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import DIGEST_BYTES, MEMBER_KEY_BYTES, IdentifierKind
from cohortd.ledger.batches import OPEN
from cohortd.ledger.keys import Words, distinct, words_of
from cohortd.ledger.memberships import State
from cohortd.ledger.rows import Payloads
from cohortd.ledger.suppressions import MEMBER

#: How a row stands, for a comparison: a ``State``, or one of these.
DOUBTED: Final = 5
"""Rejected, but the platform may hold it."""
LEFT_BEHIND: Final = 6
"""Written ahead for a batch that is over, and never confirmed: nobody knows."""

#: Any digest is before it.
END: Final = b"\xff" * (DIGEST_BYTES + 1)
_RANGE: Final = "kind = :kind AND {0} >= :low AND {0} < :high"
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
_WHERE: Final = f"FROM membership WHERE remote = :remote AND {_RANGE.format('digest')}"
_SCAN: Final = f"""
    SELECT CAST(group_concat(digest, '') AS BLOB), CAST(group_concat(member, '') AS BLOB),
        CAST(group_concat({_LETTER}, '') AS BLOB) {_WHERE}
"""
_TIMES: Final = f"SELECT CAST(group_concat(sent_at + {10 ** (_DIGITS - 1)}, '') AS BLOB) {_WHERE}"
_PAYLOADS: Final = f"""
    SELECT CAST(group_concat(payload, '') AS BLOB),
        CAST(group_concat(length(payload) + {10 ** (_DIGITS - 1)}, '') AS BLOB) {_WHERE}
"""
_TAKEN_BACK: Final = f"""
    SELECT i.digest FROM batch b CROSS JOIN batch_item i ON i.batch = b.id
    WHERE b.remote = :remote AND b.{OPEN} AND b.lane = 'revocation' AND {_RANGE.format("i.digest")}
"""
#: Items of adds that are to be sent again; those that nobody saw are replaced, accepted ones are at work.
_UNKNOWN: Final = f"""
    SELECT DISTINCT i.digest FROM batch b CROSS JOIN batch_item i ON i.batch = b.id
    WHERE b.remote = :remote AND b.{OPEN} AND b.action = 'add' AND b.attempts > 0 AND b.state != 'accepted'
      AND {_RANGE.format("i.digest")}
"""
_SUPPRESSED: Final = f"""
    SELECT DISTINCT key FROM suppression WHERE family = :family AND lifted_at IS NULL
      AND {_RANGE.format("key")}
"""
#: How many rows there are in a 256th of the keys, which are spread evenly.
_SAMPLE: Final = f"SELECT count(*) FROM (SELECT 1 {_WHERE} LIMIT 10000000)"


@dataclass(frozen=True, slots=True)
class Range:
    """A part of the keys of one kind."""

    kind: int
    low: bytes
    high: bytes

    def values(self) -> dict[str, object]:
        """Return it as parameters of a statement."""
        return {"kind": self.kind, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True, repr=False)
class Sent:
    """Memberships of one remote audience and kind, by ascending digest."""

    digest: Words
    member: Words
    #: A ``State``, ``DOUBTED`` or ``LEFT_BEHIND``.
    standing: NDArray[np.uint8]
    #: None where nobody can be due.
    sent_at: NDArray[np.int64] | None
    payload: Payloads

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.standing)


def scan(connection: Connection, remote: int, keys: Range, *, fresh: int) -> Sent:
    """Read the memberships in a range of keys.

    Args:
        fresh: Whoever was sent later is not due; only of the others is it told when they were sent.
    """
    values = {"remote": remote, "fresh": fresh, **keys.values()}
    digest, member, letters = (part or b"" for part in connection.exec_driver_sql(_SCAN, values).one())
    count = len(letters)
    if len(digest) != count * DIGEST_BYTES or len(member) != count * MEMBER_KEY_BYTES:
        raise LedgerError("the ledger holds a digest or member key of the wrong length; restore a backup")
    marks = np.frombuffer(letters, dtype=np.uint8)
    return Sent(
        words_of(digest, DIGEST_BYTES),
        words_of(member, MEMBER_KEY_BYTES),
        marks & np.uint8(_MAY_BE_DUE - 1),
        _times(connection, values, count) if (marks & _MAY_BE_DUE).any() else None,
        _payloads(connection, values) if (marks & _HAS_PAYLOAD).any() else None,
    )


def taken_back(connection: Connection, remote: int, keys: Range) -> Words:
    """Read what open batches of the revocation lane take off a remote audience."""
    return _keys(connection, _TAKEN_BACK, {"remote": remote, **keys.values()}, DIGEST_BYTES)


def unknown(connection: Connection, remote: int, keys: Range) -> Words:
    """Read what adds of unknown outcome carry."""
    return _keys(connection, _UNKNOWN, {"remote": remote, **keys.values()}, DIGEST_BYTES)


def suppressed(connection: Connection, family: str, keys: Range) -> Words:
    """Read the digests that are suppressed now."""
    return _keys(connection, _SUPPRESSED, {"family": family, **keys.values()}, DIGEST_BYTES)


def suppressed_members(connection: Connection, family: str) -> Words:
    """Read the member keys that are suppressed now."""
    values = {"family": family, **Range(MEMBER, b"", END).values()}
    return _keys(connection, _SUPPRESSED, values, MEMBER_KEY_BYTES)


def estimate(connection: Connection, remote: int) -> int:
    """Say about how many memberships a remote audience has."""
    total = 0
    for kind in IdentifierKind:
        some = Range(kind, b"\x80", b"\x81")
        total += connection.exec_driver_sql(_SAMPLE, {"remote": remote, **some.values()}).scalar_one()
    return 256 * total


def _keys(connection: Connection, query: str, values: dict[str, object], width: int) -> Words:
    """Read keys, each once, ascending."""
    rows = connection.exec_driver_sql(query, values).scalars().all()
    return distinct(words_of(b"".join(rows), width))


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
