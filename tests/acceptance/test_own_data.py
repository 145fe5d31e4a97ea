"""A user's own tables: from ``init`` to the first sync, with the mistakes that people make."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from shop import DESTINATIONS, Answer, Shop
from wire import sha256

COMMANDS = (["check"], ["plan"], ["sync"], ["run", "--once"])


def _everywhere(shop: Shop, *, exits: int, says: str) -> list[Answer]:
    """Every command ends with this code and says this; nothing is sent."""
    answers = [shop.call(*command, "--json") for command in COMMANDS]
    checked = answers[0]
    assert [a.code for a in answers[1:]] == [exits] * 3, [a.out + a.err for a in answers]
    assert [a.out for a in answers if says not in a.out + a.err] == []
    assert checked.code in (1, exits)
    assert shop.held() == {}
    return answers


def test_the_written_example_is_edited_checked_planned_and_synced(shop: Shop) -> None:
    folder = shop.folder / "mine"
    made = shop.call("emulate", "--help").code, _init(shop, folder)
    text = (folder / "cohortd.yaml").read_text(encoding="utf-8")
    again = _init(shop, folder)
    settings = {
        **shop.settings,
        "sources": {n: {"path": f"../{n}.csv"} for n in ("customers", "events", "consent")},
    }
    (folder / "cohortd.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    shop.folder = folder
    answers = [shop.call(*command, "--json") for command in COMMANDS]

    assert made == (0, 0)
    assert again == 2
    assert "sources:" in text
    assert "destinations:" in text
    assert [a.code for a in answers] == [0, 0, 0, 0], [a.out for a in answers]
    assert [line["ok"] for line in answers[0].json["checks"]] == [True] * len(answers[0].json["checks"])
    assert (folder / "var" / "cohortd.db").exists()


def _init(shop: Shop, folder: Path) -> int:
    from cohortd.cli.entry import run  # noqa: PLC0415 - init takes no -c

    return run(["init", str(folder)])


def test_a_wrong_path_is_named(shop: Shop) -> None:
    shop.change(sources={"customers": {"path": "custmers.csv"}})

    _everywhere(shop, exits=2, says="custmers.csv")


def test_a_missing_column_is_named_with_what_the_file_has_and_the_nearest(shop: Shop) -> None:
    shop.customers = {
        c: {"costumer_id" if k == "customer_id" else k: v for k, v in row.items()}
        for c, row in shop.customers.items()
    }
    shop.write()

    _everywhere(shop, exits=2, says="costumer_id")


def test_a_mapped_column_that_is_not_there_is_named_with_the_nearest(shop: Shop) -> None:
    shop.change(
        sources={
            "customers": {
                "path": "customers.csv",
                "columns": {"customer_id": "customer_id", "email": "emial"},
            }
        }
    )

    _everywhere(shop, exits=2, says="emial")


def test_an_unknown_key_is_named_with_the_nearest(shop: Shop) -> None:
    shop.change(sorces={"customers": "customers.csv"})
    answers = [shop.call(*command, "--json") for command in COMMANDS]

    assert [a.code for a in answers] == [2] * 4
    assert [a.out for a in answers if "sorces" not in a.out or "sources" not in a.out] == []


def test_bad_yaml_is_told_by_its_line(shop: Shop) -> None:
    shop.config.write_text("data_dir: var\nsources: {customers: [\n", encoding="utf-8")
    answers = [shop.call(*command) for command in COMMANDS]

    assert [a.code for a in answers] == [2] * 4
    assert [a.err for a in answers if "line" not in a.err or "cohortd.yaml" not in a.err] == []
    assert [a.err for a in answers if "Traceback" in a.err] == []


def test_a_settings_file_that_is_not_there_is_told(shop: Shop) -> None:
    shop.config.unlink()

    assert {shop.call(*command).code for command in COMMANDS} == {2}


def test_bad_rows_are_counted_sampled_and_left_out(shop: Shop) -> None:
    shop.write()
    with (shop.folder / "customers.csv").open("a", encoding="utf-8", newline="") as file:
        row = shop.customers["c00005"]
        csv.writer(file).writerows(
            [list(row.values()), ["", *list(row.values())[1:]], ["c9", "too", "few"]]
        )
    shop.events += [{**shop.events[0], "occurred_at": "soon"}, {**shop.events[0], "value": "much"}]
    shop.events += [{**shop.events[0], "customer_id": "c99999"}]
    customers = (shop.folder / "customers.csv").read_text(encoding="utf-8")
    shop.write()
    (shop.folder / "customers.csv").write_text(customers, encoding="utf-8")
    checked, answer = shop.call("check"), shop.sync()
    report = next((shop.data_dir / "reports").glob("*.json")).read_text(encoding="utf-8")

    assert (checked.code, answer.code) == (0, 0), checked.out + answer.out
    assert "480 of 483 rows usable" in checked.out
    assert "duplicate" in report
    assert "unknown_customer" in report
    assert shop.on("google") == shop.expected(shop.customers, "google")


def test_parquet_json_and_patterns_give_what_csv_gives(shop: Shop) -> None:
    (shop.folder / "events").mkdir()
    half = len(shop.events) // 2
    for name, rows in (("a", shop.events[:half]), ("b", shop.events[half:])):
        pq.write_table(pa.Table.from_pylist(rows), shop.folder / "events" / f"{name}.parquet")
    pq.write_table(pa.Table.from_pylist(list(shop.customers.values())), shop.folder / "c.parquet")
    shop.change(sources={"customers": {"path": "c.parquet"}, "events": {"path": "events/*.parquet"}})
    answer = shop.sync()

    assert answer.code == 0, answer.out
    assert [shop.on(name) for name in DESTINATIONS] == [
        shop.expected(shop.customers, name) for name in DESTINATIONS
    ]


def test_mapped_columns_are_read_under_our_names_and_others_never(shop: Shop) -> None:
    rows = [
        {
            "id": row["customer_id"],
            "mail": row["email"],
            "email": "canary.never@example.com",
            "phone": row["phone"],
        }
        for row in shop.customers.values()
    ]
    pq.write_table(pa.Table.from_pylist(rows), shop.folder / "c.parquet")
    shop.change(
        sources={"customers": {"path": "c.parquet", "columns": {"customer_id": "id", "email": "mail"}}}
    )
    answer = shop.sync()

    assert answer.code == 0, answer.out
    assert shop.on("meta") == {f"email:{sha256(row['email'])}" for row in shop.customers.values()}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_person_may_have_several_addresses(shop: Shop, form: str) -> None:
    second = {c: f"canary.second.{c}@example.com" for c in shop.customers}
    if form == "csv":
        for customer, row in shop.customers.items():
            row["email"] = f"{row['email']}; {second[customer]}"
        shop.write()
    else:
        rows = [{**row, "email": [row["email"], second[c]]} for c, row in shop.customers.items()]
        pq.write_table(pa.Table.from_pylist(rows), shop.folder / "c.parquet")
        shop.change(sources={"customers": {"path": "c.parquet"}})
    answer = shop.sync()
    emails = {each for each in shop.on("meta") if each.startswith("email:")}

    assert answer.code == 0, answer.out
    assert len(emails) == 2 * len(shop.customers)
    assert {f"email:{sha256(each)}" for each in second.values()} <= emails


def test_a_changed_address_takes_the_old_one_out_and_brings_the_new_one_in(synced: Shop) -> None:
    old = synced.customers["c00005"]["email"]
    synced.customers["c00005"]["email"] = "canary.fresh@example.com"
    synced.write()
    answer = synced.sync()

    assert answer.code == 0, answer.out
    assert f"email:{sha256(old)}" not in synced.everything_held()
    for name in DESTINATIONS:
        assert synced.on(name) == synced.expected(synced.customers, name)


def test_a_customer_who_was_deleted_leaves_everywhere(synced: Shop) -> None:
    row = synced.customers.pop("c00005")
    synced.write()
    answer = synced.sync()

    assert answer.code == 0, answer.out
    assert f"email:{sha256(row['email'])}" not in synced.everything_held()
    for name in DESTINATIONS:
        assert synced.on(name) == synced.expected(synced.customers, name)
