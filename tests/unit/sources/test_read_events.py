from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cohortd.core.errors import SettingsError
from cohortd.sources import TableSource, Tally, read_events

UNTIL = datetime(2024, 6, 1, tzinfo=UTC)


def events(source, tally=None, *, until=UNTIL):
    return pa.Table.from_batches(list(read_events(source, tally or Tally("events"), until=until)))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-01-02", datetime(2024, 1, 2, tzinfo=UTC)),
        ("2024-01-02 03:04", datetime(2024, 1, 2, 3, 4, tzinfo=UTC)),
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02 03:04:05.1234567+02:00", datetime(2024, 1, 2, 1, 4, 5, 123456, tzinfo=UTC)),
        ("2024-01-02T03:04:05 -0330", datetime(2024, 1, 2, 6, 34, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05+02", datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)),
    ],
)
def test_times_are_read_with_or_without_offset(make_source, written, meant):
    source = make_source("events", f"customer_id,occurred_at\n1,{written}\n")

    assert events(source)["occurred_at"].to_pylist() == [meant]


@pytest.mark.parametrize(
    "written",
    ["1704164645", "1704164645000", "1712121212345", "20240102", "2024-02-30", "01/02/2024", "soon", "1.5"],
)
def test_epochs_and_ambiguous_times_are_unparsable(make_source, written):
    tally = Tally("events")
    table = events(make_source("events", f"customer_id,occurred_at\n1,{written}\n"), tally)

    assert table.num_rows == 0
    assert tally.dropped == {"unparsable_occurred_at": 1}


@pytest.mark.parametrize(
    ("written", "meant"), [("1.5", 1.5), ("-.5", -0.5), ("+3", 3.0), ("5.", 5.0), ("1e3", 1000.0)]
)
def test_plain_numbers_are_read(make_source, written, meant):
    source = make_source("events", f"customer_id,occurred_at,value\n1,2024-01-02,{written}\n")

    assert events(source)["value"].to_pylist() == [meant]


@pytest.mark.parametrize(
    "written", ['"1,000"', '"1,5"', "1_000", "0x10", "nan", "inf", "1e999", "€5", "5 5"]
)
def test_thousands_separators_and_infinities_are_unparsable(make_source, written):
    tally = Tally("events")
    table = events(make_source("events", f"customer_id,occurred_at,value\n1,2024-01-02,{written}\n"), tally)

    assert table.num_rows == 0
    assert tally.dropped == {"unparsable_value": 1}


def test_later_events_are_not_seen_and_no_fault(make_source):
    source = make_source(
        "events",
        "customer_id,occurred_at,value\n1,2024-06-01,1\n1,2024-06-01T00:00:00.000001Z,2\n1,2025-01-01,broken\n",
    )
    tally = Tally("events")

    assert events(source, tally)["value"].to_pylist() == [1.0]
    assert (tally.read, tally.kept, tally.later, tally.dropped) == (3, 1, 2, {})


def test_a_row_with_two_faults_is_counted_once(make_source):
    tally = Tally("events")
    events(make_source("events", "customer_id,occurred_at,value\n,never,much\n"), tally)

    assert tally.dropped == {"missing_customer_id": 1}


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        (
            pa.timestamp("ns"),
            datetime(2024, 1, 1, 0, 0, 0, 7),  # noqa: DTZ001
            datetime(2024, 1, 1, 0, 0, 0, 7, tzinfo=UTC),
        ),
        (
            pa.timestamp("s", "Europe/Berlin"),
            datetime(2024, 1, 1, tzinfo=UTC),
            datetime(2024, 1, 1, tzinfo=UTC),
        ),
        (pa.date32(), date(2024, 1, 2), datetime(2024, 1, 2, tzinfo=UTC)),
        (pa.date64(), date(2024, 1, 3), datetime(2024, 1, 3, tzinfo=UTC)),
        (pa.large_string(), "2024-01-05", datetime(2024, 1, 5, tzinfo=UTC)),
        (pa.int64(), 1704164645, None),
        (pa.float64(), 1704164645.0, None),
        (pa.time32("s"), time(1, 2), None),
    ],
)
def test_parquet_times_need_a_time_type(tmp_path, kind, value, meant):
    pq.write_table(
        pa.table({"customer_id": ["1"], "occurred_at": pa.array([value], kind)}), tmp_path / "e.parquet"
    )
    tally = Tally("events")
    found = events(TableSource("events", path=str(tmp_path / "e.parquet")), tally)[
        "occurred_at"
    ].to_pylist()

    assert found == ([] if meant is None else [meant])
    assert tally.dropped == ({"unparsable_occurred_at": 1} if meant is None else {})


def test_parquet_numbers_may_be_integers_decimals_or_nan(tmp_path):
    columns = {
        "customer_id": pa.array([7, 7, 7], pa.int32()),
        "occurred_at": pa.array([date(2024, 1, 1)] * 3),
        "value": pa.array([Decimal("1.25"), None, Decimal("-3.00")]),
        "quantity": pa.array([1, 2, None], pa.int8()),
        "discount": pa.array([0.5, float("nan"), float("inf")]),
    }
    pq.write_table(pa.table(columns), tmp_path / "e.parquet")
    tally = Tally("events")
    table = events(TableSource("events", path=str(tmp_path / "e.parquet")), tally)

    assert table["customer_id"].to_pylist() == ["7", "7"]
    assert table["value"].to_pylist() == [1.25, None]
    assert table["discount"].to_pylist() == [0.5, None]
    assert tally.dropped == {"unparsable_discount": 1}


def test_files_may_differ_in_order_and_in_optional_columns(tmp_path):
    (tmp_path / "2024-01.csv").write_text("customer_id,occurred_at,value\n1,2024-01-01,10\n")
    (tmp_path / "2024-02.csv").write_text("discount,value,occurred_at,customer_id\n1,20,2024-02-01,2\n")
    (tmp_path / "_SUCCESS").write_text("")
    table = events(TableSource("events", path=str(tmp_path / "*.csv")))

    assert table.schema.names == ["customer_id", "occurred_at", "value", "discount"]
    assert table.select(["customer_id", "value", "discount"]).to_pylist() == [
        {"customer_id": "1", "value": 10.0, "discount": None},
        {"customer_id": "2", "value": 20.0, "discount": 1.0},
    ]


def test_a_file_without_a_needed_column_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("customer_id,occurred_at\n1,2024-01-01\n")
    (tmp_path / "b.csv").write_text("customer,occurred_at\n1,2024-01-01\n")

    with pytest.raises(SettingsError, match=r"b\.csv has no column 'customer_id'"):
        events(TableSource("events", path=str(tmp_path)))


def test_e_mails_as_ids_never_get_past(make_source):
    with pytest.raises(SettingsError, match="e-mail"):
        events(make_source("events", "customer_id,occurred_at\nann@x.org,2024-01-01\n"))
