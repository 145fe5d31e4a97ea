"""Assigns customers to segments in one expression: scaler, distances, hysteresis."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import CentroidModel, Part, PreparedFeature

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Below this many halvings of the likelihood a segment's probability is nought to any reader.
_NEVER = 1400.0


def assignment(features: ir.Table, model: CentroidModel, *, previous: ir.Table | None) -> ir.Table:
    """Say for each customer which segment, how far from it, how surely, and which segment before.

    Args:
        features: ``customer_id`` and every feature of the model.
        model: See there for the rule.
        previous: ``customer_id`` and ``segment_id``. Customers without a previous segment, or in
            one that is no more, go to the nearest.

    Returns:
        Also ``confidence``, the probability of the segment, where the model is soft.

    Raises:
        SettingsError: A feature of the model is missing.
    """
    _check(features, model)
    prepared = features.select(
        "customer_id", **{f"z{i}": _prepared(features, feature) for i, feature in enumerate(model.features)}
    )
    distances = _with_previous(_distances(prepared, model), previous)
    squared = [distances[f"d{k}"] for k in range(len(model.centroids))]
    nearest = distances.mutate(least=_least(squared))
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
    """Give the squared distances: first to every part, then to the nearest of each segment."""
    columns = [prepared[f"z{i}"] for i in range(len(model.features))]
    parts = model.parts or tuple(Part(k, centroid) for k, centroid in enumerate(model.centroids))
    by_part = prepared.select(
        "customer_id", **{f"p{number}": _squared(columns, part) for number, part in enumerate(parts)}
    )
    of_segment: dict[int, list[ir.FloatingValue]] = {}
    for number, part in enumerate(parts):
        of_segment.setdefault(part.segment, []).append(by_part[f"p{number}"])
    return by_part.select("customer_id", **{f"d{k}": _least(each) for k, each in of_segment.items()})


def _squared(columns: Sequence[ir.FloatingColumn], part: Part) -> ir.FloatingValue:
    if not part.center:
        return ibis.literal(part.offset, "float64")
    # Differences, not the expanded square: two equal centroids then tie to the last bit.
    along = [column - centre for column, centre in zip(columns, part.center, strict=True)]
    if part.axes:
        along = [_along(along, axis) for axis in part.axes]
    squared = functools.reduce(lambda left, right: left + right, [each * each for each in along])
    return squared + part.offset if part.offset else squared


def _along(differences: Sequence[ir.FloatingValue], axis: Sequence[float]) -> ir.FloatingValue:
    terms = [
        difference * weight for difference, weight in zip(differences, axis, strict=True) if weight != 0.0
    ]
    return functools.reduce(lambda left, right: left + right, terms)


def _least(values: Sequence[ir.FloatingValue]) -> ir.FloatingValue:
    return functools.reduce(ibis.least, values)


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
    squared = ibis.ifelse(leaves, table.least, to_previous)
    return table.select(
        "customer_id",
        segment_id=ibis.ifelse(leaves, nearest, before),
        distance=squared.sqrt(),
        previous_segment_id=before,
        **({"confidence": _confidence(table, squared)} if model.soft else {}),
    )


def _confidence(table: ir.Table, squared: ir.FloatingValue) -> ir.FloatingValue:
    """Probability of the segment whose squared distance is given, among all."""
    columns = [table[name] for name in table.columns if name.startswith("d")]
    likelihoods = [_likelihood(column - table.least) for column in columns]
    return _likelihood(squared - table.least) / functools.reduce(lambda a, b: a + b, likelihoods)


def _likelihood(squared: ir.FloatingValue) -> ir.FloatingValue:
    return (ibis.least(squared, _NEVER) * -0.5).exp()
