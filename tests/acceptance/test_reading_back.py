"""What the platforms say of our audiences is read, kept, shown and compared; names follow people's."""

from datetime import timedelta

from shop import ADS_ACCOUNT, GOOGLE_ACCOUNT, Shop

from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.times import now_utc
from cohortd.daemon import Work
from cohortd.emulators.faults import Fault


def _listed(shop: Shop, destination: str) -> list[dict]:
    rows = shop.call("audiences", "--json").json["audiences"]
    return [row for row in rows if row["destination"] == destination]


def _names(shop: Shop) -> dict[str, str]:
    return {audience.id: audience.name for audience in [*shop.google.audiences(), *shop.meta.audiences()]}


def _row(shop: Shop, destination: str, audience: str = "s1") -> dict:
    [row] = [row for row in _listed(shop, destination) if row["audience"] == audience]
    return row


def test_audiences_follow_the_names_that_people_give_and_nothing_is_sent_for_it(synced: Shop) -> None:
    before, held, google, meta = _names(synced), synced.held(), _row(synced, "google"), _row(synced, "meta")
    synced.meta.store.update(meta["remote_id"], name="Spring sale")
    synced.sync()
    theirs = _row(synced, "meta")
    synced.change(audiences={"names": {"s1": "Loyal regulars"}})
    synced.meta.faults.add(Fault(call="audiences.update", status=200, body="{}", times=3))
    first, second = synced.sync(), synced.sync()
    after = _names(synced)
    renamed = {name for remote_id, name in after.items() if name != before[remote_id]}

    ours = _row(synced, "google")
    synced.change(audiences={"names": {"s1": "Diabetes", "s2": "Same", "s3": "same"}})
    flagged = synced.sync()

    assert "one that is there keeps its name" in str(flagged.json["notes"])
    assert "s2, s3 would have the same name" in str(flagged.json["notes"])
    assert _names(synced) == after
    assert ([each["kind"] for each in theirs["drift"]], theirs["platform_name"]) == (
        ["renamed"],
        "Spring sale",
    )
    assert [note for note in first.json["notes"] if "keeps its old name for now" in note]
    assert (first.code, second.code) == (1, 0), second.json["notes"]
    assert (after.keys(), held) == (before.keys(), synced.held())
    assert renamed == {"cohortd · Loyal regulars"}
    assert (ours["remote_id"], ours["name"]) == (google["remote_id"], "Loyal regulars")
    assert [row["drift"] for row in _listed(synced, "meta")] == [[]] * 4


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
    synced.meta.faults.add(Fault(call="account.read", status=200, body='{"id": "1", "tos_accepted": {}}'))
    answer, status, shown = synced.sync(), synced.call("status"), synced.call("audiences")
    rows = {row["remote_id"]: row for row in synced.call("audiences", "--json").json["audiences"]}
    kinds = {remote_id: [drift["kind"] for drift in row["drift"]] for remote_id, row in rows.items()}

    assert (answer.code, answer.json["status"], status.code) == (0, "done", 1)
    for row in rows.values():
        is_google = row["destination"] in ("google", "ads")
        told = ("100%", "91 to 100%", {"search": True, "display": True}) if is_google else (None, None, {})
        assert (row["match_rate"], row["upload_match_rate"], row["eligible"]) == told
    assert (kinds[closed.id], kinds[other.id]) == (["closed"], ["foreign"])
    assert (kinds[unused.id], kinds[short.id]) == (["closed", "unused"], ["duration"])
    assert (kinds[expiring.id], kinds[flagged.id]) == (["expiring"], ["flagged"])
    assert all(row["cure"] for row in rows.values() if row["flags"])
    assert "destination meta: terms" in status.out
    for told in ("closed on the platform", "another account", "30 days", "delete it", "flagged its name"):
        assert any(told in note for note in answer.json["notes"]), told
        assert told in status.out, told
        assert told in shown.out.replace("\n", " "), told


def test_a_platform_that_does_not_tell_fails_no_sync_and_is_asked_again_by_the_daemon(synced: Shop) -> None:
    before = [(row["platform_size"], row["read_at"]) for row in _listed(synced, "google")]
    synced.google.faults.add(Fault(call="dm.user_lists.get", status=500, times=4))
    synced.meta.faults.add(Fault(call="audiences.read", status=500, times=3))  # then it is left alone
    answer = synced.sync()
    after = [(row["platform_size"], row["read_at"]) for row in _listed(synced, "google")]
    synced.ahead = timedelta(days=8)
    settings = load_settings(str(synced.config))
    clock = lambda: now_utc() + synced.ahead  # noqa: E731 - a clock
    with open_pipeline(settings, clock=clock) as pipeline, pipeline.ledger.leadership() as epoch:
        work = Work(pipeline, epoch)
        work.sizes()
        asked = synced.meta.calls["audiences.read"]
        work.sizes()
    rows = _listed(synced, "google") + _listed(synced, "meta")

    assert (answer.code, before) == (0, after), answer.json["notes"]
    assert synced.meta.calls["audiences.read"] == asked
    assert {len(row["history"]) for row in rows} == {2}
    assert {row["change_in_a_week"] for row in rows} == {0}
    assert {row["terms_accepted"] for row in rows if row["destination"] == "meta"} == {True}
