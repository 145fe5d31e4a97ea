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
    assert "feature discount_share left out: events has no column discount" in planned.json["notes"]
    (context,) = [table for table in planned.json["quality"] if table["table"] == "context"]
    assert (context["rows"], context["dropped"]) == (121, {"unparsable_date": 1})
    assert "source context" in curious.call("check").out


def test_a_rewritten_expression_fits_the_model_anew(curious: Shop) -> None:
    first, again = (curious.call("recluster", "--json").json for _ in range(2))
    rewritten = {"expressions": {"big_share": BIG | {"sql": "avg(value > 50)"}}}
    curious.change(segmentation=rewritten)
    anew = curious.call("recluster", "--json").json
    curious.change(segmentation={"expressions": {}})
    without = curious.call("recluster", "--json").json

    assert [each["reason"] for each in (first, again, anew, without)] == ["first", None, "forced", "forced"]
    assert "big_share" not in without["quality"]["features"]


@pytest.mark.parametrize(
    ("segmentation", "said"),
    [
        (
            {"expressions": {"big_share": BIG | {"sql": "sum(amount)"}}},
            "big_share: there is no column amount",
        ),
        ({"expressions": {"value_sum": BIG}}, "value_sum is a feature or an attribute already"),
        ({"expressions": {"Big Share": BIG}}, "use a-z, 0-9 and _"),
        ({"features": ["value_sum@0d"]}, "a window of 0d is not from 1"),
        ({"features": ["recency_days@4w"]}, "recency_days is not computed over windows"),
    ],
)
def test_a_feature_that_cannot_be_is_told_before_anything_is_read(
    curious: Shop, segmentation: dict, said: str
) -> None:
    curious.change(segmentation=segmentation)
    answer = curious.call("check")

    assert answer.code == 2
    assert said in " ".join(answer.err.split())


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"columns": {"date": "date", "place": "town"}}, "place in columns and by_place come together"),
        ({"columns": {"date": "date", "Too Hot": "x"}}, "use a-z, 0-9 and _"),
        ({"by_place": "region"}, "there is no column 'region'"),
    ],
)
def test_a_context_that_cannot_be_joined_is_told(curious: Shop, context: dict, said: str) -> None:
    curious.change(sources={"context": {"path": "calendar.csv", **context}})
    answer = curious.call("check")

    assert answer.code != 0
    assert said in " ".join((answer.out + answer.err).split())
