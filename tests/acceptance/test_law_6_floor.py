"""Law 6: an audience is created or fed only with at least its minimum of eligible members."""

from pathlib import Path

import pytest
from shop import DESTINATIONS, Shop, add_customer, grant, open_shop
from wire import ADDS, sha256


def _behaving(shop: Shop, behaviour: int) -> list[str]:
    return [customer for customer in shop.customers if int(customer[1:]) % 4 == behaviour]


def _silence(shop: Shop, customers: list[str]) -> None:
    shop.consent = [row for row in shop.consent if row["customer_id"] not in customers]
    shop.write()


def test_no_audience_is_created_below_the_floor_and_the_others_are(shop: Shop) -> None:
    few = _behaving(shop, 2)
    _silence(shop, few[:25])
    answer = shop.sync()
    held = [a for a in answer.json["audiences"] if a["held"]]

    assert answer.code == 0, answer.out + answer.err
    assert [(a["remote_id"], a["added"], a["held"]) for a in held] == [
        (None, 0, "95 eligible members, 100 needed")
    ] * 3
    assert {a["destination"] for a in held} == set(DESTINATIONS)
    assert [shop.destinations_of(customer) for customer in few] == [set()] * len(few)
    assert len(shop.held()) == 9
    assert all(len(members) >= 100 for members in shop.held().values())


def test_a_plan_says_which_audience_is_held_and_why(shop: Shop) -> None:
    _silence(shop, _behaving(shop, 2)[:25])
    plan = shop.call("plan", "--json").json

    assert [a["held"] for a in plan["audiences"] if a["held"]] == ["95 eligible members, 100 needed"] * 3
    assert shop.held() == {}


def test_the_floor_is_a_destinations_own(shop: Shop) -> None:
    few = _behaving(shop, 1)
    _silence(shop, few[:30])
    shop.consent += [grant(customer, platform="google") for customer in few[:30]]
    shop.write()
    answer = shop.sync()

    assert answer.code == 0, answer.out + answer.err
    assert {frozenset(shop.destinations_of(customer)) for customer in few} == {frozenset({"google", "ads"})}
    assert len(shop.meta.audiences()) == 3


def test_the_floor_of_the_settings_counts_where_it_is_higher(tmp_path: Path) -> None:
    with open_shop(tmp_path / "shop", audiences={"minimum_size": 115, "minimum_share": 0.0}) as shop:
        _silence(shop, _behaving(shop, 3)[:10])
        answer = shop.sync()

        assert answer.code == 0, answer.out + answer.err
        assert len(shop.held()) == 9
        assert {a["held"] for a in answer.json["audiences"]} == {None, "110 eligible members, 115 needed"}


@pytest.mark.parametrize("below", ["merge", "hold"])
def test_a_segment_that_is_too_small_as_a_whole_gets_no_audience_of_its_own(
    tmp_path: Path, below: str
) -> None:
    audiences = {"minimum_size": 100, "minimum_share": 0.0, "below_minimum": below}
    with open_shop(tmp_path / "shop", audiences=audiences) as shop:
        gone = set(_behaving(shop, 0)[:60])
        shop.customers = {c: row for c, row in shop.customers.items() if c not in gone}
        shop.events = [row for row in shop.events if row["customer_id"] not in gone]
        shop.write()
        answer = shop.sync()

        assert answer.code == 0, answer.out + answer.err
        assert len(shop.held()) == 9
        assert min(len(members) for members in shop.held().values()) >= 100


def test_an_audience_that_fell_below_its_floor_is_not_fed_and_its_leavers_leave(synced: Shop) -> None:
    synced.change(guards={"removed_share": 1.0, "source_drop": 1.0, "moved_share": 1.0})
    few = _behaving(synced, 2)
    leavers, changed = few[:30], few[40]
    _silence(synced, leavers)
    newcomers = [add_customer(synced, number) for number in (482, 486)]
    elsewhere = add_customer(synced, 481)
    old_email = sha256(synced.customers[changed]["email"])
    synced.customers[changed]["email"] = "canary.changed@example.com"
    synced.write()
    before = len(synced.wire.messages)
    answer = synced.sync()
    added = "\n".join(text for name, text in synced.wire.messages[before:] if name in ADDS)

    assert answer.code == 0, answer.out + answer.err
    assert [synced.destinations_of(customer) for customer in leavers] == [set()] * 30
    assert [synced.destinations_of(customer) for customer in newcomers] == [set()] * 2
    assert synced.destinations_of(elsewhere) == set(DESTINATIONS)
    assert f"email:{old_email}" not in synced.everything_held()
    assert sha256("canary.changed@example.com") not in added
    assert {a["held"] for a in answer.json["audiences"]} == {None, "92 eligible members, 100 needed"}
    assert [synced.destinations_of(customer) for customer in few[50:]] == [set(DESTINATIONS)] * len(
        few[50:]
    )


def test_an_audience_that_rose_to_its_floor_again_is_fed_again(synced: Shop) -> None:
    synced.change(guards={"removed_share": 1.0, "source_drop": 1.0, "moved_share": 1.0})
    few, consent = _behaving(synced, 2), synced.consent
    _silence(synced, few[:30])
    below = synced.sync()
    synced.consent = consent
    synced.write()
    above = synced.sync()

    assert (below.code, above.code) == (0, 0), below.out + above.out
    assert {a["held"] for a in above.json["audiences"]} == {None}
    assert [synced.destinations_of(customer) for customer in few] == [set(DESTINATIONS)] * len(few)
