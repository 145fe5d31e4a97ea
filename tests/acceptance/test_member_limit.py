"""A destination that takes only so many members gets those who are best known."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Shop, add_customer, open_shop

LIMIT = 100


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop with 120 people an audience, of whom Meta gets 100; a third have no phone."""
    with open_shop(tmp_path / "shop") as found:
        meta = found.settings["destinations"][2]
        found.change(destinations=[*found.settings["destinations"][:2], {**meta, "member_limit": LIMIT}])
        yield found


def _there(shop: Shop) -> set[str]:
    return {customer for customer in shop.customers if "meta" in shop.destinations_of(customer)}


def test_those_with_more_identifiers_are_preferred(shop: Shop) -> None:
    answer = shop.sync()
    there = _there(shop)

    assert answer.code == 0, answer.out + answer.err
    assert {a["added"] for a in answer.json["audiences"] if a["destination"] == "meta"} == {LIMIT}
    assert {a["added"] for a in answer.json["audiences"] if a["destination"] == "google"} == {120}
    assert {c for c, row in shop.customers.items() if row["phone"]} <= there
    assert len(there) == 4 * LIMIT
    assert shop.on("meta") == shop.expected(there, "meta")


def test_a_second_sync_over_the_same_data_sends_nothing(shop: Shop) -> None:
    shop.sync()
    plan = shop.call("plan", "--json").json

    assert [(a["adds"], a["removes"]) for a in plan["audiences"]] == [(0, 0)] * 12


def test_who_comes_with_more_identifiers_takes_one_place(shop: Shop) -> None:
    shop.sync()
    before = _there(shop)
    newcomer = add_customer(shop, 484, behaviour=0)
    shop.write()
    shop.sync()
    after = _there(shop)

    assert shop.customers[newcomer]["phone"]
    assert after - before == {newcomer}
    assert len(before - after) == 1


def test_a_place_that_a_revocation_leaves_goes_to_the_next(shop: Shop) -> None:
    shop.sync()
    gone = min(_there(shop))
    shop.call("revoke", "--customer", gone)
    shop.sync()
    after = _there(shop)

    assert gone not in after
    assert len(after) == 4 * LIMIT


def test_people_are_told_who_found_no_room(shop: Shop) -> None:
    synced = shop.sync().json
    without = min(set(shop.customers) - _there(shop))
    traced = shop.call("trace", "--customer", without)

    notes = [note for note in synced["notes"] if "member_limit" in note]
    assert [note.partition(":")[2].split(";")[0] for note in notes] == [
        " 20 members find no room under its member_limit of 100"
    ] * 4
    assert "known by 2 keys; not on meta, which has a member_limit." in " ".join(traced.out.split())


def test_a_limit_below_the_minimum_is_refused(shop: Shop) -> None:
    shop.change(audiences={"minimum_size": LIMIT + 1})
    answer = shop.call("plan")

    assert answer.code == 2
    assert "cohortd: meta: member_limit (100) is below audiences.minimum_size (101)" in answer.err
