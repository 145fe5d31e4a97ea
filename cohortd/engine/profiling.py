"""Describes segments by their customers' raw features."""

import ibis
import ibis.expr.types as ir

from cohortd.engine.scope import exact_sum, ratio

EVERYBODY = ""


def profile_table(features: ir.Table, assigned: ir.Table, name: str) -> ir.Table:
    """Mean and median of one feature in each segment and over everybody, absent values left out."""
    values = features.select("customer_id", value=features[name])
    segments = assigned.select("customer_id", segment=assigned.segment_id)
    joined = values.inner_join(segments, "customer_id")
    everybody = joined.mutate(segment=ibis.literal(EVERYBODY))
    described = _described(joined, name).union(_described(everybody, name))
    return described.order_by("segment_id")


def _described(table: ir.Table, name: str) -> ir.Table:
    described = table.group_by(segment_id=table.segment).agg(
        customers=table.count(),
        mean=ratio(exact_sum(table.value), table.value.count()),
        median=table.value.median(),
    )
    return described.select(
        "segment_id",
        "customers",
        "mean",
        "median",
        feature=ibis.literal(name),
    )
