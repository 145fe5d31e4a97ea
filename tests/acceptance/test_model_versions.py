"""A re-clustering that moves too many is held back; an earlier version comes back with its audiences."""

from collections.abc import Iterator

import pytest
from shop import Shop, open_shop

LOOSE = {"removed_share": 1.0, "moved_share": 1.0, "audience_drop": 1.0}


def _ask_for_three(shop: Shop, budget: float) -> None:
    """One segment of four would be merged away: a quarter of everybody moves."""
    shop.change(segmentation={"k": 3, "churn_budget": budget}, guards=LOOSE)


@pytest.fixture
def stopped(synced: Shop) -> Shop:
    _ask_for_three(synced, 0.2)
    answer = synced.call("recluster", "--force", "--json")
    assert (answer.code, answer.json["status"], answer.json["model_version"]) == (3, "stopped", 1)
    assert [stop["guard"] for stop in answer.json["guards"]] == ["churn_budget"]
    assert "25.0% of the customers would change segment, limit 20.0%" in answer.json["guards"][0]["detail"]
    return synced


def test_audiences_are_fed_by_the_old_model_while_a_re_clustering_is_held_back(stopped: Shop) -> None:
    before = stopped.held()
    again, once = stopped.call("recluster", "--json"), stopped.call("run", "--once", "--json")
    status, history = (
        stopped.call("status"),
        stopped.call("recluster", "--history", "--json").json["models"],
    )

    assert (again.code, again.json["reclustered"], again.json["held_back"]["model_version"]) == (
        0,
        False,
        2,
    )
    assert (once.code, once.json["status"], once.json["model_version"]) == (0, "done", 1)
    assert [note for note in once.json["notes"] if "cohortd recluster --accept" in note]
    assert status.code == 1
    assert "BAD re-clustering" in status.out
    assert [(row["model_version"], row["in_force"], row["synced"]) for row in history] == [
        (2, False, False),
        (1, True, True),
    ]
    assert history[0]["moved_share"] == pytest.approx(0.25)
    assert stopped.held() == before


def test_one_that_is_accepted_is_told_by_plan_until_it_is_synced(stopped: Shop) -> None:
    accepted = stopped.call("recluster", "--accept", "--json")
    plan, said = stopped.call("plan", "--json").json, stopped.call("plan").out
    synced = stopped.sync()
    after = stopped.call("plan", "--json").json

    assert (accepted.code, accepted.json["model_version"]) == (0, 3)
    [fate] = plan["lineage"]
    assert (fate["event"], fate["segment"]) == ("merged", "s2")
    assert {(a["effect"], a["members"]) for a in fate["audiences"]} == {("emptied", 120)}
    assert {a["destination"] for a in fate["audiences"]} == {"google", "ads", "meta"}
    assert f"is merged into {fate['other']} ({fate['other_name']})" in said
    assert "its 120 members leave; the audience stays in the ad manager, empty" in said
    assert synced.code == 0, synced.out
    assert [each["segment"] for each in synced.json["lineage"]] == ["s2"]
    assert after["lineage"] == []


def test_an_earlier_version_comes_back_with_its_segments_and_their_remote_audiences(synced: Shop) -> None:
    before = synced.held()
    _ask_for_three(synced, 1.0)
    merged, moved = synced.call("recluster", "--force", "--json"), synced.sync()
    back = synced.call("recluster", "--rollback", "1", "--json")
    stays = synced.call("recluster", "--json")
    plan = synced.call("plan", "--json").json
    done = synced.sync()

    assert (merged.code, moved.code, back.code, done.code) == (0, 0, 0, 0), done.out
    assert (back.json["model_version"], back.json["reason"]) == (3, "rolled_back")
    assert stays.json["reclustered"] is False
    assert [(fate["event"], fate["segment"]) for fate in plan["lineage"]] == [("returned", "s2")]
    assert {a["effect"] for a in plan["lineage"][0]["audiences"]} == {"filled"}
    assert synced.held() == before


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("--rollback", "7"), "there is no model version 7; there are 1"),
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
