"""Payloads of a whole batch, to the byte what ``cohortd.core.payloads.pack`` makes of each row."""

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.identity.digests import DIGEST, HEX_DIGITS, from_arrow, to_hex

_BINARY = pa.binary()
_EMPTY, _OPEN, _CLOSE, _QUOTE_COMMA = b"", b"{", b"}", b'",'
#: What JSON writes otherwise than it is.
_ESCAPED = r'["\\\x00-\x1f]'


def members(key: str, values: pa.Array, chosen: npt.NDArray[np.int64]) -> pa.Array:
    """Write ``"key":"value",`` for each row.

    Args:
        key: The member's name.
        values: Digests or texts.
        chosen: Which of the values each row has; below 0 for none, and then nothing is written.
    """
    written = _digests(key, values) if values.type == DIGEST else _texts(key, values)
    without = np.where(chosen < 0, len(values), chosen)
    return pa.concat_arrays([written, pa.array([_EMPTY], _BINARY)]).take(pa.array(without))


def joined(parts: Sequence[pa.Array], rows: int) -> pa.Array:
    """Put members of each row beside each other, in the order given."""
    return (
        pc.binary_join_element_wise(*parts, _EMPTY)
        if parts
        else pa.repeat(pa.scalar(_EMPTY, _BINARY), rows)
    )


def packed(inner: pa.Array) -> pa.Array:
    """Close objects; no members make an empty payload."""
    without_last_comma = pc.binary_slice(inner, 0, -1)
    closed = pc.binary_join_element_wise(_OPEN, without_last_comma, _CLOSE, _EMPTY)
    is_empty = pc.equal(pc.binary_length(inner), 0)
    return pc.if_else(is_empty, _EMPTY, closed) if pc.any(is_empty).as_py() else closed


def _digests(key: str, values: pa.Array) -> pa.Array:
    before = np.frombuffer(f'"{key}":"'.encode(), dtype=np.uint8)
    text = np.empty((len(values), len(before) + HEX_DIGITS + 2), dtype=np.uint8)
    text[:, : len(before)] = before
    text[:, len(before) : -2] = to_hex(from_arrow(values))
    text[:, -2:] = np.frombuffer(b'",', dtype=np.uint8)
    offsets = np.arange(len(values) + 1, dtype=np.int32) * text.shape[1]
    return pa.BinaryArray.from_buffers(
        _BINARY, len(values), [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )


def _texts(key: str, values: pa.Array) -> pa.Array:
    before = pa.scalar(f'"{key}":"'.encode(), _BINARY)
    plain = pc.fill_null(values, "")
    escaped = plain
    if pc.any(pc.match_substring_regex(plain, _ESCAPED)).as_py():
        quoted = [json.dumps(text, ensure_ascii=False)[1:-1] for text in plain.to_pylist()]
        escaped = pa.array(quoted, pa.large_string())
    return pc.binary_join_element_wise(before, escaped.cast(_BINARY), _QUOTE_COMMA, _EMPTY)
