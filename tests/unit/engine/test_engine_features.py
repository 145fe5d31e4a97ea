"""Every feature against a computation in pandas that shares nothing with it."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from engine_by_hand import WINDOW, by_hand
from engine_events import AS_OF, random_events, stage_customers, stage_events

from cohortd.core.errors import SettingsError
from cohortd.engine import Engine, Vocabulary, catalog, resolve
from cohortd.engine.context import CONTEXT_FAMILIES
from cohortd.engine.families import FAMILIES, FIXED_FAMILIES
from cohortd.engine.registry import DEFINITIONS


def computed(engine: Engine, events: pd.DataFrame, names, *, window=WINDOW, attributes=(), customers=None):
    staged = stage_events(engine, events)
    known = stage_customers(engine, customers or {"customer_id": sorted(events.customer_id.unique())})
    table = engine.features(staged, known, resolve(names, attributes), as_of=AS_OF, window=window)
    return engine.sample(table, 10**6, "all")


FEATURES = [name for name in catalog() if name not in {*FAMILIES, *FIXED_FAMILIES, *CONTEXT_FAMILIES}]
FIXED = [f"{name}:{slug}" for name, family in FIXED_FAMILIES.items() for slug in family.members]


def test_every_feature_equals_its_computation_by_hand(engine):
    names = [*FEATURES, *FIXED]
    found, expected = computed(engine, random_events(), names), by_hand()[names]

    pd.testing.assert_frame_equal(found, expected, check_index_type=False, rtol=1e-6, atol=1e-6)
    assert {"early", "holes"} <= set(found.index)
    assert "gone" not in found.index
    assert not np.isinf(found.to_numpy()).any()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 16))
@pytest.mark.parametrize("window", [WINDOW, timedelta(days=9), None])
def test_every_feature_equals_its_computation_by_hand_on_other_data(engine, seed, window):
    names = [*FEATURES, *FIXED]
    found = computed(engine, random_events(seed=seed), names, window=window)

    expected = by_hand(window, seed=seed)[names]
    pd.testing.assert_frame_equal(found, expected, check_index_type=False, rtol=1e-6, atol=1e-6)


def test_features_over_windows_of_their_own_equal_their_computation_by_hand(engine):
    names = [name for name in FEATURES if DEFINITIONS[name].has_windows]
    found = computed(engine, random_events(), [f"{name}@4w" for name in names])
    expected = by_hand(timedelta(weeks=4))[names].reindex(found.index)
    counted = [name for name in names if DEFINITIONS[name].empty == 0]
    expected[counted] = expected[counted].fillna(0.0)

    found.columns = names
    pd.testing.assert_frame_equal(found, expected, check_index_type=False, rtol=1e-6, atol=1e-6)
    assert set(found.index) == set(by_hand().index)


def test_a_share_of_two_windows_is_the_one_over_the_other(engine):
    names = ["value_sum@28d/13w", "value_sum@13w/all", "category_share:tea@4w/all", "activity_trend@all"]
    found = computed(engine, random_events(), names)
    month, quarter, ever = (by_hand(each) for each in (timedelta(weeks=4), WINDOW, None))
    expected = pd.DataFrame(
        {
            names[0]: month.value_sum.reindex(found.index).fillna(0.0)
            / quarter.value_sum.replace(0.0, np.nan),
            names[1]: quarter.value_sum / ever.value_sum.replace(0.0, np.nan).reindex(found.index),
            names[2]: month["category_share:tea"] / ever["category_share:tea"].replace(0.0, np.nan),
            names[3]: ever.activity_trend,
        },
        index=found.index,
    )

    pd.testing.assert_frame_equal(found, expected, check_index_type=False, rtol=1e-9)


def test_families_have_windows_too(engine):
    found = computed(engine, random_events(), ["device_share@4w", "weekday_share@4w"])

    expected = by_hand(timedelta(weeks=4)).reindex(found.index)
    assert list(found.columns)[:2] == ["device_share:phone@4w", "device_share:desktop@4w"]
    assert len(found.columns) == 9
    np.testing.assert_allclose(found["device_share:phone@4w"], expected["device_share:phone"])
    np.testing.assert_allclose(found["weekday_share:sunday@4w"], expected["weekday_share:sunday"])


@pytest.mark.parametrize(
    ("name", "hint"),
    [("tenure_days@30d", "tenure_days is not computed over windows"), ("value_sum@0d", "not from 1"),
     ("value_sum@30d/2w", "must be shorter"), ("value_sum@30", "there is no feature"),
     ("plan@30d", "there is no feature"), ("weekday_share:noday", "there is no feature")],
)  # fmt: skip
def test_a_window_that_makes_no_sense_is_refused(name, hint):
    with pytest.raises(SettingsError, match=hint):
        resolve([name], ("plan",))


def test_features_read_as_what_they_are():
    specs = resolve(["value_sum@30d", "order_value_mean@all", "value_sum@4w/all"], ())

    assert [spec.title for spec in specs] == [
        "Value of all events, over the last 30 days",
        "Value of an order, over all time",
        "Value of all events: the last 28 days as a share of all time",
    ]
    assert [spec.high_word for spec in specs] == [
        "big spenders in 30 days", "large orders in all time", "picking up"
    ]  # fmt: skip


def test_which_types_are_conversions_and_page_views_is_a_setting(tmp_path):
    events = pd.DataFrame(
        {
            "customer_id": ["a"] * 4,
            "occurred_at": [AS_OF - pd.Timedelta(days=day) for day in (4, 3, 2, 1)],
            "type": ["Demo Booked", "e-mail opened", "demo-booked", "e-mail opened"],
            "session_id": ["1", "2", "3", "3"],
        }
    )
    names = ["conversion_count", "conversion_rate", "touchpoints_mean", "page_views"]
    vocabulary = Vocabulary(conversion_types=("demo booked",), page_view_types=("E-Mail Opened",))
    with Engine.duckdb(tmp_path, vocabulary=vocabulary) as engine:
        found = computed(engine, events, names)
        alone = computed(engine, events, ["page_views"])

    assert alone.loc["a", "page_views"] == 2
    assert found.loc["a"].to_dict() == pytest.approx(
        {"conversion_count": 2, "conversion_rate": 2 / 3, "touchpoints_mean": 0.5, "page_views": 2}
    )


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


def test_contact_data_in_a_text_column_is_no_category_of_any_feature(engine):
    said = ["ann@example.org", "of ann@example.org", "+1 415 555 2671", "1234567", "toys"]
    events = pd.DataFrame(
        {"customer_id": "a", "occurred_at": AS_OF - pd.Timedelta("1D"), "category": [*said, *said, None]}
    )
    customers = {"customer_id": list("abcd"), "plan": ["gold", *said[:3]]}
    names = ["category_share", "plan"]
    found = computed(engine, events, names, attributes=("plan",), customers=customers)

    assert list(found.columns) == ["category_share:1234567", "category_share:toys", "plan:gold"]


def test_attributes_beside_event_features_only_describe_who_was_active(engine):
    events = pd.DataFrame({"customer_id": ["b"], "occurred_at": [AS_OF - pd.Timedelta("1D")]})
    names = ["event_count", "plan:gold"]
    found = computed(engine, events, names, attributes=("plan",), customers=ATTRIBUTES)

    assert found.to_dict("index") == {"b": {"event_count": 1.0, "plan:gold": 1.0}}


def test_nothing_to_compute_is_said(engine):
    events = pd.DataFrame({"customer_id": ["a"], "occurred_at": [AS_OF], "category": ["?!"]})

    with pytest.raises(SettingsError, match="none of the asked features"):
        computed(engine, events, ["category_share"])
