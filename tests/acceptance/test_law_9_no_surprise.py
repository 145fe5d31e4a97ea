"""Law 9: a plan that would do more than its guards allow stops, and nothing was removed before."""

from collections.abc import Callable

import pytest
from shop import BEHAVIOURS, Shop, add_customer, write_csv


def _lose_consent(shop: Shop) -> None:
    """A quarter of everybody is silent now."""
    shop.consent = [row for row in shop.consent if int(row["customer_id"][1:]) % 16 > 3]
    shop.write()


def _half_the_customers(shop: Shop) -> None:
    write_csv(shop.folder / "customers.csv", list(shop.customers.values())[:240])


def _half_the_events(shop: Shop) -> None:
    write_csv(shop.folder / "events.csv", shop.events[:2000])


def _no_customer(shop: Shop) -> None:
    (shop.folder / "customers.csv").write_text("")


def _only_a_header(shop: Shop) -> None:
    (shop.folder / "customers.csv").write_text("customer_id,email,phone\n")


def _no_event(shop: Shop) -> None:
    (shop.folder / "events.csv").write_text("customer_id,occurred_at,value,order_id,category\n")


def _no_consent_row(shop: Shop) -> None:
    (shop.folder / "consent.csv").write_text("customer_id,status,recorded_at,purpose\n")


def _exchange_behaviours(shop: Shop) -> None:
    """Whoever bought toys buys wine now, and the other way round."""
    shop.change(guards={"removed_share": 1.0})
    toys, wine = (BEHAVIOURS[at][3] for at in (0, 3))
    swap = {f"c{n:05d}": f"c{n + 3 if n % 4 == 0 else n - 3:05d}" for n in range(480) if n % 4 in (0, 3)}
    assert toys != wine
    shop.events = [
        {**row, "customer_id": swap.get(row["customer_id"], row["customer_id"])} for row in shop.events
    ]
    shop.write()


def _bad_rows(shop: Shop) -> None:
    write_csv(
        shop.folder / "events.csv",
        [{**row, "occurred_at": "soon"} if n % 5 == 0 else row for n, row in enumerate(shop.events)],
    )


#: What happened to the data, and which guard stops it.
SURPRISES: dict[str, tuple[Callable[[Shop], None], str]] = {
    "many lost consent": (_lose_consent, "removed_share"),
    "the consent table is empty": (_no_consent_row, "removed_share"),
    "half the customers are gone": (_half_the_customers, "source_drop"),
    "half the events are gone": (_half_the_events, "source_drop"),
    "the customers have only a header": (_only_a_header, "source_drop"),
    "the events have only a header": (_no_event, "source_drop"),
    "many moved": (_exchange_behaviours, "moved_share"),
    "many rows are bad": (_bad_rows, "bad_rows"),
}


@pytest.mark.parametrize("surprise", SURPRISES)
def test_a_sync_stops_and_nothing_leaves_when(synced: Shop, surprise: str) -> None:
    happen, guard = SURPRISES[surprise]
    before, sent = synced.held(), synced.wire.sent()
    happen(synced)
    answer = synced.sync()
    unattended = synced.call("run", "--once", "--json")

    assert (answer.code, answer.json["status"]) == (3, "stopped"), answer.out + answer.err
    assert guard in {stop["guard"] for stop in answer.json["guards"]}
    assert unattended.code == 3
    assert synced.held() == before
    assert synced.wire.sent() == sent


def test_a_customers_file_without_even_a_header_fails_the_sync_and_nobody_leaves(synced: Shop) -> None:
    before = synced.held()
    _no_customer(synced)
    answer = synced.sync()

    assert (answer.code, answer.json["status"]) == (1, "failed")
    assert "customers.csv is empty" in answer.json["error"]
    assert synced.held() == before


def test_a_plan_shows_the_guard_and_its_numbers(synced: Shop) -> None:
    _lose_consent(synced)
    plan = synced.call("plan", "--json")
    said = synced.call("plan").out

    assert plan.code == 0
    assert {stop["guard"] for stop in plan.json["guards"]} == {"removed_share"}
    assert "limit 20.0%" in plan.json["guards"][0]["detail"]
    assert "guard removed_share would stop it" in said
    assert plan.json["plan_id"] in said


def test_a_column_that_went_empty_stops_the_sync(synced: Shop) -> None:
    """Everybody can still be reached by e-mail: no other guard would say that the phones are gone."""
    before = synced.held()
    for row in synced.customers.values():
        row["phone"] = ""
    synced.write()
    stopped = synced.sync()

    assert (stopped.code, stopped.json["status"]) == (3, "stopped")
    assert stopped.json["guards"][0]["guard"] == "null_share"
    assert "customers.phone" in stopped.json["guards"][0]["detail"]
    assert synced.held() == before


def test_an_approved_plan_is_applied(synced: Shop) -> None:
    _lose_consent(synced)
    plan = synced.call("plan", "--json").json
    stopped = synced.sync()
    approved = synced.sync("--approve", plan["plan_id"])
    silent = [customer for customer in synced.customers if int(customer[1:]) % 16 <= 3]

    assert (stopped.code, stopped.json["plan_id"]) == (3, plan["plan_id"])
    assert (approved.code, approved.json["status"]) == (0, "done"), approved.out
    assert sum(a["removed"] for a in approved.json["audiences"]) == 3 * len(silent)
    assert [synced.destinations_of(customer) for customer in silent] == [set()] * len(silent)


def test_a_stale_approval_stops_again_with_the_new_plan(synced: Shop) -> None:
    _lose_consent(synced)
    stale = synced.call("plan", "--json").json["plan_id"]
    before = synced.held()
    synced.consent = [row for row in synced.consent if int(row["customer_id"][1:]) % 16 != 7]
    synced.write()
    answer = synced.sync("--approve", stale)
    fresh = synced.call("plan", "--json").json["plan_id"]

    assert (answer.code, answer.json["status"]) == (3, "stopped")
    assert answer.json["plan_id"] == fresh != stale
    assert synced.held() == before


def test_an_approval_of_another_plan_stops_although_no_guard_does(synced: Shop) -> None:
    before = synced.held()
    add_customer(synced, 480)
    synced.write()
    plan = synced.call("plan", "--json").json
    other = synced.sync("--approve", "0" * 12)
    held = synced.held()
    approved = synced.sync("--approve", plan["plan_id"])
    again = synced.sync("--approve", plan["plan_id"])

    assert (other.code, other.json["plan_id"]) == (3, plan["plan_id"])
    assert [stop["guard"] for stop in other.json["guards"]] == ["approval"]
    assert held == before
    assert (approved.code, again.code) == (0, 0), again.out  # nothing is left to do
    assert synced.destinations_of("c00480") == {"google", "ads", "meta"}


def test_what_was_stopped_goes_on_by_itself_when_the_table_is_mended(synced: Shop) -> None:
    before = synced.held()
    _half_the_customers(synced)
    stopped = synced.sync()
    synced.write()
    mended = synced.sync()

    assert (stopped.code, mended.code) == (3, 0), mended.out
    assert synced.held() == before
    assert {(a["added"], a["removed"]) for a in mended.json["audiences"]} == {(0, 0)}
