"""Many customers with ten events each: features, fit and assignment, beside plain SQL and predict."""

import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from benchmarks.ledger.measuring import Spent, peak_mb
from clustering import ClusteringPolicy, Fitted, fit
from clustering.measuring import Points
from clustering.preparing import prepare
from cohortd.core.modelling import CentroidModel
from cohortd.engine import Engine, StagedTable, resolve
from cohortd.engine.staging import open_staged

Figures = dict[str, float]

FEATURES_BAR: Final = 1.5
ASSIGNMENT_BAR: Final = 2.0
#: At 20 million customers, as at any other number.
MEMORY_BAR_MB: Final = 4096.0
EVENTS_EACH: Final = 10
AS_OF: Final = datetime(2026, 11, 1, tzinfo=UTC)
SAMPLE: Final = 100_000
SEGMENTS: Final = 8
_RUNS: Final = 3
#: Leaves room under the bar for what Python holds beside DuckDB.
_ENGINE_MEMORY: Final = "2500MB"
FEATURES: Final = (
    *("recency_days", "order_count", "value_sum", "order_value_mean", "quantity_sum", "active_days"),
    *("interpurchase_days", "category_breadth", "value_trend", "evening_share", "weekend_share"),
    "discount_share",
)

_OPTIONS: Final = f"SET memory_limit = '{_ENGINE_MEMORY}'"
#: Ten events a customer over a year; who they are decides how much, when and what they buy.
_EVENTS: Final = """
COPY (
    SELECT 'c' || lpad((i // {each})::VARCHAR, 9, '0') AS customer_id,
        TIMESTAMP '2025-11-01' + to_seconds((hash(i, 1) % 31536000)::BIGINT) AS occurred_at,
        round((1 + (hash(i // {each}, 2) % 50)) * (1 + (hash(i, 3) % 100) / 50.0), 2) AS value,
        (1 + hash(i, 4) % (1 + hash(i // {each}, 5) % 6))::DOUBLE AS quantity,
        'o' || (i // (1 + hash(i // {each}, 6) % 4))::VARCHAR AS order_id,
        'Aisle ' || (hash(i, 7) % (1 + hash(i // {each}, 8) % 12))::VARCHAR AS category,
        round((hash(i, 9) % 100) / 10.0 * (hash(i // {each}, 10) % 3), 2) AS discount
    FROM range({rows}) AS t(i)
) TO '{path}' (FORMAT PARQUET, COMPRESSION ZSTD, ROW_GROUP_SIZE 131072)
"""
_CUSTOMERS: Final = """
COPY (SELECT 'c' || lpad(i::VARCHAR, 9, '0') AS customer_id FROM range({customers}) AS t(i))
TO '{path}' (FORMAT PARQUET, COMPRESSION ZSTD)
"""
#: The same twelve features, as somebody who knows DuckDB would write them for this table alone.
_BY_HAND: Final = """
COPY (
    SELECT customer_id,
        date_diff('day', max(occurred_at), TIMESTAMP '{as_of}') AS recency_days,
        count(DISTINCT order_id) AS order_count,
        sum(value) AS value_sum,
        sum(value) / count(DISTINCT order_id) AS order_value_mean,
        sum(quantity) AS quantity_sum,
        count(DISTINCT occurred_at::DATE) AS active_days,
        (max(occurred_at)::DATE - min(occurred_at)::DATE)
            / nullif(count(DISTINCT occurred_at::DATE) - 1, 0) AS interpurchase_days,
        count(DISTINCT category) AS category_breadth,
        (sum(value) FILTER (occurred_at >= '{half}') - sum(value) FILTER (occurred_at < '{half}'))
            / sum(value) AS value_trend,
        avg((hour(occurred_at) BETWEEN 18 AND 21)::INT) AS evening_share,
        avg((isodow(occurred_at) >= 6)::INT) AS weekend_share,
        sum(discount) / nullif(sum(discount) + sum(value), 0) AS discount_share
    FROM '{events}'
    WHERE customer_id IN (SELECT customer_id FROM '{customers}') AND occurred_at < '{as_of}'
    GROUP BY customer_id
) TO '{path}' (FORMAT PARQUET, COMPRESSION ZSTD)
"""


