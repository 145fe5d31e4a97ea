"""How good the tables are: in check, in plans, syncs and their reports."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Shop, open_shop

from cohortd.pipeline import checking

PEOPLE = 480


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop with a few faults of every sort."""
    with open_shop(tmp_path, customers=PEOPLE) as found:
        for customer, email in (
            ("c00000", "info@shop.example.org"),
            ("c00003", "canary@gmial.com"),
            ("c00006", "canary@mailinator.com"),
            ("c00009", "canary.person12@example.com"),
            ("c00015", "canary"),
            ("c00018", ""),
        ):
            found.customers[customer]["email"] = email
        found.customers["c00018"]["postal_code"] = "canary"
        found.events.append({"customer_id": "stranger", "occurred_at": "2026-02-01T00:00:00Z"})
        found.write()
        yield found


def table(answer: dict, name: str) -> dict:
    (found,) = [each for each in answer["quality"] if each["table"] == name]
    return found


def field(quality: dict, name: str) -> dict:
    (found,) = [each for each in quality["fields"] if each["name"] == name]
    return found


def test_check_counts_what_is_amiss(shop: Shop) -> None:
    customers = table(shop.call("check", "--json").json, "customers")
    email = field(customers, "email")

    assert (email["rows"], email["present"]) == (PEOPLE - 1, PEOPLE - 1)
    assert email["platforms"]["google"] == {"valid": PEOPLE - 2, "invalid": {"no_at_sign": 1}}
    assert email["doubts"] == {"disposable": 1, "typing_error": 1, "role": 1}
    assert [email["duplicates"], email["shared"], email["sharing"]] == [1, 1, 2]
    # Every third person has no phone; c00018 has no address either.
    assert customers["keys"]["google"] == {"0": 1, "1": 1, "2": 158, "3+": 320}
    assert customers["score"] == 99


def test_every_source_has_a_score(shop: Shop) -> None:
    answer = shop.call("check", "--json").json

    assert {each["table"]: each["score"] for each in answer["quality"]} == {
        "customers": 99,
        "events": 100,
        "consent": 100,
    }
    assert set(answer) == {"status", "checks", "quality"}


def test_check_prints_tables_that_fit_a_hundred_columns(shop: Shop) -> None:
    said = shop.call("check").out.partition("\n\n")[2]

    assert "customers: score 99 of 100, 480 of 480 rows usable" in said
    assert "1 disposable, 3 other" in said
    assert max(map(len, said.splitlines())) <= 100
    assert "canary" not in said.lower()


def test_plan_and_sync_tell_the_same_as_check_and_know_strangers(shop: Shop) -> None:
    checked = table(shop.call("check", "--json").json, "customers")
    planned, synced = shop.call("plan", "--json").json, shop.sync().json

    assert table(planned, "customers") == table(synced, "customers") == checked
    assert table(planned, "events")["dropped"] == {"unknown_customer": 1}
    assert table(planned, "events")["score"] == 99


def test_the_report_of_a_run_shows_it(shop: Shop) -> None:
    run = shop.sync().json["run_id"]
    page = (shop.data_dir / "reports" / f"{run}.html").read_text(encoding="utf-8")
    data = json.loads((shop.data_dir / "reports" / f"{run}.json").read_text(encoding="utf-8"))

    assert "How good the data is" in page
    assert "99 of 100" in page
    assert table(data, "customers")["score"] == 99


def test_a_trace_says_by_how_many_keys_a_person_is_known(shop: Shop) -> None:
    shop.sync()
    decisions = shop.call("trace", "--customer", "c00018", "--json").json["decisions"]
    said = shop.call("trace", "--customer", "c00001").out

    assert {row["family"]: row["match_keys"] for row in decisions} == {"google": 0, "meta": 0}
    assert "known by 3 keys" in said


def test_of_many_customers_check_looks_at_the_first_and_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.folder / "more").mkdir()
    for number, half in enumerate((slice(0, 300), slice(300, None))):
        rows = list(shop.customers.values())[half]
        lines = [",".join(rows[0]), *[",".join(row.values()) for row in rows]]
        (shop.folder / "more" / f"{number}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shop.change(sources={"customers": {"path": "more/*.csv"}})
    monkeypatch.setattr(checking, "MOST_CUSTOMERS", 100)

    answer = shop.call("check", "--json").json

    assert (table(answer, "customers")["sampled"], table(answer, "customers")["rows"]) == (True, 300)
    assert any("480 of 480 rows usable" in line["detail"] for line in answer["checks"])
    assert "judged by its first 300 rows" in shop.call("check").out


def test_nothing_is_left_of_the_counting(shop: Shop) -> None:
    shop.call("check")
    shop.call("plan")

    assert list((shop.data_dir / "work").iterdir()) == []
