"""Where tables are: files of all kinds, and queries."""

import gzip
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from cohortd.core.errors import SettingsError, SourceError
from cohortd.sources import TableSource, Tally, columns_of, read_customers, read_events


def ids(source):
    batches = read_customers(source, Tally(source.name))
    return [value for batch in batches for value in batch.column("customer_id").to_pylist()]


def customers_at(path, **options):
    return TableSource("customers", path=str(path), **options)


def test_one_file_a_glob_and_a_directory_are_read_in_the_order_of_their_paths(tmp_path: Path):
    (tmp_path / "b.csv").write_text("customer_id\nb\n")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"customer_id\na\n"))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.jsonl").write_text('{"customer_id": "c"}\n')
    (tmp_path / ".hidden.csv").write_text("customer_id\nhidden\n")
    (tmp_path / "notes.md").write_text("no table")

    assert ids(customers_at(tmp_path / "a.csv.gz")) == ["a"]
    assert ids(customers_at(tmp_path / "*.csv")) == ["b"]
    assert ids(customers_at(tmp_path / "**/*.jsonl")) == ["c"]
    assert ids(customers_at(tmp_path / "[!b]*.csv*")) == ["a"]
    assert ids(customers_at(tmp_path)) == ["a", "b", "c"]
    assert ids(customers_at(f"file://{tmp_path}/?.csv")) == ["b"]


def test_a_file_of_another_ending_needs_its_format_said(tmp_path: Path):
    (tmp_path / "export.dat").write_text("customer_id\n1\n")

    with pytest.raises(SettingsError, match="format"):
        ids(customers_at(tmp_path / "export.dat"))
    assert ids(customers_at(tmp_path / "export.dat", format="csv")) == ["1"]


@pytest.mark.parametrize("missing", ["nope.csv", "nope/*.csv", "*.parquet"])
def test_a_path_without_files_is_a_fault_of_the_settings(tmp_path: Path, missing):
    with pytest.raises(SettingsError, match="no file at"):
        ids(customers_at(tmp_path / missing))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("cut.csv.gz", gzip.compress(b"customer_id\n" + b"12345\n" * 1000)[:40]),
        ("text.parquet", b"customer_id\n1\n"),
        ("cut.parquet", b"PAR1abc"),
    ],
    ids=["cut.csv.gz", "text.parquet", "cut.parquet"],
)
def test_damaged_files_are_named(tmp_path: Path, file, content):
    (tmp_path / file).write_bytes(content)

    with pytest.raises(SourceError, match=file) as caught:
        ids(customers_at(tmp_path / file))
    assert caught.value.__suppress_context__


def test_an_object_store_out_of_reach_does_not_print_its_credentials():
    with pytest.raises((SettingsError, SourceError)) as caught:
        ids(customers_at("nostore://key:secret@bucket/customers.csv"))
    assert "secret" not in str(caught.value)


def test_columns_of_several_files_are_listed_together(tmp_path: Path):
    (tmp_path / "a.csv").write_text("x,y\n")
    (tmp_path / "b.json").write_text('[{"y": 1}, {"z": 2}]')

    assert columns_of(customers_at(tmp_path)) == ["x", "y", "z"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("create table orders (who integer, at text, paid real, kind text)")
    connection.executemany(
        "insert into orders values (?, ?, ?, ?)",
        [
            (1, "2024-01-01 10:00:00", 1.5, "100%"),
            (2, "2024-01-01T10:00:00+02:00", 2, "a:b"),
            (3, 1704164645, 3, ""),
        ],
    )
    connection.commit()
    connection.close()
    return path


def sql_events(database: Path, query: str) -> TableSource:
    return TableSource(
        "events",
        url=f"sqlite:///{database}",
        query=query,
        columns={"customer_id": "who", "occurred_at": "at", "value": "paid", "category": "kind"},
    )


def test_a_query_is_streamed_as_written(database: Path):
    source = sql_events(database, "select * from orders where kind not like '%:y%' -- :no %s parameter")
    tally = Tally("events")
    rows = pa.Table.from_batches(
        list(read_events(source, tally, until=datetime(2025, 1, 1, tzinfo=UTC)))
    ).to_pylist()

    assert columns_of(source) == ["who", "at", "paid", "kind"]
    assert rows == [
        {
            "customer_id": "1",
            "occurred_at": datetime(2024, 1, 1, 10, tzinfo=UTC),
            "category": "100%",
            "value": 1.5,
        },
        {
            "customer_id": "2",
            "occurred_at": datetime(2024, 1, 1, 8, tzinfo=UTC),
            "category": "a:b",
            "value": 2.0,
        },
    ]
    assert tally.samples == [{"row": 3, "reason": "unparsable_occurred_at"}]


def test_a_query_never_writes(database: Path):
    source = sql_events(database, "delete from orders returning who, at, paid, kind")
    list(read_events(source, Tally("events"), until=datetime(2025, 1, 1, tzinfo=UTC)))

    connection = sqlite3.connect(database)
    assert connection.execute("select count(*) from orders").fetchone() == (3,)
    connection.close()


def test_a_failed_query_says_what_is_missing_and_nothing_of_the_url(database: Path):
    with pytest.raises(SourceError, match="no such table: nowhere") as caught:
        columns_of(sql_events(database, "select * from nowhere"))
    assert str(database) not in str(caught.value)


def test_a_mistyped_database_file_is_not_created(tmp_path: Path):
    with pytest.raises(SettingsError, match="no database file"):
        columns_of(sql_events(tmp_path / "shpo.db", "select 1"))
    assert not (tmp_path / "shpo.db").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "no SQLAlchemy URL"),
        ("nosuchdb://user:secret@host/x", "no SQLAlchemy URL"),
        ("oracle+nosuchdriver://user:secret@host/x", "."),
        (None, "both url and query"),
    ],
)
def test_a_wrong_url_is_told_without_its_password(url, message):
    with pytest.raises(SettingsError, match=message) as caught:
        columns_of(TableSource("events", url=url, query="select 1"))
    assert "secret" not in str(caught.value)
