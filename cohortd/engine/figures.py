"""What a table looks like in a few numbers, without a feature being computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import ibis
import numpy as np
import pandas as pd

from cohortd.core.figures import ColumnFigures, Rows, TableFigures
from cohortd.core.tables import EVENT_NUMBER_FIELDS
from cohortd.core.times import format_time
from cohortd.engine.aggregation import number_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: How many days are told one by one.
DAYS_KEPT: Final = 35
#: A text column is one of numbers when this share of its values is.
_NUMERIC_SHARE: Final = 0.95
#: Of these everybody has another, so that none is ever constant, nor a repeated row known by them.
_IDS: Final = frozenset({"customer_id", "occurred_at", "order_id", "session_id"})
_SAYS_THE_SAME: Final = ("customer_id", "occurred_at", "type", "category", *EVENT_NUMBER_FIELDS)
_DAY_S: Final = 86_400
#: Steps of the logarithm in which a median is looked for: each is a sixteenth wide.
_STEPS: Final = 16

Fetch: TypeAlias = "Callable[[ir.Table], pd.DataFrame]"


def customer_figures(customers: ir.Table, fetch: Fetch) -> TableFigures:
    """Look at the attributes."""
    return TableFigures("customers", _columns(customers, ibis.literal(value=True), fetch))


def event_figures(
    events: ir.Table, fetch: Fetch, *, latest: datetime | None, since: datetime | None, later: int
) -> TableFigures:
    """Look at the events.

    Args:
        events: As staged.
        fetch: Brings a small result into memory.
        latest: The newest event; None where there is none.
        since: The newest event of the run before: what is later is new, and so is the last day.
        later: Rows left out because their time is yet to come.
    """
    if latest is None:
        return TableFigures("events", later=later)
    day_before = latest - timedelta(days=1)
    edge = int(min(since or day_before, day_before).timestamp())
    is_new = _seconds(events) > edge
    days = _days(events, fetch)
    rows, new = _rows(events, is_new, int(latest.timestamp()), fetch)
    recent = {day: n for day, n in days.items() if day > max(days) - timedelta(days=DAYS_KEPT)}
    return TableFigures(
        "events",
        _columns(events, is_new, fetch),
        all=rows,
        new=new,
        later=later,
        oldest=min(days).isoformat(),
        newest=format_time(latest),
        busiest=max(days.values()),
        days={day.isoformat(): n for day, n in sorted(recent.items())},
    )


def _columns(table: ir.Table, is_new: ir.BooleanValue, fetch: Fetch) -> dict[str, ColumnFigures]:
    names = [name for name in table.columns if name not in _IDS]
    if not names:
        return {}
    measures: dict[str, ir.Scalar] = {}
    for place, name in enumerate(names):
        column = table[name]
        measures[f"rows{place}"] = column.count()
        measures[f"known{place}"] = number_of(column).count()
        measures[f"constant{place}"] = column.min() == column.max()
    found = fetch(table.aggregate(**measures)).iloc[0]
    columns = {}
    for place, name in enumerate(names):
        rows = int(found[f"rows{place}"])
        figures = ColumnFigures(rows, constant=rows > 0 and bool(found[f"constant{place}"]))
        is_number = rows > 0 and int(found[f"known{place}"]) >= _NUMERIC_SHARE * rows
        columns[name] = _with_middles(figures, table, name, is_new, fetch) if is_number else figures
    return columns


def _with_middles(
    figures: ColumnFigures, table: ir.Table, name: str, is_new: ir.BooleanValue, fetch: Fetch
) -> ColumnFigures:
    """Find the medians among some hundred steps: exact ones would hold every number in memory."""
    size = number_of(table[name]).abs()
    steps = table.select(step=(size.nullif(0.0).ln() * _STEPS).floor().cast("int64"), new=is_new)
    counted = fetch(steps.drop_null("step").group_by(["step", "new"]).agg(n=lambda t: t.count()))
    new = counted[counted["new"].astype(bool)]
    return replace(
        figures,
        numbers=int(counted["n"].sum()),
        middle=_middle(counted),
        new_numbers=int(new["n"].sum()),
        new_middle=_middle(new),
    )


def _middle(counted: pd.DataFrame) -> float | None:
    """The step in which the median is, as a number of four digits."""
    if counted.empty:
        return None
    steps = counted.groupby("step")["n"].sum().sort_index()
    step = steps.index[int(np.searchsorted(steps.cumsum().to_numpy(), steps.sum() / 2))]
    return float(f"{math.exp((step + 0.5) / _STEPS):.4g}")


def _rows(events: ir.Table, is_new: ir.BooleanValue, latest_s: int, fetch: Fetch) -> tuple[Rows, Rows]:
    """Count rows, and those that repeat another, of midnight, of the last second; of all and of the new."""
    says = ibis.struct({name: events[name] for name in _told_by(events.columns)}).hash()
    seconds = _seconds(events)
    told = events.select(says=says, new=is_new, midnight=seconds % _DAY_S == 0, latest=seconds == latest_s)
    found = fetch(
        told.group_by("new").agg(
            rows=told.count(),
            distinct=told.says.nunique(),
            midnight=told.midnight.sum(),
            latest=told.latest.sum(),
        )
    )
    columns = (found[name].astype(int) for name in ("new", "rows", "distinct", "midnight", "latest"))
    by_age = {
        bool(new): Rows(rows, rows - distinct, midnight, latest)
        for new, rows, distinct, midnight, latest in zip(*(each.tolist() for each in columns), strict=True)
    }
    old, new = by_age.get(False, Rows()), by_age.get(True, Rows())
    # A row and its repetition have one time: both are old, or both are new.
    together = Rows(*(before + since for before, since in zip(astuple(old), astuple(new), strict=True)))
    return together, new


def _told_by(columns: Collection[str]) -> Sequence[str]:
    return [name for name in _SAYS_THE_SAME if name in columns]


def _days(events: ir.Table, fetch: Fetch) -> dict[date, int]:
    by_day = events.select(day=_seconds(events) // _DAY_S).group_by("day")
    frame = fetch(by_day.agg(n=lambda t: t.count()))
    epoch = date(1970, 1, 1)
    return {
        epoch + timedelta(days=int(day)): int(n) for day, n in zip(frame["day"], frame["n"], strict=True)
    }


def _seconds(events: ir.Table) -> ir.IntegerColumn:
    return events.occurred_at.epoch_seconds().floor().cast("int64")
