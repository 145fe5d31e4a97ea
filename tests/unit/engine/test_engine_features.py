"""Every feature against a computation in pandas that shares nothing with it."""

import functools
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from engine_events import AS_OF, random_events, stage_customers, stage_events

from cohortd.core.errors import SettingsError
from cohortd.engine import Engine, catalog, resolve
from cohortd.engine.families import FAMILIES

WINDOW = timedelta(weeks=13)


@functools.cache
def by_hand() -> pd.DataFrame:
    """Compute all features of the random events customer by customer."""
    events = random_events()
    history = events[events.occurred_at.dt.floor("s") < AS_OF]
    start = AS_OF - WINDOW
    window = history[history.occurred_at.dt.floor("s") >= start]
    rows = {}
    for customer, own in window.groupby("customer_id"):
        everything = history[history.customer_id == customer]
        rows[customer] = _one(own, everything, half=start + WINDOW / 2)
    return (
        pd.DataFrame.from_dict(rows, orient="index").rename_axis("customer_id").sort_index().astype(float)
    )


def _one(own: pd.DataFrame, everything: pd.DataFrame, *, half: pd.Timestamp) -> dict[str, float]:
    days = own.occurred_at.dt.floor("D")
    hour = own.occurred_at.dt.hour
    late = own.occurred_at.dt.floor("s") >= half
    orders, paid, off = own.order_id.nunique(), own.value.sum(), own.discount.abs().sum()
    slugs = {
        column: own[column].str.lower().str.replace(r"[\W_]+", "_", regex=True).str.strip("_")
        for column in ("category", "channel", "device", "type")
    }
    features = {
        "recency_days": (AS_OF - own.occurred_at.max().floor("s")).days,
        "tenure_days": (AS_OF - everything.occurred_at.min().floor("s")).days,
        "event_count": len(own),
        "order_count": orders,
        "session_count": own.session_id.nunique(),
        "value_sum": paid,
        "order_value_mean": paid / orders if orders else np.nan,
        "quantity_sum": own.quantity.sum(),
        "order_quantity_mean": own.quantity.sum() / orders if orders else np.nan,
        "active_days": days.nunique(),
        "interpurchase_days": (
            (days.max() - days.min()).days / (days.nunique() - 1) if len(set(days)) > 1 else np.nan
        ),
        "category_breadth": slugs["category"].nunique(),
        "duration_sum_s": own.duration_s.sum(),
        "value_trend": _trend(own.value[~late].sum(), own.value[late].sum()),
        "activity_trend": _trend((~late).sum(), late.sum()),
        "night_share": ((hour >= 22) | (hour < 6)).mean(),
        "evening_share": ((hour >= 18) & (hour < 22)).mean(),
        "weekend_share": (own.occurred_at.dt.day_of_week >= 5).mean(),
        "discount_share": off / (off + max(paid, 0)) if off + max(paid, 0) else np.nan,
    }
    for name, family in FAMILIES.items():
        for slug in ("dairy_eggs", "wine", "brot", "käse", "tea", "fish", "web", "store", "phone", "view"):
            features[f"{name}:{slug}"] = (slugs[family.column] == slug).mean()
    return features


def _trend(early: float, late: float) -> float:
    return (late - early) / (abs(early) + abs(late)) if early or late else np.nan


def computed(engine: Engine, events: pd.DataFrame, names, *, window=WINDOW, attributes=(), customers=None):
    staged = stage_events(engine, events)
    known = stage_customers(engine, customers or {"customer_id": sorted(events.customer_id.unique())})
    table = engine.features(staged, known, resolve(names, attributes), as_of=AS_OF, window=window)
    return engine.sample(table, 10**6, "all")


@pytest.mark.parametrize("name", [name for name in catalog() if name not in FAMILIES])
def test_each_feature_equals_its_computation_by_hand(engine, name):
    events = random_events()
    found, expected = computed(engine, events, [name]), by_hand()[[name]]

    pd.testing.assert_frame_equal(found, expected, check_index_type=False, rtol=1e-9)
    assert {"early", "holes"} <= set(found.index)
    assert "gone" not in found.index


@pytest.mark.parametrize(
    ("family", "members"),
    [
        # By rows: dairy_eggs is two spellings. The two smallest of seven categories stay out.
        ("channel_share", {"channel_share:web", "channel_share:store"}),
        ("device_share", {"device_share:phone", "device_share:desktop"}),
        ("type_share", {"type_share:view", "type_share:purchase"}),
    ],
)
def test_a_family_becomes_its_commonest_values(engine, family, members):
    events = random_events()
    found, expected = computed(engine, events, [family]), by_hand()

    assert set(found.columns) == members
    shared = sorted(members & set(expected.columns))
    pd.testing.assert_frame_equal(found[shared], expected[shared], check_index_type=False)


def test_categories_are_bounded_and_spellings_fall_together(engine):
    events = random_events()
    counts = events.category.str.lower().str.replace(r"[\W_]+", "_", regex=True).value_counts()
    expected = [
        f"category_share:{slug}"
        for slug in counts.sort_index().sort_values(ascending=False, kind="stable").index
    ]
    found = computed(engine, events, ["category_share"])

    assert list(found.columns) == expected[:5]
    assert found.columns[0] == "category_share:dairy_eggs"
    pd.testing.assert_frame_equal(found, by_hand()[list(found.columns)], check_index_type=False)


def test_a_model_can_ask_for_a_member_that_is_no_longer_common(engine):
    found = computed(engine, random_events(), ["category_share:tea", "category_share:never_seen"])

    assert found["category_share:tea"].max() > 0
    assert (found["category_share:never_seen"] == 0).all()


