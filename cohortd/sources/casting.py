"""Turns a column of whatever type into text, numbers, times or lists, saying which rows it could not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

UTC_TIME = pa.timestamp("us", tz="UTC")

#: ISO 8601 as people and databases write it. Digits alone are refused: they may be an epoch.
_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
#: No thousands separators, no decimal comma: both mean different things in different countries.
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_LARGEST_EXACT_INTEGER = 2.0**53


@dataclass(frozen=True, slots=True)
class Cast:
    """A converted column; a faulty row is null in ``values``."""

    values: pa.Array
    faulty: npt.NDArray[np.bool_]


def is_set(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Tell which rows hold a value."""
    mask: npt.NDArray[np.bool_] = np.asarray(pc.is_valid(values))
    return mask


def as_text(column: pa.Array) -> Cast:
    """Read as trimmed text, empty as null; faulty where bytes are no UTF-8.

    A whole number has no decimals whatever its type, for ids that pandas made floats; of a list
    the first value counts.
    """
    column, faulty = _plain(column)
    try:
        text = pc.utf8_trim_whitespace(_spelled(column))
    except pa.ArrowNotImplementedError:  # a type that has no text, such as an interval
        return Cast(pa.nulls(len(column), pa.string()), is_set(column))
    return Cast(pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text), faulty)


def as_number(column: pa.Array) -> Cast:
    """Read as a double; NaN is absent, infinity and text that is no plain number are faulty."""
    kind = column.type
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        number = column.cast(pa.float64(), safe=False)
        return _finite(number, np.zeros(len(column), dtype=np.bool_))
    text = as_text(column)
    fits = pc.fill_null(pc.match_substring_regex(text.values, _NUMBER), fill_value=False)
    unsigned = pc.utf8_ltrim(pc.if_else(fits, text.values, None), "+")
    return _finite(unsigned.cast(pa.float64()), text.faulty | (is_set(text.values) & ~np.asarray(fits)))


def as_time(column: pa.Array) -> Cast:
    """Read as UTC microseconds; a time without an offset is UTC, a number is faulty."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        unit = column if pa.types.is_timestamp(kind) else column.cast(pa.timestamp("ms"))
        return Cast(unit.cast(UTC_TIME, safe=False), np.zeros(len(column), dtype=np.bool_))
    text = as_text(column)
    fits = np.asarray(pc.fill_null(pc.match_substring_regex(text.values, _TIME), fill_value=False))
    spelled = pc.if_else(pa.array(fits), text.values, None).to_pandas()
    parsed = pd.to_datetime(spelled, format="ISO8601", utc=True, errors="coerce")
    values = pa.Array.from_pandas(parsed.astype("datetime64[us, UTC]"), type=UTC_TIME)
    return Cast(values, text.faulty | (is_set(text.values) & ~is_set(values)))


def as_list(column: pa.Array, separator: str) -> Cast:
    """Read as list<string>, text cut at *separator*; empty values and empty lists are absent."""
    rows = len(column)
    is_list = _is_list(column.type)
    owners = np.asarray(pc.list_parent_indices(column)) if is_list else np.arange(rows)
    cells = as_text(pc.list_flatten(column) if is_list else column)
    faulty = np.zeros(rows, dtype=np.bool_)
    faulty[owners[cells.faulty]] = True
    pieces = pc.split_pattern(cells.values, separator)
    trimmed = as_text(pc.list_flatten(pieces))
    parents = owners[np.asarray(pc.list_parent_indices(pieces))]
    return Cast(_regrouped(trimmed.values, parents, rows), faulty)


def _regrouped(flat: pa.Array, parents: npt.NDArray[np.int64], rows: int) -> pa.Array:
    known = is_set(flat)
    counts = np.bincount(parents[known], minlength=rows)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), flat.filter(pa.array(known)), mask=pa.array(counts == 0)
    )


def _finite(number: pa.Array, faulty: npt.NDArray[np.bool_]) -> Cast:
    infinite = np.asarray(pc.fill_null(pc.is_inf(number), fill_value=False))
    finite = pc.fill_null(pc.is_finite(number), fill_value=False)
    return Cast(pc.if_else(finite, number, pa.scalar(None, pa.float64())), faulty | infinite)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _plain(column: pa.Array) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Undo dictionaries, lists and bytes."""
    faulty = np.zeros(len(column), dtype=np.bool_)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_list(column.type):
        column = _first_of_each(column)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return _decoded(column, faulty)
    if pa.types.is_nested(column.type):
        return pa.nulls(len(column), pa.string()), faulty
    return column, faulty


def _first_of_each(column: pa.Array) -> pa.Array:
    parents = np.asarray(pc.list_parent_indices(column))
    _, firsts = np.unique(parents, return_index=True)
    taken: npt.NDArray[np.int64] = np.full(len(column), -1, dtype=np.int64)
    taken[parents[firsts]] = firsts
    return pc.list_flatten(column).take(pa.array(taken, mask=taken < 0))


def _decoded(column: pa.Array, faulty: npt.NDArray[np.bool_]) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    try:
        return column.cast(pa.string()), faulty
    except pa.ArrowInvalid:
        # Some value is no UTF-8: find out which, one by one.
        texts = [_utf8(value) for value in column.to_pylist()]
    decoded = pa.array(texts, pa.string())
    return decoded, is_set(column) & ~is_set(decoded)


def _utf8(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _spelled(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_floating(kind):
        return _spelled_float(column.cast(pa.float64()))
    if pa.types.is_decimal(kind):
        spelled = column.cast(pa.string())
        return pc.replace_substring_regex(spelled, r"^([^.]*)\.0*$|^([^.]*\.\d*?)0+$", r"\1\2")
    if pa.types.is_timestamp(kind):
        return pc.strftime(column.cast(UTC_TIME, safe=False), "%Y-%m-%dT%H:%M:%SZ")
    return column.cast(pa.string())


def _spelled_float(column: pa.Array) -> pa.Array:
    known = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
    small = pc.less(pc.abs(known), _LARGEST_EXACT_INTEGER)
    whole = pc.and_(small, pc.equal(known, pc.trunc(known)))
    integers = pc.if_else(whole, known, pa.scalar(None, pa.float64())).cast(pa.int64()).cast(pa.string())
    return pc.coalesce(integers, known.cast(pa.string()))
