"""What only a broken source does is told from what shops do, by the engine's figures."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from cohortd.core.figures import TableFigures
from cohortd.core.times import parse_time
from cohortd.engine import Engine
from cohortd.pipeline.anomalies import AnomalyLimits, find_anomalies

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Row = dict[str, object]


def events_until(end: datetime, *, days: int = 60, a_day: int = 260) -> list[Row]:
    """The same ones on the same days, whenever they are looked at."""
    first = int((end - timedelta(days=days)).timestamp()) // 86_400
    return [
        {
            "customer_id": f"c{(day * 7 + n) % 50}",
            "occurred_at": datetime.fromtimestamp(day * 86_400 + 3600 + n * 300, UTC),
            "value": 5.0 + (day * 13 + n) % 40,
            "category": "tea" if n % 3 else "wine",
        }
        for day in range(first, int(end.timestamp()) // 86_400)
        for n in range(a_day)
    ]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine.duckdb(tmp_path / "work", threads=1) as opened:
        yield opened


class Watcher:
    """Looks as one run after the other does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.before: dict[str, TableFigures] = {}

    def look(self, events: list[Row], plans: list[str] | None = None, *, later: int = 0) -> list[str]:
        """What is amiss since the last look."""
        plans = plans or ["gold", "silver"]
        people = pa.RecordBatch.from_pylist(
            [{"customer_id": f"c{n}", "plan": plans[n % len(plans)], "points": str(n)} for n in range(50)]
        )
        known = self.before.get("events")
        figures = self._engine.figures(
            self._engine.stage("events", [pa.RecordBatch.from_pylist(events)]),
            self._engine.stage("customers", [people]),
            since=parse_time(known.newest) if known is not None else None,
            later=later,
        )
        stops = find_anomalies(figures, self.before, AnomalyLimits(), time_went_on=True)
        kept = json.loads(json.dumps([each.as_json() for each in figures]))
        self.before = {each["table"]: TableFigures.of_json(each) for each in kept}
        return [stop.detail for stop in stops]


@pytest.fixture
def watcher(engine: Engine) -> Watcher:
    return Watcher(engine)


def newer(change: Callable[[Row], Row]) -> list[Row]:
    """A week more, whose rows the source has broken."""
    week = events_until(NOW + timedelta(days=7), days=7)
    return [*events_until(NOW), *map(change, week)]


def test_a_shop_that_goes_on_as_ever_is_never_stopped(watcher: Watcher) -> None:
    for day in (0, 1, 2, 9, 40, 110):
        assert watcher.look(events_until(NOW + timedelta(days=day), days=60 + day)) == []


def test_a_table_that_holds_only_its_last_weeks_is_never_stopped(watcher: Watcher) -> None:
    for day in range(0, 30, 5):
        assert watcher.look(events_until(NOW + timedelta(days=day), days=28)) == []


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            newer(lambda row: row | {"value": float(str(row["value"])) * 100}),
            "events.value: the median of the new rows is about",
        ),
        (
            newer(lambda row: row | {"occurred_at": row["occurred_at"].replace(hour=0, minute=0)}),  # type: ignore[attr-defined]
            "events.occurred_at: 100.0% of the 1,820 new rows are of midnight; at the last sync 0.0%",
        ),
        (
            newer(dict) + events_until(NOW + timedelta(days=7), days=7),
            "events: 50.0% of the 3,640 new rows only repeat another (same customer, time and amounts)",
        ),
        (
            events_until(NOW) + events_until(NOW + timedelta(days=7), days=2),
            "events.occurred_at: 5 days without any event, and later ones have some: 2026-03-01 to",
        ),
        (
            newer(lambda row: row | {"occurred_at": NOW + timedelta(days=6, hours=5)}),
            "events.occurred_at: 100.0% of the 1,820 new rows are of one second",
        ),
        (
            [
                row | {"occurred_at": NOW - timedelta(seconds=n + 1)}
                for n, row in enumerate(events_until(NOW))
            ],
            "events.occurred_at: 100.0% of the rows are of one day",
        ),
    ],
    ids=["cents", "times of day", "twice", "gap", "one second", "one day"],
)
def test_a_broken_week_is_told_although_the_year_before_it_is_fine(
    watcher: Watcher, rows: list[Row], told: str
) -> None:
    usual = watcher.look(events_until(NOW))
    said = watcher.look(rows)

    assert usual == []
    assert [each for each in said if each.startswith(told)], said


def test_an_attribute_that_went_constant_is_told(watcher: Watcher) -> None:
    watcher.look(events_until(NOW))

    assert watcher.look(events_until(NOW), ["gold"]) == [
        "customers.plan: all 50 rows say the same; at the last sync they differed"
    ]


def test_what_one_look_told_is_usual_to_the_next(watcher: Watcher) -> None:
    cents = [row | {"value": float(str(row["value"])) * 100} for row in events_until(NOW)]
    watcher.look(events_until(NOW))

    assert [len(watcher.look(cents)) for _ in range(2)] == [1, 0]


def test_looking_back_in_time_says_nothing_of_days(engine: Engine) -> None:
    watcher = Watcher(engine)
    watcher.look(events_until(NOW))
    customers = engine.stage("customers", [pa.RecordBatch.from_pylist([{"customer_id": "c1"}])])
    events = engine.stage("events", [pa.RecordBatch.from_pylist(events_until(NOW - timedelta(days=30)))])
    figures = engine.figures(events, customers, since=None, later=900)

    assert len(find_anomalies(figures, watcher.before, AnomalyLimits(), time_went_on=True)) == 2
    assert find_anomalies(figures, watcher.before, AnomalyLimits(), time_went_on=False) == ()
