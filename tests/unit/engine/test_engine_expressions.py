"""Own expressions: what they compute, and all that they are not allowed."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from engine_events import AS_OF, random_events, stage_customers, stage_events

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import Impute
from cohortd.engine import Engine, OwnFeature, Vocabulary, resolve, with_own

WINDOW = timedelta(weeks=13)


def own(sql: str, name: str = "mine") -> Vocabulary:
    return Vocabulary(own_features=(OwnFeature(name, sql, "My feature", "high mine", "low mine"),))


def slug(column: pd.Series) -> pd.Series:
    return column.str.lower().str.replace(r"[\W_]+", "_", regex=True).str.strip("_")


def days_ago(own: pd.DataFrame) -> pd.Series:
    return (AS_OF - own.occurred_at.dt.floor("s")).dt.days


#: SQL -> the same in pandas.
EXPRESSIONS = {
    "avg(CASE WHEN value > 20 THEN 1.0 ELSE 0 END)": lambda own: (own.value > 20).mean(),
    "sum(value) / count(DISTINCT order_id)": lambda own: (
        own.value.sum() / own.order_id.nunique() if own.order_id.nunique() else np.nan
    ),
    "count(*) FILTER (WHERE category = 'Dairy & Eggs' OR channel IN ('WEB'))": lambda own: (
        (slug(own.category) == "dairy_eggs") | (own.channel == "web")
    ).sum(),
    "max(value * quantity) - min(value)": lambda own: (own.value * own.quantity).max() - own.value.min(),
    "median(duration_s)": lambda own: own.duration_s.median(),
    "count(value) + count(1) * 2": lambda own: own.value.count() + 2 * len(own),
    "sum(if(value BETWEEN 10 AND 20, quantity, NULL))": lambda own: own.quantity[
        own.value.between(10, 20)
    ].sum(),
    "avg(round(abs(value), 1)) FILTER (WHERE NOT (type IS NULL))": lambda own: (
        np.floor(own.value.abs() * 10 + 0.5) / 10
    )[own.type.notna()].mean(),
    "avg(hour(occurred_at)) + sum(extract(isodow FROM occurred_at) >= 6)": lambda own: (
        own.occurred_at.dt.hour.mean() + (own.occurred_at.dt.day_of_week >= 5).sum()
    ),
    "sum(coalesce(discount, 0) > 0 AND days_ago < 30)": lambda own: (
        (own.discount.fillna(0) > 0) & (days_ago(own) < 30)
    ).sum(),
    "count(*) FILTER (WHERE occurred_at >= '2024-02-01 12:00')": lambda own: (
        own.occurred_at >= pd.Timestamp("2024-02-01 12:00", tz="UTC")
    ).sum(),
    "sum(CASE type WHEN 'view' THEN 1 WHEN 'Purchase' THEN -greatest(quantity, 3) END)": lambda own: (
        (own.type == "view").sum() - own.quantity.fillna(3).clip(lower=3)[own.type == "purchase"].sum()
    ),
    "sqrt(sum(value % 7 + 7)) + ln(count(*))": lambda own: (
        np.sqrt((np.fmod(own.value, 7) + 7).sum()) + np.log(len(own))
    ),
    "sum(ln(value)) + sum(sqrt(value))": lambda own: (
        np.log(own.value[own.value > 0]).sum() + np.sqrt(own.value[own.value >= 0]).sum()
    ),
    "sum(value / (quantity - quantity))": lambda own: 0.0,
    "least(floor(sum(value)), ceil(-1.5), nullif(count(*), 1))::DOUBLE": lambda own: min(
        np.floor(own.value.sum()), -1.0
    ),
    "count(DISTINCT session_id) FILTER (WHERE channel <> category)": lambda own: own.session_id[
        own.channel.notna() & own.category.notna()
    ].nunique(),
}


def test_expressions_compute_what_they_say(tmp_path: Path):
    names = [f"mine_{number}" for number in range(len(EXPRESSIONS))]
    vocabulary = Vocabulary(
        own_features=tuple(OwnFeature(name, sql, "T") for name, sql in zip(names, EXPRESSIONS, strict=True))
    )
    events = random_events()
    with Engine.duckdb(tmp_path, vocabulary=vocabulary) as engine:
        found = compute(engine, events, [*names, "mine_0@4w"], vocabulary)
    seconds = events.occurred_at.dt.floor("s")
    window = events[(seconds < AS_OF) & (seconds >= AS_OF - WINDOW)]
    expected = pd.DataFrame(
        {
            name: {customer: by_hand(own) for customer, own in window.groupby("customer_id")}
            for name, by_hand in zip(names, EXPRESSIONS.values(), strict=True)
        }
    ).astype(float)

    pd.testing.assert_frame_equal(
        found[names], expected, check_names=False, check_index_type=False, rtol=1e-6, atol=1e-5
    )
    assert found["mine_0@4w"].isna().any()


def compute(engine: Engine, events: pd.DataFrame, names: list[str], vocabulary: Vocabulary) -> pd.DataFrame:
    staged = stage_events(engine, events)
    known = stage_customers(engine, {"customer_id": sorted(events.customer_id.unique())})
    specs = resolve(names, (), vocabulary)
    return engine.sample(engine.features(staged, known, specs, as_of=AS_OF, window=WINDOW), 10**6, "all")


def test_absurd_numbers_neither_stop_the_run_nor_get_out(tmp_path: Path):
    base = {"customer_id": ["a"] * 3, "occurred_at": [AS_OF - pd.Timedelta("1D")] * 3}
    events = pd.DataFrame(base | {"value": [1e300, -1e300, 0.0], "quantity": [1e300, 0.0, None]})
    parts = (
        "floor(sum(round(value)))", "max(value * value)", "avg(value * value)", "sum(1e400)",
        "sum(value % quantity)", "count(*) / (count(*) - 3)", "max(quantity) * max(quantity)",
    )  # fmt: skip
    vocabulary = Vocabulary(
        own_features=tuple(OwnFeature(f"f{i}", sql, "T") for i, sql in enumerate(parts))
    )
    with Engine.duckdb(tmp_path, vocabulary=vocabulary) as engine:
        found = compute(engine, events, [f"f{i}" for i in range(len(parts))], vocabulary)

    assert not np.isinf(found.to_numpy()).any()
    assert found.loc["a", "f0"] == 0


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("avg(value", "cannot be read as one SQL expression"),
        ("sum(value); sum(quantity)", "must be one expression, not 2"),
        ("  ", "must be one expression, not 0"),
        ("1", "must be an aggregate"),
        ("value", "value must stand inside one of sum"),
        ("sum(value) + quantity", "quantity must stand inside"),
        ("CASE WHEN type = 'x' THEN count(*) END", "type must stand inside"),
        ("sum(email)", "there is no column email; there are value"),
        ("count(customer_id)", "there is no column customer_id"),
        ("sum(e.value)", "table is not allowed"),
        ("sum(type)", "type is no number"),
        ("sum('x')", "'x' is no number"),
        ("sum(type > 'x')", "type is a text"),
        ("sum(type = 3)", "compared with a text"),
        ("sum(occurred_at > 5)", "compared with a time"),
        ("sum(occurred_at > 'soon')", "'soon' is no time"),
        ("max(sum(value))", r"sum\(\) cannot stand inside another"),
        ("sum(value) OVER ()", "WINDOW is not allowed"),
        ("sum(value ORDER BY quantity)", "ORDER is not allowed"),
        ("sum(DISTINCT value)", "DISTINCT is not allowed"),
        ("count(value, quantity)", "expressions is not allowed"),
        ("count(DISTINCT value, quantity)", "takes one column"),
        ("count()", "a value is missing"),
        ("sum(value::int)", "nothing but DOUBLE"),
        ("sum(round(value, quantity))", "plain number of digits"),
        ("sum(round(value, 99999999999))", "from 0 to 9"),
        ("sum(occurred_at > '0001-01-01T00:00+14:00')", "is no time"),
        ("sum(type IS TRUE)", "NULL only"),
        ("count(*) FILTER (WHERE type LIKE 'x')", "LIKE is no condition"),
        ("count(*) FILTER (WHERE value IN (SELECT 1))", "query is not allowed"),
        ("(SELECT sum(value) FROM read_csv('/etc/passwd'))", "SUBQUERY is not allowed"),
        ("sum(value) FROM events", "cannot be read"),
        ("sum((SELECT 1))", "SUBQUERY is not allowed"),
        ("sum(read_text('/etc/passwd'))", r"read_text\(\) is not allowed"),
        ("getenv('HOME')", r"getenv\(\) is not allowed"),
        ("COPY events TO 'x'", "COPY is not allowed"),
        ("ATTACH 'x'", "ATTACH is not allowed"),
        ("sum(random())", r"rand\(\) is not allowed"),
        ("sum(now())", r"now\(\) is not allowed"),
        ("list(value)", "is not allowed"),
        ("string_agg(type)", "is not allowed"),
        ("stddev(value)", "is not allowed"),
        ("sum($1)", "PLACEHOLDER is not allowed"),
        ("sum(" + "(" * 900 + "value" + ")" * 900 + ")", "cannot be read|nested too deeply"),
    ],
)
def test_what_is_not_an_aggregate_over_the_events_is_refused(sql, why):
    with pytest.raises(SettingsError, match=rf"segmentation\.expressions\.mine: .*({why})"):
        resolve(["mine"], (), own(sql))


def test_an_own_feature_is_described_by_its_settings():
    feature = OwnFeature("mine", "SUM(Value)", "My sum", "much", "little", True, Impute.ZERO)  # noqa: FBT003
    (spec,) = resolve(["mine"], (), Vocabulary(own_features=(feature,)))

    assert (spec.title, spec.needs) == ("My sum", ("occurred_at", "value"))
    assert (spec.high_word, spec.low_word) == ("much", "little")
    assert (spec.heavy_tail, spec.impute) == (True, Impute.ZERO)


def test_an_own_feature_is_added_unless_the_list_names_it():
    vocabulary = own("count(*)")

    for asked, names in (
        (["order_count"], ["order_count", "mine"]),
        (["mine@30d"], ["mine@30d"]),
        (["mine", "order_count"], ["mine", "order_count"]),
    ):
        specs = with_own(resolve(asked, (), vocabulary), vocabulary)
        assert [spec.name for spec in specs] == names


def test_an_unknown_name_may_be_near_an_own_one():
    with pytest.raises(SettingsError, match="did you mean mine"):
        resolve(["mines"], (), own("count(*)"))
