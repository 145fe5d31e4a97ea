"""Features of what days were like, against a computation by hand."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from engine_events import AS_OF, random_events, stage_customers, stage_events

from cohortd.engine import Engine, OwnFeature, Vocabulary, available, meaning_of, resolve

WINDOW = timedelta(weeks=13)
NAMES = ["context_mean", "context_lift:temperature", "context_mean:temperature@4w"]


def weather(*, places: tuple[str, ...] = ()) -> pd.DataFrame:
    """A year of days, some without a temperature, one missing, one twice."""
    rng = np.random.default_rng(7)
    days = [date(2023, 8, 1) + timedelta(days=number) for number in range(365) if number != 200]
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "date": days,
                    **({"place": place} if place else {}),
                    "temperature": rng.normal(number, 8, len(days)).round(1),
                    "is_holiday": (rng.random(len(days)) < 0.1).astype(float),
                }
            )
            for number, place in enumerate(places or ("",))
        ]
    )
    frame.loc[rng.random(len(frame)) < 0.05, "temperature"] = None
    twice = frame.iloc[[230]].assign(temperature=30.0)
    return pd.concat([frame, twice], ignore_index=True).sample(frac=1, random_state=1)


def by_hand(events: pd.DataFrame, days: pd.DataFrame, window: timedelta) -> pd.DataFrame:
    """*events* with a ``place`` where *days* have one."""
    keys = [name for name in ("date", "place") if name in days]
    days = days.groupby(keys, as_index=False).mean()
    seconds = events.occurred_at.dt.floor("s")
    own = events[(seconds < AS_OF) & (seconds >= AS_OF - window)].copy()
    own["date"] = own.occurred_at.dt.date
    active = own[["customer_id", *keys]].drop_duplicates().merge(days, on=keys)
    span = days[(days.date >= (AS_OF - window).date()) & (days.date < AS_OF.date())]
    usual = span.groupby("place").temperature.mean() if "place" in span else span.temperature.mean()
    active["usual"] = (active.place.map(usual) if "place" in span else usual) + 0 * active.temperature
    means = active.groupby("customer_id")[["temperature", "is_holiday", "usual"]].mean()
    return pd.DataFrame(
        {
            "context_mean:temperature": means.temperature,
            "context_mean:is_holiday": means.is_holiday,
            "context_lift:temperature": means.temperature - means.usual,
        }
    )


@pytest.mark.parametrize("place", ["", "region", "channel"])
def test_context_features_equal_their_computation_by_hand(tmp_path: Path, place: str):
    events = random_events()
    days = weather(places=("web", "store") if place else ())
    regions = {name: ["Web", "store ", None][number % 3] for number, name in enumerate(everybody(events))}
    with Engine.duckdb(tmp_path, vocabulary=Vocabulary(place=place)) as engine:
        customers = {"customer_id": list(regions), "region": list(regions.values())}
        table = engine.features(
            stage_events(engine, events),
            stage_customers(engine, customers),
            resolve(NAMES, (), Vocabulary(place=place)),
            as_of=AS_OF,
            window=WINDOW,
            context=engine.stage("context", pa.Table.from_pandas(days, preserve_index=False).to_batches()),
        )
        found = engine.sample(table, 10**6, "all")
    if place:
        events["place"] = (
            events.channel if place == "channel" else events.customer_id.map(regions)
        ).str.strip()
        events["place"] = events.place.str.lower()
    expected = by_hand(events, days, WINDOW)
    recent = by_hand(events, days, timedelta(weeks=4))["context_mean:temperature"]

    expected["context_mean:temperature@4w"] = recent
    pd.testing.assert_frame_equal(
        found, expected.reindex(found.index), check_like=True, check_index_type=False, rtol=1e-5, atol=1e-5
    )
    assert found["context_mean:temperature"].notna().sum() > 20


def everybody(events: pd.DataFrame) -> list[str]:
    return sorted(events.customer_id.unique())


@pytest.mark.parametrize(
    ("place", "customers", "events", "context", "why"),
    [
        ("", ["customer_id"], ["occurred_at"], ["date"], "context has no column temperature"),
        ("", ["customer_id"], ["occurred_at"], [], "there is no table sources.context"),
        ("region", ["customer_id"], ["occurred_at"], ["date", "place", "temperature"],
         "customers has no column region"),
        ("channel", ["customer_id"], ["occurred_at"], ["date", "temperature"],
         "context has no column place; events has no column channel"),
    ],
)  # fmt: skip
def test_a_context_feature_says_which_column_it_lacks(place, customers, events, context, why):
    specs = resolve(["context_mean:temperature"], (), Vocabulary(place=place))
    usable, unusable = available(specs, events, customers, context)

    assert usable == []
    assert [reason for _, reason in unusable] == [why]


def test_a_family_without_a_context_is_left_out_whole():
    usable, unusable = available(resolve(["context_lift"], ()), ["occurred_at"], ["customer_id"])

    assert usable == []
    assert [reason for _, reason in unusable] == ["there is no table sources.context"]


def test_what_a_feature_means_follows_the_settings():
    own = OwnFeature("mine", "count(*)", "T")
    vocabulary = Vocabulary(("won",), ("seen",), (own,), "region")

    names = ["mine@30d", "conversion_rate", "page_views", "context_mean:rain", "value_sum"]
    assert [meaning_of(name, vocabulary) for name in names] == ["count(*)", "won", "seen", "by region", ""]
