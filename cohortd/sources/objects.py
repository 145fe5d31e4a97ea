"""Turns Python values, as JSON and databases give them, into Arrow columns of text."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from math import isnan

import pyarrow as pa


def text_column(values: Sequence[object]) -> pa.Array:
    """Spell every value; a column with a list anywhere becomes a column of lists."""
    if any(isinstance(value, list | tuple) for value in values):
        lists = [None if value is None else _spelled_list(value) for value in values]
        return _array(lists, pa.list_(pa.binary()))
    return _array([_spelled(value) for value in values], pa.binary())


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    # Bytes, not text: what cannot be UTF-8 is then found and counted row by row, as in a CSV.
    return pa.array(values, kind)


def _spelled_list(value: object) -> list[bytes | None]:
    items = value if isinstance(value, list | tuple) else (value,)
    return [_spelled(item) for item in items]


def _spelled(value: object) -> bytes | None:
    for kind, spell in _SPELLINGS:
        if isinstance(value, kind):
            return spell(value)
    return str(value).encode("utf-8", "surrogatepass")


def _spelled_float(value: float) -> bytes | None:
    if isnan(value):
        return None
    return str(int(value) if value.is_integer() and abs(value) < 2**53 else value).encode()


def _spelled_decimal(value: Decimal) -> bytes | None:
    return None if value.is_nan() else format(value.normalize(), "f").encode()


#: The first kind that fits counts: a bool is an int, a datetime a date.
_SPELLINGS: tuple[tuple[type | tuple[type, ...], Callable[..., bytes | None]], ...] = (
    (type(None), lambda _: None),
    ((bytes, bytearray, memoryview), bytes),
    # Half of a surrogate pair is legal in JSON and no UTF-8.
    (str, lambda value: value.encode("utf-8", "surrogatepass")),
    (bool, lambda value: b"true" if value else b"false"),
    (float, _spelled_float),
    (Decimal, _spelled_decimal),
    (date, lambda value: value.isoformat().encode()),
    ((dict, list, tuple), lambda value: json.dumps(value, default=str).encode()),
)
