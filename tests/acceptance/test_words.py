"""What people write is shown as they wrote it, and what is wrong is said with what to do."""

import io
import json
import sys
from typing import Final
from unittest.mock import patch

import pytest
from shop import Shop, add_customer

from cohortd.cli.entry import run
from cohortd.core.errors import FatalError
from connectors.meta.connector import MetaConnector

BRACKETS: Final = "VIP [/b] people [i]"


def test_brackets_in_a_name_are_shown_as_they_are(shop: Shop) -> None:
    shop.change(audiences={"names": {"s1": BRACKETS}})
    recluster, plan = shop.call("recluster", "--force"), shop.call("plan")

    assert (recluster.code, plan.code) == (0, 0)
    assert BRACKETS in recluster.out
    assert BRACKETS in plan.out


def test_brackets_in_a_customer_id_are_shown_as_they_are(shop: Shop) -> None:
    made = add_customer(shop, 480)
    shop.customers["x[/b]"] = shop.customers.pop(made) | {"customer_id": "x[/b]"}
    shop.write()
    shop.sync()
    trace = shop.call("trace", "--customer", "x[/b]")

    assert trace.code == 0
    assert "x[/b]" in trace.out


def test_an_export_to_where_nothing_can_be_written_ends_with_2(synced: Shop) -> None:
    answer = synced.call("log", "export", "-o", "/no/such/folder/log.csv")

    assert answer.code == 2
    assert "cannot write /no/such/folder/log.csv" in answer.err


def test_an_audience_that_cannot_be_read_leaves_the_others_to_be_read(synced: Shop) -> None:
    gone = FatalError("gone", cure="x", scope="audience")
    before = synced.query("SELECT max(checked_at) FROM remote")[0][0]
    with patch.object(MetaConnector, "read", side_effect=gone):
        synced.sync()
    read = dict(synced.query("SELECT destination, min(checked_at) FROM remote GROUP BY 1"))

    assert read["meta"] <= before
    assert read["google"] > before
    assert read["ads"] > before


def test_check_has_a_cure_where_something_is_wrong_and_only_there(shop: Shop) -> None:
    shop.settings["destinations"][0]["endpoint"] = "grpc://127.0.0.1:1"
    shop.write()
    lines = shop.call("check", "--json").json["checks"]
    bad = [line for line in lines if not line["ok"]]

    assert [line["subject"] for line in bad] == ["destination google: access"]
    assert "endpoint" in bad[0]["cure"]
    assert {line["cure"] for line in lines if line["ok"]} == {""}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"s1": "Diabetes patients"}, "may pass for a personal attribute"),
        ({"s99": "Regulars"}, "there is no segment s99"),
    ],
)
def test_names_that_may_be_flagged_or_name_nothing_are_told(
    synced: Shop, names: dict[str, str], said: str
) -> None:
    synced.change(audiences={"names": names})
    plan, check = synced.call("plan"), synced.call("check")

    assert said in plan.out
    assert check.code == 1
    assert said in check.out


def test_a_ledger_that_is_no_database_is_named(shop: Shop) -> None:
    garbage = shop.folder / "garbage.db"
    garbage.write_bytes(b"no database at all\n" * 1000)
    shop.change(database=f"sqlite:///{garbage}")
    answer = shop.call("status")

    assert answer.code == 1
    assert str(garbage) in answer.err


def test_a_database_that_is_none_is_told_what_can_be_one(shop: Shop) -> None:
    shop.change(database="hello")
    answer = shop.call("status")

    assert answer.code == 2
    assert "must be sqlite:///FILE" in answer.err


def test_bytes_that_are_no_text_have_a_reason_and_no_hash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Val\xe9ry\n")))
    run(["normalize", "--platform", "meta", "--field", "first_name"])

    assert json.loads(capsys.readouterr().out) == {
        "normalized": None,
        "sha256": None,
        "reason": "not_unicode_text",
    }


def test_a_region_that_is_no_country_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["normalize", "--platform", "meta", "--field", "phone", "--region", "XX"])

    assert code == 2
    assert "no country" in capsys.readouterr().err