def measure(customers: int, folder: Path, say: Callable[[str], None]) -> dict[str, Figures]:
    """Run every step in a process of its own, so that each one's memory is its own."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Figures] = {}
    steps = (make, by_hand, features, fit_sample, assign, predict, prepare_and_predict)
    for step in steps:
        say(f"scale: {customers:,} customers, {step.__name__}")
        with ProcessPoolExecutor(1, get_context("spawn"), initializer=_answer_nothing) as pool:
            found[step.__name__] = pool.submit(step, customers, folder).result()
    found["features"]["ratio"] = found["features"]["cpu_s"] / found["by_hand"]["cpu_s"]
    found["assign"]["ratio"] = found["assign"]["cpu_s"] / found["predict"]["cpu_s"]
    return found


def kept(found: Mapping[str, Figures]) -> bool:
    """Whether features, assignment and memory are within their bars."""
    memory = max(found[step]["peak_mb"] for step in ("features", "fit_sample", "assign"))
    return (
        found["features"]["ratio"] <= FEATURES_BAR
        and found["assign"]["ratio"] <= ASSIGNMENT_BAR
        and memory <= MEMORY_BAR_MB
    )


def _answer_nothing() -> None:
    """Keep DuckDB's progress bar out of the answer: it takes a process without a file for a console."""
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def make(customers: int, folder: Path) -> Figures:
    """Write the two tables."""
    spent = Spent()
    with closing(duckdb.connect()) as database, spent.more():
        database.execute(_OPTIONS)
        rows = customers * EVENTS_EACH
        database.execute(_EVENTS.format(each=EVENTS_EACH, rows=rows, path=folder / "events.parquet"))
        database.execute(_CUSTOMERS.format(customers=customers, path=folder / "customers.parquet"))
    return _figures(spent)


def by_hand(_: int, folder: Path) -> Figures:
    """Aggregate by hand-written SQL."""
    statement = _BY_HAND.format(
        events=folder / "events.parquet",
        customers=folder / "customers.parquet",
        path=folder / "by_hand.parquet",
        as_of="2026-11-01",
        half="2026-05-02 12:00:00",
    )
    spent = Spent()
    with closing(duckdb.connect()) as database, spent.more():
        database.execute(_OPTIONS)
        database.execute(statement)
    return _figures(spent)


def features(_: int, folder: Path) -> Figures:
    """Aggregate as `recluster` and `sync` do."""
    spent = Spent()
    with _engine(folder) as engine, spent.more():
        engine.features(
            _staged(folder, "events"),
            _staged(folder, "customers"),
            resolve(FEATURES, ()),
            as_of=AS_OF,
            window=None,
            name="features",
        )
    return _figures(spent)


def fit_sample(customers: int, folder: Path) -> Figures:
    """Draw a sample and fit it, k chosen."""
    spent = Spent()
    with _engine(folder) as engine, spent.more():
        _fitted(engine, folder, customers, k=None)
    return _figures(spent)


def assign(customers: int, folder: Path) -> Figures:
    """Say everybody's segment in the engine, read from disk and written to it; the best of three."""
    with _engine(folder) as engine:
        model = _fitted(engine, folder, customers, k=SEGMENTS).centroid_model
        table = open_staged(folder / "work" / "features.parquet")
        return _best_of(lambda: engine.assign(table, model, None))


def predict(customers: int, folder: Path) -> Figures:
    """Let scikit-learn label prepared points that are in memory; the best of three."""
    frame, model = _in_memory(customers, folder)
    points = prepare(frame, model.features)
    means = _means(points, model)
    return _best_of(lambda: means.predict(points))


def prepare_and_predict(customers: int, folder: Path) -> Figures:
    """The same from raw features in memory, which is what `assign` begins with, on disk."""
    frame, model = _in_memory(customers, folder)
    means = _means(prepare(frame[:SAMPLE], model.features), model)
    return _best_of(lambda: means.predict(prepare(frame, model.features)))


def _best_of(work: Callable[[], object]) -> Figures:
    runs = []
    for _ in range(_RUNS):
        spent = Spent()
        with spent.more():
            work()
        runs.append(spent)
    return _figures(min(runs, key=lambda spent: spent.cpu_s))


def _in_memory(customers: int, folder: Path) -> tuple[pd.DataFrame, CentroidModel]:
    with _engine(folder) as engine:
        model = _fitted(engine, folder, customers, k=SEGMENTS).centroid_model
    return pd.read_parquet(folder / "work" / "features.parquet", columns=list(FEATURES)), model


def _means(points: Points, model: CentroidModel) -> KMeans:
    centroids = np.array(model.centroids)
    return KMeans(len(centroids), init=centroids, n_init=1, max_iter=1).fit(points[:SAMPLE])


def _fitted(engine: Engine, folder: Path, customers: int, *, k: int | None) -> Fitted:
    table = open_staged(folder / "work" / "features.parquet")
    return fit(
        engine.sample(table, SAMPLE, "fit"),
        resolve(FEATURES, ()),
        ClusteringPolicy(k=k),
        total=customers,
        previous=None,
        previous_labels=None,
        next_segment_number=1,
    )


def _engine(folder: Path) -> Engine:
    return Engine.duckdb(folder / "work", memory_limit=_ENGINE_MEMORY)


def _staged(folder: Path, name: str) -> StagedTable:
    return open_staged(folder / f"{name}.parquet")


def _figures(spent: Spent) -> Figures:
    return {"cpu_s": spent.cpu_s, "wall_s": spent.wall_s, "peak_mb": peak_mb()}
