"""Law 8: the same input makes no work, and a small change moves few people."""

import os
import random
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shop import LAST_DAY, Shop


def _quiet(shop: Shop) -> tuple[int, dict]:
    """How many calls carried members so far, and what is where."""
    return sum(shop.wire.sent().values()), shop.held()


def _shuffle(shop: Shop) -> None:
    chance = random.Random(3)
    shop.customers = dict(chance.sample(list(shop.customers.items()), len(shop.customers)))
    shop.events = chance.sample(shop.events, len(shop.events))
    shop.consent = chance.sample(shop.consent, len(shop.consent))
    shop.write()


def _touch(shop: Shop) -> None:
    for file in shop.folder.glob("*.csv"):
        os.utime(file, (1, 1))


def _turn_columns(shop: Shop) -> None:
    shop.customers = {c: dict(reversed(row.items())) for c, row in shop.customers.items()}
    shop.events = [dict(reversed(row.items())) for row in shop.events]
    shop.write()


def _as_parquet(shop: Shop) -> None:
    for name, rows in (("customers", shop.customers.values()), ("events", shop.events)):
        pq.write_table(pa.Table.from_pylist(list(rows)), shop.folder / f"{name}.parquet")
    shop.change(sources={"customers": {"path": "customers.parquet"}, "events": {"path": "events.parquet"}})


def _repeat_consent(shop: Shop) -> None:
    shop.consent += shop.consent[:100]
    shop.write()


def _write_emails_otherwise(shop: Shop) -> None:
    for row in shop.customers.values():
        row["email"] = f" {row['email'].upper()}"
    shop.write()


@pytest.mark.parametrize(
    "meanwhile",
    [_touch, _shuffle, _turn_columns, _as_parquet, _repeat_consent, _write_emails_otherwise],
    ids=lambda meanwhile: meanwhile.__name__.strip("_"),
)
def test_a_second_sync_over_the_same_data_sends_nothing(synced: Shop, meanwhile: object) -> None:
    before = _quiet(synced)
    meanwhile(synced)  # type: ignore[operator]
    synced.ahead += timedelta(hours=1)
    answer = synced.sync()

    assert answer.code == 0, answer.out + answer.err
    assert {(a["added"], a["removed"], a["pending"]) for a in answer.json["audiences"]} == {(0, 0, 0)}
    assert _quiet(synced) == before


def test_a_second_sync_in_another_process_and_three_days_later_send_nothing(synced: Shop) -> None:
    before = _quiet(synced)
    apart = synced.call_apart("sync", "--wait", "--timeout", "30", "--json")
    synced.ahead += timedelta(days=3)
    later = synced.sync()
    once = synced.call("run", "--once", "--wait", "--timeout", "30", "--json")
    status = synced.call("status", "--json")

    assert (apart.code, later.code, once.code) == (0, 0, 0), apart.err + later.err + once.err
    assert _quiet(synced) == before
    assert {*once.json["jobs"]} == {job["name"] for job in status.json["jobs"]}
    assert {job["last_outcome"] for job in status.json["jobs"]} == {"done"}, status.out


def test_a_plan_over_the_same_data_changes_nothing(synced: Shop) -> None:
    plan = synced.call("plan", "--json").json

    assert plan["guards"] == []
    assert {(a["adds"], a["removes"], a["refreshes"]) for a in plan["audiences"]} == {(0, 0, 0)}


def _shop_a_little_more(shop: Shop) -> None:
    """Every tenth customer buys once more, on the last day."""
    for number, customer in enumerate(list(shop.customers)):
        if number % 10 == 0:
            shop.events.append(
                {
                    "customer_id": customer,
                    "occurred_at": (LAST_DAY - timedelta(hours=3)).isoformat(),
                    "value": "40.00",
                    "order_id": f"{customer}-more",
                    "category": "food",
                }
            )
    shop.write()


def test_a_slightly_changed_table_moves_few_people(synced: Shop) -> None:
    _shop_a_little_more(synced)
    answer = synced.sync()
    people = dict.fromkeys(("google", "ads", "meta"), 0)
    for audience in answer.json["audiences"]:
        people[audience["destination"]] += audience["added"]

    assert answer.code == 0, answer.out + answer.err
    assert max(people.values()) <= 0.1 * len(synced.customers)


def test_names_ids_and_remote_audiences_stay_across_a_forced_reclustering(synced: Shop) -> None:
    def identities(answer: dict) -> list[tuple[str, ...]]:
        keys = ("audience", "name", "destination", "remote_id")
        return [tuple(str(a[key]) for key in keys) for a in answer["audiences"]]

    before, quiet = identities(synced.sync().json), _quiet(synced)
    same = synced.call("recluster", "--force", "--json").json
    after_same, quiet_after = synced.sync(), _quiet(synced)
    _shop_a_little_more(synced)
    changed = synced.call("recluster", "--force", "--json").json
    after_change = synced.sync()

    assert (same["reclustered"], changed["reclustered"]) == (True, True)
    assert changed["model_version"] > same["model_version"] > 1
    assert quiet_after == quiet
    assert identities(after_same.json) == before
    assert identities(after_change.json) == before
    assert changed["moved_share"] <= 0.1
    assert len(synced.held()) == 12
