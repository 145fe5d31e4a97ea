"""Features people write themselves, and what days were like, from the settings to the segments."""

from datetime import timedelta

import pytest
from shop import LAST_DAY, Shop, write_csv

BIG = {"sql": "avg(value > 100)", "title": "Share of big orders", "high": "big orders"}


@pytest.fixture
def curious(shop: Shop) -> Shop:
    """A shop with a calendar, an expression, and a feature whose column is not there."""
    days = [(LAST_DAY - timedelta(days=number)).date() for number in range(120)]
    rows = [{"date": day.isoformat(), "is_weekend": int(day.weekday() > 4)} for day in days]
    write_csv(shop.folder / "calendar.csv", [*rows, {"date": "soon", "is_weekend": 1}])
    shop.change(
        destinations=[],
        sources={"context": {"path": "calendar.csv"}},
        segmentation={
            "features": ["order_count", "value_sum@30d/90d", "context_mean:is_weekend", "discount_share"],
            "expressions": {"big_share": BIG},
        },
    )
    return shop


def test_own_features_and_context_make_segments(curious: Shop) -> None:
    made = curious.call("recluster", "--json")
    planned = curious.call("plan", "--json")

    assert made.code == 0, made.out + made.err
    assert made.json["quality"]["features"] == [
        "order_count",
        "value_sum@30d/90d",
        "context_mean:is_weekend",
        "big_share",
    ]
    left_out = "feature discount_share left out: events has no column discount"
    assert left_out in planned.json["notes"]
    assert left_out in made.json["notes"]
    again = curious.call("recluster").out
    assert "stays: it is not due" in again
    assert f"Note: {left_out}." in again
    (context,) = [table for table in planned.json["quality"] if table["table"] == "context"]
    assert (context["rows"], context["dropped"]) == (121, {"unparsable_date": 1})
    assert "source context" in curious.call("check").out


def test_a_rewritten_expression_fits_the_model_anew(curious: Shop) -> None:
    curious.call("recluster")
    rewritten = {"expressions": {"big_share": BIG | {"sql": "avg(value > 50)"}}}
    curious.change(segmentation=rewritten)
    anew = curious.call("recluster", "--json").json
    curious.change(segmentation={"expressions": {}})
    without = curious.call("recluster", "--json").json

    assert [each["reason"] for each in (anew, without)] == ["forced", "forced"]
    assert "big_share" not in without["quality"]["features"]


def test_an_expression_that_cannot_be_is_told_before_anything_is_read(curious: Shop) -> None:
    curious.change(segmentation={"expressions": {"big_share": BIG | {"sql": "sum(amount)"}}})
    answer = curious.call("check")

    assert answer.code == 2
    assert "segmentation.expressions.big_share: there is no column amount" in " ".join(answer.err.split())
