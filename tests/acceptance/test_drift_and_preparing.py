"""Data that moves away from its model is told before it is refitted; sensitive features need a word."""

from shop import Shop


def test_a_drift_is_told_by_plan_sync_and_status_and_ends_with_a_refit(synced: Shop) -> None:
    synced.change(guards={"moved_share": 1.0, "removed_share": 1.0})
    synced.events = [{**row, "value": str(float(row["value"]) * 1.5)} for row in synced.events]
    synced.write()
    plan = synced.call("plan", "--json").json
    sync = synced.sync().json
    [line] = [
        each for each in synced.call("status", "--json").json["checks"] if each["subject"] == "segments"
    ]
    refit = synced.call("recluster", "--json").json
    after = synced.call("status", "--json").json
    calm = synced.call("plan", "--json").json

    assert [note for note in plan["notes"] if note.startswith("the data has drifted from the model: ")]
    assert sync["stability"]["drift"].keys() >= {"value_sum", "recency_days"}
    assert sync["stability"]["drift"]["value_sum"] > 0.25 > sync["stability"]["drift"]["recency_days"]
    assert sync["stability"]["inertia_ratio"] > 1
    assert line["ok"]
    assert "value_sum PSI" in line["detail"]
    assert refit["reason"].startswith("drifted: ")
    assert "segments" not in {each["subject"] for each in after["checks"]}
    assert (calm["stability"]["drifted"], calm["stability"]["alerts"]) == ([], [])


def test_a_sensitive_attribute_is_refused_until_it_is_named_outright(shop: Shop) -> None:
    for number, row in enumerate(shop.customers.values()):
        row["age"] = str(20 + number % 50)
    shop.change(segmentation={"template": ["order_count", "value_sum", "age"]})
    refused = [shop.call(command, "--json") for command in ("check", "plan")]
    shop.change(segmentation={"allow_sensitive": ["age"]})
    allowed = shop.call("recluster", "--json")

    assert [answer.code for answer in refused] == [2, 2]
    assert all("segmentation.allow_sensitive: [age]" in answer.out for answer in refused)
    assert allowed.json["quality"]["features"] == ["order_count", "value_sum", "age"]


def test_a_sensitive_category_is_no_feature_and_a_model_that_reads_it_is_made_anew(shop: Shop) -> None:
    shop.events = [
        {**row, "category": "Baby" if row["category"] == "toys" else row["category"]} for row in shop.events
    ]
    shop.change(segmentation={"allow_sensitive": ["category_share:baby"]})
    first = shop.call("recluster", "--json").json
    shop.change(segmentation={"allow_sensitive": []})
    plan = shop.call("plan", "--json").json

    assert "category_share:baby" in first["quality"]["features"]
    assert [note for note in plan["notes"] if note.startswith("feature category_share:baby left out")]
    assert plan["model_version"] == 2
