"""Describes segments by their customers' raw features."""

import functools
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from cohortd.engine.scope import exact_sum, ratio

EVERYBODY = ""


def profile_table(features: ir.Table, assigned: ir.Table, *, names: Sequence[str]) -> ir.Table:
    """Mean and median of each feature in each segment and over everybody, absent values left out."""
    segments = assigned.select("customer_id", segment=assigned.segment_id)
    joined = features.inner_join(segments, "customer_id")
    everybody = joined.mutate(segment=ibis.literal(EVERYBODY))
    parts = [_one(table, name) for table in (everybody, joined) for name in names]
    return functools.reduce(lambda left, right: left.union(right), parts).order_by(
        ["segment_id", "feature"]
    )


def _one(table: ir.Table, name: str) -> ir.Table:
    column = table[name]
    described = table.group_by(segment_id=table.segment).agg(
        customers=table.count(),
        mean=ratio(exact_sum(column), column.count()),
        median=column.median(),
    )
    return described.select("segment_id", "customers", "mean", "median", feature=ibis.literal(name)).select(
        "segment_id", "feature", "customers", "mean", "median"
    )
