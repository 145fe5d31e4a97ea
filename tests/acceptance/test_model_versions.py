"""A re-clustering that moves too many is held back; an earlier version comes back with its audiences."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from shop import Shop, open_shop

LOOSE = {"removed_share": 1.0, "moved_share": 1.0, "audience_drop": 1.0}


@pytest.fixture
def stopped(synced: Shop) -> Shop:
    """One segment of four would be merged away: a quarter of everybody moves."""
    synced.change(segmentation={"k": 3, "churn_budget": 0.2}, guards=LOOSE)
    synced.ahead += timedelta(weeks=5)
    answer = synced.call("recluster", "--json")
    assert (answer.code, answer.json["status"], answer.json["model_version"]) == (3, "stopped", 1)
    assert [stop["guard"] for stop in answer.json["guards"]] == ["churn_budget"]
    assert "25.0% of the customers would change segment, limit 20.0%" in answer.json["guards"][0]["detail"]
    return synced


def test_audiences_are_fed_by_the_old_model_while_a_re_clustering_is_held_back(stopped: Shop) -> None:
    before = stopped.held()
    again, once = stopped.call("recluster", "--json").json, stopped.call("run", "--once", "--json")
    status = stopped.call("status")
    history = stopped.call("recluster", "--history", "--json").json["models"]
    stopped.ahead += timedelta(weeks=4)
    later = stopped.call("recluster", "--json")

    assert (again["reclustered"], again["held_back"]["model_version"]) == (False, 2)  # due, and waits
    assert (once.code, once.json["status"], once.json["model_version"]) == (0, "done", 1)
    assert [note for note in once.json["notes"] if "cohortd recluster --accept" in note]
    assert status.code == 1
    assert "BAD re-clustering" in status.out
    assert [(row["model_version"], row["in_force"], row["synced"]) for row in history] == [
        (2, False, False),
        (1, True, True),
    ]
    assert history[0]["moved_share"] == pytest.approx(0.25)
    assert (later.code, later.json["held_back"]["model_version"]) == (3, 3)
    assert stopped.held() == before


def test_one_that_is_accepted_is_told_by_plan_until_it_is_synced_and_can_be_gone_back_on(
    stopped: Shop,
) -> None:
    before = stopped.held()
    accepted = stopped.call("recluster", "--accept", "--json")
    plan = stopped.call("plan", "--json").json
    stopped.sync("--destination", "google")
    synced = stopped.sync()
    after = stopped.call("plan", "--json").json
    back = stopped.call("recluster", "--rollback", "1", "--json")
    stays = stopped.call("recluster", "--json").json
    told = stopped.call("plan", "--json").json
    done = stopped.sync()

    assert [answer.code for answer in (accepted, synced, back, done)] == [0, 0, 0, 0], done.out
    _tells_the_merge(plan)
    [left] = synced.json["lineage"]
    assert [(a["destination"], a["effect"]) for a in left["audiences"]] == [
        ("ads", "emptied"),
        ("meta", "emptied"),
    ]
    assert after["lineage"] == []
    assert (accepted.json["model_version"], back.json["model_version"]) == (3, 4)
    assert (back.json["reason"], stays["reclustered"]) == ("rolled_back", False)
    assert [(fate["event"], fate["segment"]) for fate in told["lineage"]] == [("returned", "s2")]
    assert {a["effect"] for a in told["lineage"][0]["audiences"]} == {"filled"}
    assert stopped.held() == before


def _tells_the_merge(plan: dict) -> None:
    [fate] = plan["lineage"]
    assert (fate["event"], fate["segment"]) == ("merged", "s2")
    assert {(a["effect"], a["members"]) for a in fate["audiences"]} == {("emptied", 120)}
    assert {a["destination"] for a in fate["audiences"]} == {"google", "ads", "meta"}
    assert f"is merged into {fate['other']} ({fate['other_name']})" in fate["told"]
    assert {a["told"] for a in fate["audiences"]} == {
        "its 120 members leave; the audience stays in the ad manager, empty"
    }


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("--rollback", "7"), "there is no model version 7; there are 1"),
        (("--rollback", "9" * 20), "there is no model version 9999"),
        (("--rollback", "1"), "in force already"),
        (("--rollback", "previous"), "no earlier model version"),
        (("--accept",), "no re-clustering waits"),
        (("--rollback", "1", "--force"), "it goes without --force"),
        (("--history", "--accept"), "it goes alone"),
    ],
)
def test_what_cannot_be_put_in_force_is_a_wrong_call(model: Shop, call: tuple[str, ...], said: str) -> None:
    answer = model.call("recluster", *call)

    assert answer.code == 2
    assert said in answer.err


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with one model version; only wrong calls are made."""
    with open_shop(tmp_path_factory.mktemp("shop") / "shop") as opened:
        assert opened.call("recluster").code == 0
        yield opened
