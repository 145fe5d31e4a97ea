"""A generated shop: customers of a few kinds whose habits drift a little every week."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from clustering import Fitted
from clustering.places import places_of
from cohortd.core.modelling import FeatureSpec, Impute, ModelVersion

START = datetime(2026, 1, 5, tzinfo=UTC)


def spec(
    name: str, title: str = "", *words: str, heavy_tail: bool = False, absent: str = "zero"
) -> FeatureSpec:
    high, low = words or (f"high {name}", f"low {name}")
    return FeatureSpec(name, title or name, (), heavy_tail, Impute(absent), high, low)


SPECS = (
    spec("order_count", "Orders", "frequent buyers", "rare buyers", heavy_tail=True),
    spec("value_sum", "Value of all events", "big spenders", "small spenders", heavy_tail=True),
    spec("recency_days", "Days since the last event", "lapsed", "recently active", heavy_tail=True),
    spec("weekend_share", "Share at weekends", "weekend shoppers", "weekday shoppers"),
    spec("discount_share", "Money off", "discount seekers", "full-price buyers"),
)
#: Orders, value, recency, weekend share, discount share of each kind.
KINDS = np.array(
    [
        [20.0, 900.0, 5.0, 0.2, 0.1],
        [3.0, 60.0, 60.0, 0.3, 0.2],
        [6.0, 900.0, 20.0, 0.7, 0.1],
        [12.0, 200.0, 8.0, 0.3, 0.5],
        [2.0, 250.0, 30.0, 0.8, 0.4],
    ]
)


def week(
    number: int, *, customers: int = 600, seed: int = 1, kinds: Sequence[int] = (0, 1, 2, 3, 4)
) -> pd.DataFrame:
    """The features of a week; every customer keeps its kind and wanders around it."""
    fixed = np.random.default_rng(seed)
    kind = np.array(kinds)[fixed.integers(0, len(kinds), customers)]
    own = fixed.normal(0, 0.35, (customers, len(SPECS)))
    now = np.random.default_rng([seed, number]).normal(0, 0.15, own.shape) + 0.01 * number
    values = KINDS[kind].copy()
    values[:, :3] *= np.exp(own + now)[:, :3]
    values[:, 3:] += 0.3 * (own + now)[:, 3:]
    index = pd.Index([f"c{each:05d}" for each in range(customers)], name="customer_id")
    return pd.DataFrame(values, columns=[each.name for each in SPECS], index=index)


def version(fitted: Fitted, number: int = 1, algorithm: str = "kmeans") -> ModelVersion:
    at = START + timedelta(weeks=number)
    return ModelVersion(
        number,
        at,
        at,
        "due",
        algorithm,
        fitted.centroid_model,
        fitted.segments,
        fitted.lineage,
        fitted.quality,
    )


def assign(sample: pd.DataFrame, fitted: Fitted, previous: pd.Series | None = None) -> pd.Series:
    """What the engine does, in numpy and by the words of `CentroidModel`."""
    model = fitted.centroid_model
    columns = []
    for feature in model.features:
        raw = sample[feature.name].fillna(feature.fill).to_numpy(dtype=float)
        logged = np.log1p(np.maximum(raw, 0)) if feature.log else raw
        columns.append((logged - feature.center) / feature.scale)
    points = np.stack(columns, axis=1)
    own = np.full(len(sample), -1)
    if previous is not None:
        rows = {segment: row for row, segment in enumerate(model.segment_ids)}
        own = previous.reindex(sample.index).map(rows).fillna(-1).to_numpy(dtype=np.intp)
    labels = places_of(model).settled(points, own, margin=model.margin)
    return pd.Series([model.segment_ids[row] for row in labels], index=sample.index)
