"""The demo's real households, as the engine's features of every week of their year."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow.parquet as pq

from cohortd.core.modelling import FeatureSpec
from cohortd.demo.data import write_data
from cohortd.engine import Engine, StagedTable, available, resolve

#: The first Monday with thirteen whole weeks of shopping before it.
FIRST: Final = datetime(2017, 4, 3, tzinfo=UTC)
WINDOW: Final = timedelta(weeks=13)


@dataclass(frozen=True, slots=True)
class Week:
    """Everybody's features as of one Monday."""

    as_of: datetime
    features: StagedTable
    sample: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Year:
    """The weeks, what their features mean, and the engine they lie in."""

    engine: Engine
    specs: tuple[FeatureSpec, ...]
    weeks: tuple[Week, ...]


@contextmanager
def year(folder: Path, *, weeks: int) -> Iterator[Year]:
    """Compute the first *weeks* weeks in *folder*, as the demo's settings would."""
    data = write_data(folder / "data")
    with Engine.duckdb(folder / "work") as engine:
        events = engine.stage("events", pq.read_table(data.events).to_batches())
        columns = pq.read_table(data.customers, columns=["customer_id"])
        customers = engine.stage("customers", columns.to_batches())
        usable, _ = available(resolve("ecommerce", ()), events.columns, customers.columns)
        specs = tuple(engine.expand(usable, events=events, customers=customers))
        found = []
        for number in range(weeks):
            as_of = FIRST + timedelta(weeks=number)
            features = engine.features(
                events, customers, specs, as_of=as_of, window=WINDOW, name=f"features_{number:02}"
            )
            found.append(Week(as_of, features, engine.sample(features, features.rows, "week")))
        yield Year(engine, specs, tuple(found))
