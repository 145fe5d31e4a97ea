"""Describes segments by their customers' raw features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cohortd.engine.scope import exact_sum

if TYPE_CHECKING:
    import ibis.expr.types as ir

EVERYBODY = ""


def totals_table(features: ir.Table, assigned: ir.Table, names: list[str]) -> ir.Table:
    """Sum and count every feature in each segment, in one pass; absent values left out."""
    joined = features.inner_join(assigned.select("customer_id", "segment_id"), "customer_id")
    sums = {f"sum_{number}": exact_sum(joined[name]) for number, name in enumerate(names)}
    counts = {f"count_{number}": joined[name].count() for number, name in enumerate(names)}
    return joined.group_by("segment_id").agg(**sums, **counts).order_by("segment_id")


def flows_table(assigned: ir.Table) -> ir.Table:
    """Count who was where and is where now."""
    keys = {"before": assigned.previous_segment_id.fill_null("")}
    counted = assigned.mutate(**keys).group_by(["before", "segment_id"]).agg(n=lambda t: t.count())
    return counted.order_by(["before", "segment_id"])


def means_of(totals: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Divide what ``totals_table`` found, for each segment and for everybody."""
    ids = [*totals["segment_id"], EVERYBODY]
    found = {}
    for number, name in enumerate(names):
        sums, counts = (totals[f"{part}_{number}"].to_numpy(dtype=float) for part in ("sum", "count"))
        whole, known = np.append(sums, sums.sum()), np.append(counts, counts.sum())
        found[name] = np.divide(whole, known, out=np.full(len(ids), np.nan), where=known > 0)
    return pd.DataFrame(found, index=pd.Index(ids, name="segment_id"), columns=names)
