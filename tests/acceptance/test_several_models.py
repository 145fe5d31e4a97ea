"""Several models side by side: each divides the same customers once more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop") as found:
        found.change(
            destinations=found.settings["destinations"][2:],
            reports={"plots": False},
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
    assert again["models"] == {"value": {"model_version": 2, "moved_share": 0.0}}
    assert {row["audience"] for row in listed if row["name"].endswith(" (value)")} >= set(value)
    assert len(shop.held_by_name()) == len(sizes)


def test_each_model_has_versions_of_its_own(shop: Shop) -> None:
    first = shop.call("recluster", "--json").json
    forced = shop.call("recluster", "--force", "--model", "value", "--json").json
    histories = [
        [
            row["model_version"]
            for row in shop.call("recluster", "--history", "--json", *which).json["models"]
        ]
        for which in ((), ("--model", "value"))
    ]
    unknown = shop.call("recluster", "--model", "worth")

    assert (first["model_version"], first["models"]["value"]["model_version"]) == (1, 2)
    assert forced["model_version"] == 3
    assert histories == [[1], [3, 2]]
    assert unknown.code == 2
    assert "there is no model worth beside the main one; there are value" in " ".join(unknown.err.split())
