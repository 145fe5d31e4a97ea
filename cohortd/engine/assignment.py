"""Assigns customers to segments in one expression: scaler, centroids, hysteresis."""

import functools
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import CentroidModel, PreparedFeature


def assignment(features: ir.Table, model: CentroidModel, *, previous: ir.Table | None) -> ir.Table:
    """Say for each customer which segment, how far from its centre, and which segment before.

    Args:
        features: ``customer_id`` and every feature of the model.
        model: See there for the rule.
        previous: ``customer_id`` and ``segment_id``. Customers without a previous segment, or in
            one that is no more, go to the nearest.

    Raises:
        SettingsError: A feature of the model is missing.
    """
    _check(features, model)
    prepared = features.select(
        "customer_id", **{f"z{i}": _prepared(features, feature) for i, feature in enumerate(model.features)}
    )
    distances = _with_previous(_distances(prepared, model), previous)
    squared = [distances[f"d{k}"] for k in range(len(model.centroids))]
    nearest = distances.mutate(least=functools.reduce(ibis.least, squared))
    return _decided(nearest, model)


def _check(features: ir.Table, model: CentroidModel) -> None:
    if not model.centroids:
        raise ValueError("a model without segments cannot assign anybody")
    missing = [feature.name for feature in model.features if feature.name not in features.columns]
    if missing:
        raise SettingsError(
            f"the current model reads {', '.join(missing)}, which the sources no longer give;"
            " restore the columns, or recluster with --force"
        )


def _prepared(features: ir.Table, feature: PreparedFeature) -> ir.FloatingColumn:
    raw = features[feature.name].cast("float64")
    filled = ibis.ifelse(raw.isnull() | raw.isnan(), feature.fill, raw)
    if feature.log:
        filled = (ibis.greatest(filled, 0.0) + 1.0).ln()
    return (filled - feature.center) / feature.scale


def _distances(prepared: ir.Table, model: CentroidModel) -> ir.Table:
    columns = [prepared[f"z{i}"] for i in range(len(model.features))]
    return prepared.select(
        "customer_id",
        **{f"d{k}": _squared(columns, centroid) for k, centroid in enumerate(model.centroids)},
    )


def _squared(columns: Sequence[ir.FloatingColumn], centroid: Sequence[float]) -> ir.FloatingColumn:
    # Differences, not the expanded square: two equal centroids then tie to the last bit.
    parts = [
        (column - centre) * (column - centre) for column, centre in zip(columns, centroid, strict=True)
    ]
    return functools.reduce(lambda left, right: left + right, parts)


def _with_previous(distances: ir.Table, previous: ir.Table | None) -> ir.Table:
    if previous is None:
        return distances.mutate(previous_segment_id=ibis.null("string"))
    before = previous.select("customer_id", previous_segment_id=previous.segment_id)
    return distances.left_join(before, "customer_id").drop("customer_id_right")


def _decided(table: ir.Table, model: CentroidModel) -> ir.Table:
    segments = list(enumerate(model.segment_ids))
    before = table.previous_segment_id
    # The first branch that holds wins: ties go to the earlier row.
    nearest = ibis.cases(*((table[f"d{k}"] == table.least, segment) for k, segment in segments))
    to_previous = ibis.cases(*((before == segment, table[f"d{k}"]) for k, segment in segments))
    leaves = to_previous.isnull() | (table.least.sqrt() < (1.0 - model.margin) * to_previous.sqrt())
    return table.select(
        "customer_id",
        segment_id=ibis.ifelse(leaves, nearest, before),
        distance=ibis.ifelse(leaves, table.least, to_previous).sqrt(),
        previous_segment_id=before,
    )
