"""What a revocation by hand, an imported file and a trace say of people."""

from pathlib import Path

import pytest
from shop import Shop, grant, write_csv

WHO = "c00041"


def _import(shop: Shop, text: str, *, name: str = "handed-over.csv") -> tuple[int, dict]:
    file = shop.folder / name
    file.write_text(text)
    answer = shop.call("consent", "import", str(file), "--json")
    return answer.code, answer.json


def test_an_import_that_loses_a_withdrawal_falls_short_and_says_so(shop: Shop) -> None:
    code, said = _import(shop, "email,status,recorded_at\nnot-an-address,revoked,2026-02-01\n")

    assert code == 1
    assert said["notes"] == ["consent: 1 withdrawals name nobody that can be read; mend those rows"]


def test_a_row_that_was_taken_for_denied_is_not_counted_as_unusable(shop: Shop) -> None:
    code, said = _import(shop, f"customer_id,status,recorded_at\n{WHO},perhaps,2026-02-01\n")

    assert code == 0
    assert (said["new"], said["withdrawn"], said["taken_for_denied"], said["dropped"]) == (1, 1, 1, {})


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("customer_id,recorded_at", "no column status; it has customer_id, recorded_at."),
        ("status,recorded_at", "no column customer_id or email or phone; it has"),
    ],
)
def test_an_import_names_the_column_it_lacks_and_no_setting(shop: Shop, header: str, missing: str) -> None:
    code, said = _import(shop, f"{header}\na,b\n")

    assert code == 2
    assert missing in said["error"]
    assert "sources." not in said["error"]


def test_a_folder_is_not_imported(shop: Shop) -> None:
    (shop.folder / "many").mkdir()
    write_csv(shop.folder / "many" / "consent.csv", [grant(WHO, status="revoked")])
    answer = shop.call("consent", "import", str(shop.folder / "many"), "--json")

    assert answer.code == 2
    assert "is a folder; name one file" in answer.json["error"]


def test_a_revocation_of_nobody_we_know_is_recorded_and_says_so(shop: Shop) -> None:
    unknown = shop.call("revoke", "--customer", "c99999", "--json")
    mistyped = shop.call("revoke", "--email", "canary.nobody@example.com", "--json")
    known = shop.call("revoke", "--customer", WHO, "--json")

    assert [a.code for a in (unknown, mistyped, known)] == [0, 0, 0]
    assert "nobody of this id is known now" in unknown.json["notes"][0]
    assert "nobody of this email is known now" in mistyped.json["notes"][0]
    assert known.json["notes"] == []
    assert shop.query("SELECT count(*) FROM withdrawal WHERE lifted_at IS NULL") == [(3,)]


def test_a_trace_by_e_mail_finds_who_was_taken_back_and_erased_at_the_source(synced: Shop) -> None:
    email = synced.customers[WHO]["email"]
    revoked = synced.call("revoke", "--customer", WHO)
    synced.customers.pop(WHO)
    synced.events = [row for row in synced.events if row["customer_id"] != WHO]
    synced.consent = [row for row in synced.consent if row["customer_id"] != WHO]
    synced.write()
    synced.sync()
    trace = synced.call("trace", "--email", email, "--json")

    assert (revoked.code, trace.code) == (0, 0)
    assert {row["destination"] for row in trace.json["history"]} == {"google", "ads", "meta"}
    assert "confirmed" in {row["event"] for row in trace.json["removals"]}
    assert [row["status"] for row in trace.json["consent"]] == ["revoked"]


def _empty(shop: Shop) -> None:
    (shop.folder / "customers.csv").write_text("customer_id,email,phone\n")


def _no_json(shop: Shop) -> None:
    (shop.folder / "customers.json").write_text("{id: 1\nand so on\n")
    shop.change(sources={"customers": {"path": "customers.json"}})


def _folder_without_tables(shop: Shop) -> None:
    folder = Path(shop.folder / "tables")
    folder.mkdir()
    (folder / "read me.md").write_text("nothing here")
    shop.change(sources={"customers": {"path": "tables"}})


@pytest.mark.parametrize(
    ("happen", "said"),
    [
        (_empty, "customers: the table has no usable row"),
        (_no_json, "customers.json is no JSON array of objects, nor one object a line"),
        (_folder_without_tables, "no CSV, Parquet or JSON file in the folder"),
    ],
)
def test_a_table_without_customers_is_named_as_what_is_wrong(shop: Shop, happen: object, said: str) -> None:
    happen(shop)  # type: ignore[operator]
    answer = shop.call("sync", "--json")

    assert answer.code in (1, 2)
    assert said in answer.json["error"]
