"""Everybody's segment and which conditions hold of them, in one table of small codes."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from cohortd.engine.conditions import Condition

#: How the column of a segment's place begins, among those asked for and -1 for none; no attribute does.
PLACE = "place in "


def belonging_table(
    customers: ir.Table,
    assigned: Mapping[str, tuple[ir.Table, Sequence[str]]],
    *,
    features: Sequence[ir.Table],
    conditions: Mapping[str, Condition],
) -> ir.Table:
    """Say of everybody who has a segment, or of whom a condition holds, which.

    Args:
        customers: Everybody, with the attributes that the conditions read.
        assigned: By model, ``customer_id`` and ``segment_id``, and the segments whose places are given.
        features: Tables by customer; of a column that several have, the first one's counts.
        conditions: By the name of their column; true or false.
    """
    placed = [
        table.select("customer_id", **{f"{PLACE}{name}": _place(table, segments)})
        for name, (table, segments) in assigned.items()
    ]
    if len(placed) == 1 and not conditions:
        return placed[0]
    joined = customers
    for table in placed:
        joined = _left_join(joined, table)
    for table in features:
        fresh = [name for name in table.columns if name not in joined.columns]
        joined = _left_join(joined, table.select("customer_id", *fresh))
    places = [f"{PLACE}{name}" for name in assigned]
    told = joined.select(
        "customer_id",
        **{name: joined[name].fill_null(ibis.literal(-1, "int16")) for name in places},
        **{name: condition.of(joined) for name, condition in conditions.items()},
    )
    anywhere = [*(told[name] >= 0 for name in places), *(told[name] for name in conditions)]
    return told.filter(functools.reduce(operator.or_, anywhere))


def _place(assigned: ir.Table, segments: Sequence[str]) -> ir.IntegerColumn:
    if not segments:
        return ibis.literal(-1, "int16")
    cases = ((assigned.segment_id == each, place) for place, each in enumerate(segments))
    return ibis.cases(*cases, else_=-1).cast("int16")


def _left_join(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, "customer_id").drop("customer_id_right")
