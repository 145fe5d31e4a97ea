"""The two tables that identity hands on, put together from what each column gave."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cohortd.core.identifiers import IdentifierKind
from cohortd.identity.cells import Integers
from cohortd.identity.columns import Column
from cohortd.identity.digests import DIGEST

IDENTIFIERS = pa.schema(
    [("row", pa.int64()), ("kind", pa.uint8()), ("digest", DIGEST), ("payload", pa.binary())]
)
DROPPED = pa.schema([("row", pa.int64()), ("field", pa.string()), ("reason", pa.string())])

#: Kinds are fewer; a row's number and a kind make one number to order by.
_KINDS = 256


@dataclass(frozen=True, slots=True)
class Points:
    """Identifiers of one kind, ascending by row."""

    kind: IdentifierKind
    rows: Integers
    digests: pa.Array
    #: Each payload that is needed, and which of them each identifier carries.
    payloads: pa.Array
    payload_of: Integers


@dataclass(frozen=True, slots=True)
class Dropped:
    """Values of one field that cannot be sent."""

    field: str
    rows: Integers
    reasons: pa.Array


def contact_points(column: Column, kind: IdentifierKind, profiles: pa.Array | None = None) -> Points:
    """Make identifiers of e-mails or phones, each with the profile of its row."""
    rows, digests = column.usable()
    if profiles is None:
        no_payload = pa.array([b""], pa.binary())
        return Points(kind, rows, digests, no_payload, np.zeros(len(rows), dtype=np.int64))
    return Points(kind, rows, digests, profiles, rows)


def dropped_of(column: Column) -> Dropped:
    """Say what of a column cannot be sent."""
    return Dropped(column.field, *column.dropped())


def identifiers_table(parts: Sequence[Points]) -> pa.Table:
    """Order identifiers by row, then kind, then as they are."""
    if not parts:
        return IDENTIFIERS.empty_table()
    rows = np.concatenate([part.rows for part in parts])
    each = np.array([int(part.kind) for part in parts], dtype=np.uint8)
    kinds = np.repeat(each, [len(part.rows) for part in parts])
    digests = parts[0].digests
    payloads, payload_of = _payloads(parts)
    if len(parts) > 1:
        order = np.argsort(rows * _KINDS + kinds, kind="stable")
        rows, kinds, payload_of = rows[order], kinds[order], payload_of[order]
        digests = pa.concat_arrays([part.digests for part in parts]).take(pa.array(order))
    # Payloads are most of what a batch weighs: each is copied once, straight to its place.
    columns = [rows, kinds, digests, payloads.take(pa.array(payload_of))]
    return pa.table(columns, schema=IDENTIFIERS)


def dropped_table(parts: Sequence[Dropped]) -> pa.Table:
    """Order what was dropped by row, then as it is."""
    parts = [part for part in parts if len(part.rows)]
    if not parts:
        return DROPPED.empty_table()
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    fields = pa.concat_arrays([pa.repeat(part.field, len(part.rows)) for part in parts])
    reasons = pa.concat_arrays([part.reasons for part in parts])
    columns = [rows[order], fields.take(pa.array(order)), reasons.take(pa.array(order))]
    return pa.table(columns, schema=DROPPED)


def _payloads(parts: Sequence[Points]) -> tuple[pa.Array, Integers]:
    """Every payload that is needed, and which of them each identifier carries."""
    pools: list[pa.Array] = []
    chosen = []
    for part in parts:
        before = 0
        for pool in pools:
            if pool is part.payloads:
                break
            before += len(pool)
        else:
            pools.append(part.payloads)
        chosen.append(part.payload_of + before)
    together = pools[0] if len(pools) == 1 else pa.concat_arrays(pools)
    return together, np.concatenate(chosen)
