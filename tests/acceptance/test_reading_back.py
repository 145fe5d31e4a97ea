"""What the platforms say of our audiences is read, kept, shown and compared; names follow people's."""

from datetime import timedelta

import pytest
from shop import ADS_ACCOUNT, GOOGLE_ACCOUNT, Shop

from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.times import now_utc
from cohortd.daemon import Daemon
from cohortd.emulators.faults import Fault, FaultKind


def _listed(shop: Shop, destination: str) -> list[dict]:
    rows = shop.call("audiences", "--json").json["audiences"]
    return [row for row in rows if row["destination"] == destination]


def _names(shop: Shop) -> dict[str, str]:
    return {audience.id: audience.name for audience in [*shop.google.audiences(), *shop.meta.audiences()]}


def test_audiences_follow_the_name_that_people_give_and_nothing_is_sent_for_it(synced: Shop) -> None:
    before, held = _names(synced), synced.held()
    [row] = [row for row in _listed(synced, "google") if row["audience"] == "s1"]
    synced.change(audiences={"names": {"s1": "Loyal regulars"}})
    answer = synced.sync()
    after = _names(synced)
    renamed = {remote_id for remote_id in before if after[remote_id] != before[remote_id]}
    [now] = [row for row in _listed(synced, "google") if row["audience"] == "s1"]

    assert answer.code == 0, answer.json["notes"]
    assert (before.keys(), held) == (after.keys(), synced.held())
    assert {after[remote_id] for remote_id in renamed} == {"cohortd · Loyal regulars"}
    assert len(renamed) == 3
    assert (now["remote_id"], now["name"], now["drift"]) == (row["remote_id"], "Loyal regulars", [])


def test_a_name_that_people_gave_in_the_ad_manager_stays_until_ours_changes(synced: Shop) -> None:
    [meta] = [row for row in _listed(synced, "meta") if row["audience"] == "s1"]
    synced.meta.store.update(meta["remote_id"], name="Spring sale")
    answer = synced.sync()
    kept = synced.meta.store.get(meta["remote_id"])
    [row] = [row for row in _listed(synced, "meta") if row["audience"] == "s1"]

    assert (answer.code, kept.name) == (0, "Spring sale")
    assert [drift["kind"] for drift in row["drift"]] == ["renamed"]
    assert synced.call("status").code == 0


def test_a_renaming_that_meta_does_not_confirm_is_made_by_the_next_sync(synced: Shop) -> None:
    synced.change(audiences={"names": {"s1": "Loyal regulars"}})
    synced.meta.faults.add(Fault(call="audiences.update", status=200, body="{}", times=3))
    first = synced.sync()
    told = [note for note in first.json["notes"] if "keeps its old name for now" in note]
    second = synced.sync()

    assert (first.code, len(told), second.code) == (1, 1, 0)
    assert "cohortd · Loyal regulars" in {audience.name for audience in synced.meta.audiences()}


def test_what_became_of_audiences_is_told_with_what_to_do(synced: Shop) -> None:
    manager = synced.google.state.store
    [closed, other, *_] = manager.audiences(GOOGLE_ACCOUNT)
    [unused, short, *_] = manager.audiences(ADS_ACCOUNT)
    [expiring, flagged, *_] = synced.meta.audiences()
    manager.update(closed.id, attributes={"closed": True})
    manager.update(other.id, attributes={"access_reason": "SHARED"})
    manager.update(unused.id, attributes={"closed": True, "closing_reason": "UNUSED"})
    manager.update(short.id, attributes={"membership_days": 30})
    synced.meta.store.update(expiring.id, attributes={"operation": 100, "delete_time": 1_900_000_000})
    synced.meta.store.update(flagged.id, attributes={"operation": 471})
    answer, status = synced.sync(), synced.call("status")
    rows = {row["remote_id"]: row for row in synced.call("audiences", "--json").json["audiences"]}
    kinds = {remote_id: [drift["kind"] for drift in row["drift"]] for remote_id, row in rows.items()}

    assert (answer.code, answer.json["status"], status.code) == (0, "done", 1)
    assert (kinds[closed.id], kinds[other.id]) == (["closed"], ["foreign"])
    assert (kinds[unused.id], kinds[short.id]) == (["closed", "unused"], ["duration"])
    assert (kinds[expiring.id], kinds[flagged.id]) == (["expiring"], ["flagged"])
    assert all(row["cure"] for row in rows.values() if row["flags"])
    for told in ("closed on the platform", "another account", "30 days", "delete it", "flagged its name"):
        assert any(told in note for note in answer.json["notes"]), told
        assert told in status.out, told


def test_a_full_account_at_meta_is_told_and_the_others_are_fed(shop: Shop) -> None:
    for number in range(499):
        shop.meta.store.create("act_3456789012", name=f"Somebody's {number}")
    answer = shop.sync()

    assert answer.code == 1
    assert [note for note in answer.json["notes"] if "Meta allows 500" in note and "Delete custom" in note]
    assert len(shop.meta.audiences()) == 500
    assert shop.on("google")


@pytest.mark.parametrize("calls", ["*.read audiences.read account.read", "dm.user_lists.get ads.search"])
def test_a_platform_that_does_not_tell_of_its_audiences_fails_no_sync(synced: Shop, calls: str) -> None:
    before = {row["remote_id"]: row["platform_size"] for row in _listed(synced, "google")}
    for call in calls.split():
        fault = Fault(call=call, kind=FaultKind.ERROR, status=500, times=99)
        (synced.google if call.startswith(("dm", "ads")) else synced.meta).faults.add(fault)
    answer = synced.sync()

    assert answer.code == 0, answer.json["notes"]
    assert {row["remote_id"]: row["platform_size"] for row in _listed(synced, "google")} == before


def test_the_daemon_reads_back_once_a_day_where_no_sync_does(synced: Shop) -> None:
    synced.ahead = timedelta(days=8)
    clock = lambda: now_utc() + synced.ahead  # noqa: E731 - a clock
    settings = load_settings(str(synced.config))
    with open_pipeline(settings, clock=clock) as pipeline, pipeline.ledger.leadership() as epoch:
        daemon = Daemon(pipeline, settings.schedule, epoch)
        daemon.polling()
        asked = synced.meta.calls["audiences.read"]
        daemon.polling()
    rows = _listed(synced, "meta")

    assert synced.meta.calls["audiences.read"] == asked
    assert {len(row["history"]) for row in rows} == {2}
    assert {row["change_in_a_week"] for row in rows} == {0}
    assert {row["terms_accepted"] for row in rows} == {True}


def test_terms_that_are_no_longer_accepted_are_told(synced: Shop) -> None:
    synced.meta.faults.add(Fault(call="account.read", status=200, body='{"id": "1", "tos_accepted": {}}'))
    synced.sync()
    status = synced.call("status")

    assert status.code == 1
    assert "destination meta: terms" in status.out
