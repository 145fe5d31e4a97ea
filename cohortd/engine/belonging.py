"""Everybody's segment and which conditions hold of them, in one table of small codes."""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from cohortd.engine.conditions import Condition

#: The column of the segment's place among those asked for, -1 for none; no attribute is called so.
SEGMENT = "place of the segment"


def belonging_table(
    customers: ir.Table,
    assigned: ir.Table,
    *,
    segments: Sequence[str],
    features: Sequence[ir.Table],
    conditions: Mapping[str, Condition],
) -> ir.Table:
    """Say of everybody who has a segment, or of whom a condition holds, which.

    Args:
        customers: Everybody, with the attributes that the conditions read.
        assigned: ``customer_id`` and ``segment_id``.
        segments: Whose places are given.
        features: Tables by customer; of a column that several have, the first one's counts.
        conditions: By the name of their column; true or false.
    """
    places = assigned.select("customer_id", **{SEGMENT: _place(assigned, segments)})
    if not conditions:
        return places
    joined = _left_join(customers, places)
    for table in features:
        fresh = [name for name in table.columns if name not in joined.columns]
        joined = _left_join(joined, table.select("customer_id", *fresh))
    told = joined.select(
        "customer_id",
        **{SEGMENT: joined[SEGMENT].fill_null(ibis.literal(-1, "int16"))},
        **{name: condition.of(joined) for name, condition in conditions.items()},
    )
    anywhere = told[SEGMENT] >= 0
    for name in conditions:
        anywhere |= told[name]
    return told.filter(anywhere)


def _place(assigned: ir.Table, segments: Sequence[str]) -> ir.IntegerColumn:
    if not segments:
        return ibis.literal(-1, "int16")
    cases = ((assigned.segment_id == each, place) for place, each in enumerate(segments))
    return ibis.cases(*cases, else_=-1).cast("int16")


def _left_join(left: ir.Table, right: ir.Table) -> ir.Table:
    return left.left_join(right, "customer_id").drop("customer_id_right")
