"""Events and customers to feed an engine."""

import numpy as np
import pandas as pd
import pyarrow as pa

from cohortd.engine import Engine, StagedTable

AS_OF = pd.Timestamp("2024-04-01", tz="UTC")


def random_events(rows: int = 1500, *, customers: int = 60, seed: int = 3) -> pd.DataFrame:
    """Events around a window, with holes everywhere, refunds and fractions of seconds."""
    rng = np.random.default_rng(seed)
    start_us = pd.Timestamp("2023-10-01", tz="UTC").value // 1000
    end_us = pd.Timestamp("2024-04-03", tz="UTC").value // 1000
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{n:03}" for n in rng.integers(0, customers, rows)],
            "occurred_at": pd.to_datetime(rng.integers(start_us, end_us, rows), unit="us", utc=True),
            "value": rng.normal(20, 15, rows).round(2),
            "quantity": rng.integers(1, 9, rows).astype(float),
            "discount": rng.choice([0.0, 1.5, -2.5], rows),
            "duration_s": rng.exponential(60, rows).round(3),
            "order_id": [f"o{n}" for n in rng.integers(0, rows // 2, rows)],
            "session_id": [f"s{n}" for n in rng.integers(0, rows // 3, rows)],
            "category": rng.choice(
                ["Dairy & Eggs", "dairy-eggs", "WINE", "Brot", "Käse", "tea", "fish"], rows
            ),
            "channel": rng.choice(["web", "Store"], rows),
            "device": rng.choice(["phone", "desktop"], rows),
            "type": rng.choice(["view", "purchase"], rows),
        }
    )
    for column in frame.columns.drop(["customer_id", "occurred_at"]):
        frame.loc[rng.random(rows) < 0.1, column] = None
    # One whom only the other half of the window knows, one with nothing but holes, one long gone.
    lone = pd.DataFrame(
        {
            "customer_id": ["early", "holes", "gone"],
            "occurred_at": pd.to_datetime(
                ["2024-01-02 23:59:59.999999", "2024-03-31 00:00:00.5", "2023-10-05"],
                utc=True,
                format="ISO8601",
            ),
            "value": [10.0, None, 5.0],
        }
    )
    return pd.concat([frame, lone], ignore_index=True)


def stage_events(engine: Engine, frame: pd.DataFrame, *, name: str = "events") -> StagedTable:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return engine.stage(name, table.to_batches(max_chunksize=500))


def stage_customers(
    engine: Engine, columns: dict[str, list[object]], *, name: str = "customers"
) -> StagedTable:
    return engine.stage(name, [pa.record_batch(columns)])
