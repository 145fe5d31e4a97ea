"""Staging, sampling, templates, and the same bytes for the same input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from engine_events import AS_OF, stage_customers

from cohortd.core.errors import SettingsError
from cohortd.core.modelling import CentroidModel, PreparedFeature
from cohortd.core.tables import CONTACT_FIELDS
from cohortd.engine import (
    TEMPLATES,
    Engine,
    OwnFeature,
    Vocabulary,
    available,
    catalog,
    connect,
    resolve,
)
from cohortd.engine.backend import DuckdbBackend


@pytest.mark.parametrize("field", CONTACT_FIELDS)
def test_no_contact_column_is_ever_staged(engine, tmp_path: Path, field):
    batch = pa.record_batch({"customer_id": ["1"], field: ["x"]})

    with pytest.raises(ValueError, match=f"never enter the engine: {field}"):
        engine.stage("customers", [batch])
    with pytest.raises(ValueError, match="never enter the engine"):
        engine.stage("customers", [batch], pa.schema([("customer_id", pa.string())]))
    assert not list((tmp_path / "work").glob("customers*"))


def test_a_staging_cut_short_keeps_what_was_there(engine):
    before = stage_customers(engine, {"customer_id": ["1"]})

    def broken():
        yield pa.record_batch({"customer_id": ["2"]})
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - the very one
        engine.stage("customers", broken())
    assert pd.read_parquet(before.path).customer_id.tolist() == ["1"]
    assert [file.name for file in before.path.parent.iterdir() if file.is_file()] == ["customers.parquet"]


def test_an_empty_table_is_staged_by_its_schema(engine):
    staged = engine.stage("events", [], pa.schema([("customer_id", pa.string())]))

    assert (staged.rows, staged.columns) == (0, ("customer_id",))
    with pytest.raises(ValueError, match="needs a schema"):
        engine.stage("events", [])


def test_batches_may_order_their_columns_differently(engine):
    batches = [
        pa.record_batch({"customer_id": ["1"], "a": ["x"]}),
        pa.record_batch({"a": ["y"], "customer_id": ["2"]}),
    ]

    assert pd.read_parquet(engine.stage("customers", batches).path).a.tolist() == ["x", "y"]
    with pytest.raises(ValueError, match="same columns"):
        engine.stage("customers", [*batches, pa.record_batch({"customer_id": ["3"]})])


def test_a_staged_name_cannot_leave_the_work_directory(engine):
    with pytest.raises(ValueError, match="cannot name"):
        engine.stage("../events", [])


def test_times_of_any_zone_are_staged_as_utc(engine):
    at = pd.Timestamp("2024-01-01 23:30", tz="America/New_York")
    batch = pa.record_batch(
        {"customer_id": ["1"], "occurred_at": pa.array([at], pa.timestamp("ns", "America/New_York"))}
    )
    staged = engine.stage("events", [batch])

    assert pd.read_parquet(staged.path).occurred_at.tolist() == [pd.Timestamp("2024-01-02 04:30")]


def many_events() -> pa.Table:
    """More customers than a row group holds, amounts whose sum depends on the order of adding."""
    rng = np.random.default_rng(5)
    rows, customers = 260_000, 130_000
    return pa.table(
        {
            "customer_id": pa.array(rng.permutation(rows) % customers).cast(pa.string()),
            "occurred_at": pa.array(rng.integers(1_704_067_200, 1_711_929_600, rows)).cast(
                pa.timestamp("s")
            ),
            "value": rng.normal(10, 1e6, rows),
            "discount": rng.exponential(1e-3, rows),
        }
    )


def run(workdir: Path, events: pa.Table, *, threads: int) -> list[bytes]:
    own = Vocabulary(own_features=(OwnFeature("thirds", "avg(value / 3) + median(discount)", "T"),))
    with Engine.duckdb(workdir, threads=threads, vocabulary=own) as engine:
        staged = engine.stage("events", events.to_batches(max_chunksize=65_536))
        known = engine.stage(
            "customers", [pa.record_batch({"customer_id": events["customer_id"].unique()})]
        )
        names = [
            *("value_sum", "discount_share", "value_trend", "tenure_days", "hour_sin", "return_share"),
            *("lifetime_progression", "value_sum@4w/all", "thirds"),
        ]
        features = engine.features(staged, known, resolve(names, (), own), as_of=AS_OF, window=None)
        model = CentroidModel(
            (PreparedFeature("value_sum", 0.0, log=True, center=3.0, scale=1.0),),
            ((-1.0,), (1.0,)), ("s1", "s2"), 0.15,
        )  # fmt: skip
        assigned = engine.assign(features, model, None)
        profile = engine.means(features, assigned).to_csv().encode()
        assert features.rows == 130_000
        return [features.path.read_bytes(), assigned.path.read_bytes(), profile]


def test_the_same_input_makes_the_same_bytes_for_any_number_of_threads(tmp_path: Path):
    events = many_events()

    assert run(tmp_path / "a", events, threads=2) == run(tmp_path / "b", events, threads=1)


def test_a_sample_is_the_same_for_the_same_text_and_spread_for_another(engine):
    frame = pd.DataFrame({"customer_id": [f"c{n}" for n in range(5000)], "x": range(5000)})
    staged = engine.stage("features", pa.Table.from_pandas(frame).to_batches())
    one, again, other = (engine.sample(staged, 500, text) for text in ("a", "a", "b"))

    assert engine.count(staged) == 5000
    pd.testing.assert_frame_equal(one, again)
    assert one.index.is_monotonic_increasing
    assert len(one) == len(other) == 500
    assert len(set(one.index) & set(other.index)) < 100
    assert abs(one.x.mean() - 2500) < 300
    assert set(engine.sample(staged, 100, "a").index) < set(one.index)


def test_nothing_is_fetched_at_run_time_and_spilling_stays_inside(tmp_path: Path):
    backend = DuckdbBackend(tmp_path, memory_limit="100MB", threads=1)
    setting = {
        name: backend._connection.raw_sql(f"select current_setting('{name}')").fetchone()[0]
        for name in (
            "autoinstall_known_extensions",
            "autoload_known_extensions",
            "temp_directory",
            "TimeZone",
        )
    }
    backend.close()

    assert setting["autoinstall_known_extensions"] is False
    assert setting["autoload_known_extensions"] is False
    assert setting["temp_directory"] == str(tmp_path / "spill")
    assert setting["TimeZone"] == "UTC"


def test_closing_leaves_no_spill_behind(tmp_path: Path):
    with Engine.duckdb(tmp_path / "work"):
        assert (tmp_path / "work" / "spill").is_dir()
    assert not (tmp_path / "work" / "spill").exists()


def test_an_engine_of_another_kind_is_a_fault_of_the_settings(tmp_path: Path):
    with pytest.raises(SettingsError, match="duckdb"):
        connect("spark", tmp_path)
    connect("duckdb", tmp_path).close()


def test_every_template_is_made_of_known_features():
    for name, features in TEMPLATES.items():
        assert [spec.name for spec in resolve(name, ())] == list(features)
    assert set(TEMPLATES["ecommerce"]) <= set(catalog())


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("ecomerce", "did you mean ecommerce"), (["order_cuont"], "did you mean order_count"),
     (["plann"], "did you mean plan"), (["plan", "zzz"], "known are"), ([], "at least one")],
)  # fmt: skip
def test_an_unknown_feature_names_the_nearest(asked, hint):
    with pytest.raises(SettingsError, match=hint):
        resolve(asked, ("plan",))


def test_lists_mix_templates_features_members_and_attributes_once_each():
    names = [
        spec.name
        for spec in resolve(
            ["ecommerce", "order_count", "plan", "plan:gold", "channel_share:web"], ("plan",)
        )
    ]

    assert names == [*TEMPLATES["ecommerce"], "plan", "plan:gold", "channel_share:web"]


def test_features_without_their_columns_say_which_are_missing():
    specs = resolve(["order_count", "discount_share", "plan", "category_share:tea"], ("plan",))
    usable, unusable = available(specs, ["customer_id", "occurred_at", "value"], ["customer_id"])

    assert [spec.name for spec in usable] == ["order_count"]
    assert {spec.name: why for spec, why in unusable} == {
        "discount_share": "events has no column discount",
        "plan": "customers has no column plan",
        "category_share:tea": "events has no column category",
    }
