"""Several models side by side: each divides the same customers once more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import META_ACCOUNT, Shop, open_shop

OPEN = {"removed_share": 1.0, "moved_share": 1.0, "source_drop": 1.0}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop") as found:
        found.change(
            destinations=found.settings["destinations"][2:],
            models={"value": {"features": ["value_sum", "order_value_mean"], "k": 2}},
            audiences={"intersections": [["main", "value"]]},
        )
        yield found


def test_everybody_is_in_one_audience_of_each_model_and_in_those_of_both(shop: Shop) -> None:
    answer = shop.sync()
    again = shop.call("plan", "--json").json
    listed = shop.call("audiences", "--json").json["audiences"]
    sizes = {a["audience"]: a["size"] for a in answer.json["audiences"]}
    main, value, both = (
        {each: size for each, size in sizes.items() if is_it(each)}
        for is_it in (
            lambda each: "value" not in each,
            lambda each: each.startswith("value-"),
            lambda each: "+" in each,
        )
    )

    assert answer.code == 0, answer.out + answer.err
    assert set(main) == {"s1", "s2", "s3", "s4"}
    assert set(value) == {"value-s1", "value-s2"}
    assert [sum(each.values()) for each in (main, value, both)] == [480, 480, 480]
    assert all(each.partition("+")[2] in value for each in both)
    assert {(a["adds"], a["removes"]) for a in again["audiences"]} == {(0, 0)}
    assert {row["audience"] for row in listed if row["name"].endswith(" (value)")} >= set(value)
    assert len(shop.held_by_name()) == len(sizes)


def test_each_model_has_versions_of_its_own_and_one_taken_out_is_gone(shop: Shop) -> None:
    shop.sync()
    forced = shop.call("recluster", "--force", "--model", "value", "--json").json
    histories = [
        [
            row["model_version"]
            for row in shop.call("recluster", "--history", "--json", *which).json["models"]
        ]
        for which in ((), ("--model", "value"))
    ]
    whole = shop.call("recluster", "--json").json
    shop.settings["models"] = {}
    shop.change(audiences={"intersections": []}, guards=OPEN)
    gone = shop.sync()

    assert forced["model_version"] == 3
    assert histories == [[1], [3, 2]]
    assert (whole["model_version"], whole["models"]["value"]["model_version"]) == (1, 3)
    assert gone.code == 0, gone.out + gone.err
    assert sum(a["size"] for a in gone.json["audiences"]) == 480
    assert sum(bool(members) for (account, _), members in shop.held_by_name().items()) == 4
    assert META_ACCOUNT in {account for account, _ in shop.held_by_name()}
    assert shop.call("recluster", "--model", "value").code == 2
