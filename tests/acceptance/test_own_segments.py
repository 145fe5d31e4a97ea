"""Segments that people define by a condition, beside those that are found."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import ADS_ACCOUNT, DESTINATIONS, GOOGLE_ACCOUNT, META_ACCOUNT, Answer, Shop, open_shop

#: The feature is none of the model's; half of the customers are gold.
CONDITION = "tier = 'gold' AND event_count >= 10"
RULE = {"name": "Golden regulars", "condition": CONDITION}
ACCOUNTS = dict(zip(DESTINATIONS, (GOOGLE_ACCOUNT, ADS_ACCOUNT, META_ACCOUNT), strict=True))
OPEN = {"removed_share": 1.0, "moved_share": 1.0, "source_drop": 1.0}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop") as found:
        for customer, row in found.customers.items():
            row["tier"] = "Gold" if int(customer[1:]) % 5 == 0 else "gold" if _is_gold(customer) else ""
        found.change(audiences={"rules": {"golden": RULE}}, reports={"plots": False})
        yield found


def _is_gold(customer: str) -> bool:
    return int(customer[1:]) % 3 != 1


def _golden(shop: Shop) -> set[str]:
    return {
        customer
        for customer, row in shop.customers.items()
        if row["tier"] == "gold" and int(customer[1:]) % 4 in {2, 3}
    }


def _in_rule(shop: Shop, destination: str = "meta") -> frozenset[str]:
    return shop.held_by_name()[ACCOUNTS[destination], "cohortd · Golden regulars"]


def test_whom_a_condition_holds_of_is_in_two_audiences_until_they_revoke(shop: Shop) -> None:
    answer = shop.sync()
    golden = _golden(shop)
    again = shop.call("plan", "--json").json
    listed = shop.call("audiences", "--json").json
    held = [_in_rule(shop, name) for name in DESTINATIONS]
    person = min(golden)
    traced = shop.call("trace", "--no-why", "--customer", person)
    shop.call("revoke", "--customer", person)

    assert answer.code == 0, answer.out + answer.err
    assert held == [shop.expected(golden, name) for name in DESTINATIONS]
    assert {a["added"] for a in answer.json["audiences"] if a["audience"] == "rule-golden"} == {len(golden)}
    assert {a["added"] for a in answer.json["audiences"] if a["audience"] != "rule-golden"} == {120}
    assert len(shop.held()) == 3 * 5
    assert [(a["adds"], a["removes"]) for a in again["audiences"]] == [(0, 0)] * 15
    assert {row["name"] for row in listed["audiences"] if row["audience"] == "rule-golden"} == {
        "Golden regulars"
    }
    assert "and rule-golden" in traced.out
    assert not shop.destinations_of(person)


def test_another_condition_moves_the_difference_under_a_guard_and_without_one_all_leave(shop: Shop) -> None:
    shop.change(destinations=shop.settings["destinations"][2:])
    shop.sync()
    narrow = {**RULE, "condition": f"{CONDITION} AND event_count > 15"}
    shop.change(audiences={"rules": {"golden": narrow}})
    stopped = shop.sync()
    shop.change(guards=OPEN)
    narrowed = shop.sync()
    shop.change(audiences={"rules": {}})
    gone = shop.sync()
    leavers = {customer for customer in _golden(shop) if int(customer[1:]) % 4 == 2}
    others = {audience["audience"]: 0 for audience in narrowed.json["audiences"]}

    assert (stopped.code, narrowed.code, gone.code) == (3, 0, 0), stopped.out + narrowed.out + gone.out
    assert [stop["detail"].partition(":")[0] for stop in stopped.json["guards"]] == [
        "Golden regulars (rule-golden) on meta"
    ]
    assert _moved(narrowed) == {**others, "rule-golden": len(leavers)}
    assert _moved(gone) == {**others, "rule-golden": len(_golden(shop) - leavers)}
    assert _in_rule(shop) == frozenset()


def _moved(answer: Answer) -> dict[str, int]:
    return {a["audience"]: a["added"] + a["removed"] for a in answer.json["audiences"]}


def test_a_rule_below_the_floor_is_held_and_never_merged(shop: Shop) -> None:
    shop.change(
        audiences={"rules": {"few": {"name": "Few", "condition": "event_count = 20 AND tier = 'gold'"}}}
    )
    plan = shop.call("plan", "--json").json
    few = [a for a in plan["audiences"] if a["audience"] == "rule-few"]
    expected = sum(int(customer[1:]) % 4 == 3 for customer in _golden(shop))

    assert {a["held"] for a in few} == {f"{expected} eligible members, 100 needed"}
    assert {a["eligible"] for a in plan["audiences"] if a["audience"] != "rule-few"} == {120}


def test_only_the_most_are_sent_and_intersections_that_are_large_enough(shop: Shop) -> None:
    shop.change(
        audiences={
            "pinned": ["s4"],
            "exclude_only": ["rule-golden"],
            "most": 2,
            "rules": {"golden": RULE, "regulars": {"name": "Buyers", "condition": "event_count >= 12"}},
            "intersections": [["main", "rule-golden"], ["rule-regulars", "rule-golden"]],
        },
        destinations=shop.settings["destinations"][2:],
    )
    answer = shop.sync()
    names = {
        name.removeprefix("cohortd · "): len(members) for (_, name), members in shop.held_by_name().items()
    }
    held = {a["audience"]: a["held"] for a in answer.json["audiences"]}
    fourth = next(a["name"] for a in answer.json["audiences"] if a["audience"] == "s4")

    assert answer.code == 0, answer.out + answer.err
    assert set(names) == {fourth, "Golden regulars (exclude only)", "Golden regulars + Buyers"}
    assert names["Golden regulars + Buyers"] == names["Golden regulars (exclude only)"]
    assert {each for each, why in held.items() if why} == {"s1", "s2", "s3", "rule-regulars"}
    assert held["s1"] == "audiences.most is 2, and others come first"


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"x": {"name": "X", "condition": "event_counts > 1"}}, "did you mean event_count?"),
        ({"x": {"name": "X", "condition": "duration_sum_s > 1"}}, "events has no column duration_s"),
        ({"Nö": {"name": "X", "condition": "event_count > 1"}}, "a-z, 0-9 and _"),
        ({"x": RULE, "y": RULE}, "x, y have the same name"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(shop: Shop, rules: dict, told: str) -> None:
    shop.change(audiences={"rules": rules})
    answer = shop.call("plan")

    assert answer.code == 2
    assert told in " ".join(answer.err.split())