def test_a_sum_over_no_row_is_zero_and_not_absent(engine):
    found = computed(engine, random_events(), ["value_sum", "value_trend", "order_value_mean"])

    assert found.loc["holes", "value_sum"] == 0
    assert np.isnan(found.loc["holes", "value_trend"])
    assert np.isnan(found.loc["holes", "order_value_mean"])
    assert found.loc["early", "value_trend"] == -1


def test_fractions_of_a_second_are_cut_and_do_not_unsettle_a_day(engine):
    found = computed(engine, random_events(), ["recency_days"])

    assert found.loc["holes", "recency_days"] == 1  # half a second after midnight
    assert found.loc["early", "recency_days"] == 89  # a microsecond before


def test_the_window_includes_its_start_and_not_its_end(engine):
    times = [AS_OF - WINDOW - pd.Timedelta("1us"), AS_OF - WINDOW, AS_OF - pd.Timedelta("1us"), AS_OF]
    events = pd.DataFrame({"customer_id": list("abcd"), "occurred_at": times})

    assert list(computed(engine, events, ["event_count"]).index) == ["b", "c"]


def test_without_a_window_everything_before_counts(engine):
    events = random_events()
    found = computed(engine, events, ["event_count", "activity_trend"], window=None)
    before = events[events.occurred_at < AS_OF]

    assert found["event_count"].to_dict() == before.groupby("customer_id").size().to_dict()
    assert found.loc["gone", "activity_trend"] == -1


def test_nobody_in_the_window_makes_an_empty_table_with_its_columns(engine):
    events = pd.DataFrame(
        {"customer_id": ["a"], "occurred_at": [AS_OF + pd.Timedelta("1D")], "value": [1.0]}
    )
    for window in (WINDOW, None):
        found = computed(engine, events, ["value_sum", "tenure_days"], window=window)
        assert list(found.columns) == ["value_sum", "tenure_days"]
        assert found.empty


def test_no_events_at_all_make_an_empty_table(engine):
    import pyarrow as pa  # noqa: PLC0415 - only here

    schema = pa.schema(
        [
            ("customer_id", pa.string()),
            ("occurred_at", pa.timestamp("us", "UTC")),
            ("category", pa.string()),
        ]
    )
    events = engine.stage("events", [], schema)
    customers = stage_customers(engine, {"customer_id": ["a"]})
    table = engine.features(
        events, customers, resolve(["event_count", "category_share"], ()), as_of=AS_OF, window=None
    )

    assert (table.rows, table.columns) == (0, ("customer_id", "event_count"))


def test_events_of_unknown_customers_are_left_out_and_counted(engine):
    events = random_events()
    staged, known = stage_events(engine, events), stage_customers(engine, {"customer_id": ["c001", "c002"]})
    table = engine.features(staged, known, resolve(["event_count"], ()), as_of=AS_OF, window=None)

    assert list(engine.sample(table, 10, "x").index) == ["c001", "c002"]
    assert engine.unknown_customers(staged, known) == (~events.customer_id.isin(["c001", "c002"])).sum()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"order_id": ["o1", "o1", None], "session_id": ["s1", "s2", "s3"]}, 1),
        ({"session_id": ["s1", "s2", "s2"]}, 2),
        ({}, 3),
    ],
)
def test_an_order_is_an_order_id_else_a_session_else_a_row(engine, columns, expected):
    base = {"customer_id": ["a"] * 3, "occurred_at": [AS_OF - pd.Timedelta("1D")] * 3}

    assert computed(engine, pd.DataFrame(base | columns), ["order_count"])["order_count"].tolist() == [
        expected
    ]


def test_absurd_values_do_not_break_the_sum(engine):
    base = {"customer_id": ["a"] * 4, "occurred_at": [AS_OF - pd.Timedelta("1D")] * 4}
    events = pd.DataFrame(base | {"value": [1e300, -5.0, float("nan"), None]})

    assert computed(engine, events, ["value_sum"])["value_sum"].tolist() == [1e11 - 5]


ATTRIBUTES = {
    "customer_id": ["a", "b", "c", "d"],
    "score": ["1.5", "nan", "inf", None],
    "plan": ["Gold", "gold ", "Iron", None],
}


def test_attributes_are_numbers_or_the_commonest_of_their_values(engine):
    events = pd.DataFrame({"customer_id": ["a"], "occurred_at": [AS_OF - pd.Timedelta("1D")]})
    found = computed(engine, events, ["score", "plan"], attributes=("score", "plan"), customers=ATTRIBUTES)

    assert list(found.columns) == ["score", "plan:gold", "plan:iron"]
    assert found.index.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(found["score"], [1.5, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found["plan:gold"], [1, 1, 0, np.nan])


def test_attributes_beside_event_features_only_describe_who_was_active(engine):
    events = pd.DataFrame({"customer_id": ["b"], "occurred_at": [AS_OF - pd.Timedelta("1D")]})
    names = ["event_count", "plan:gold"]
    found = computed(engine, events, names, attributes=("plan",), customers=ATTRIBUTES)

    assert found.to_dict("index") == {"b": {"event_count": 1.0, "plan:gold": 1.0}}


def test_nothing_to_compute_is_said(engine):
    events = pd.DataFrame({"customer_id": ["a"], "occurred_at": [AS_OF], "category": ["?!"]})

    with pytest.raises(SettingsError, match="none of the asked features"):
        computed(engine, events, ["category_share"])
