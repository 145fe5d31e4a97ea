"""Which remote audiences are ours: none is taken over, moved or given up without a person's word."""

import pytest
from shop import GOOGLE_ACCOUNT, Shop, add_customer, grant

WHO = "c00041"


def _lose_ledger(shop: Shop) -> None:
    for file in shop.data_dir.glob("cohortd.db*"):
        file.unlink()


def _delete_on_meta(shop: Shop, who: str) -> str:
    """Delete the audience that somebody is in, as a marketer would; return the segment."""
    rows = shop.query(
        "SELECT remote_id, audience FROM remote WHERE destination = 'meta' AND superseded = 0"
    )
    names = {str(remote_id): audience for remote_id, audience in rows}
    wanted = shop.known_of(who, "meta")
    [found] = [each for each, known in shop.in_ledger().items() if each in names and known & wanted]
    shop.meta.store.delete(found)
    return names[found]


def test_audiences_of_a_lost_ledger_are_not_taken_over_and_told_until_they_are_gone(synced: Shop) -> None:
    before = synced.held()
    _lose_ledger(synced)
    synced.consent.append(grant(WHO, "2026-02-01T00:00:00Z", "revoked"))
    synced.write()
    first, second, status, check = synced.sync(), synced.sync(), synced.call("status"), synced.call("check")
    made = synced.held().keys() - before.keys()
    told = [note for note in second.json["notes"] if "another ledger made" in note]

    assert len(made) == len(before)
    assert {remote: synced.held()[remote] for remote in before} == before
    assert not any(synced.held()[remote] & synced.known_of(WHO, "google") for remote in made)
    assert (first.code, second.code, status.code, check.code) == (1, 1, 1, 1)
    assert len(told) == len(synced.settings["destinations"])
    assert all("whoever revokes stays in them" in note for note in told)
    assert "another ledger made" in status.out
    assert "another ledger made" in check.out


def test_audiences_of_a_lost_ledger_that_were_deleted_are_told_no_more(synced: Shop) -> None:
    old = list(synced.held())
    _lose_ledger(synced)
    synced.sync()
    for remote in old:
        platform, _, remote_id = remote.partition(":")
        (synced.google.state.store if platform == "google" else synced.meta.store).delete(remote_id)
    answer = synced.sync()

    assert answer.code == 0, answer.json["notes"]
    assert synced.call("status").code == 0


def test_an_audience_made_after_the_copy_that_was_put_back_is_not_taken_over(shop: Shop) -> None:
    shop.settings["destinations"] = shop.settings["destinations"][:1]
    shop.write()
    shop.call("plan")
    copies = {file: file.read_bytes() for file in shop.data_dir.glob("cohortd.db*")}
    shop.sync()
    _lose_ledger(shop)
    for file, content in copies.items():
        file.write_bytes(content)
    answer = shop.sync()

    assert answer.code == 1
    assert [note for note in answer.json["notes"] if "another ledger made" in note]


def test_an_installation_with_destinations_of_other_names_is_left_alone(synced: Shop) -> None:
    _lose_ledger(synced)
    for destination in synced.settings["destinations"]:
        destination["name"] = f"{destination['name']}-two"
    synced.write()

    assert synced.sync().code == 0


def test_two_destinations_of_one_account_are_refused(shop: Shop) -> None:
    shop.settings["destinations"].append({**shop.settings["destinations"][0], "name": "again"})
    shop.write()
    answer = shop.call("check")

    assert answer.code == 2
    assert "google and again are the same google_data_manager account" in answer.err


@pytest.mark.parametrize("command", ["check", "plan", "sync", "revoke --customer c00041"])
def test_another_account_under_a_name_that_was_sent_to_is_refused(synced: Shop, command: str) -> None:
    synced.settings["destinations"][0]["account_id"] = "9999999999"
    synced.write()
    answer = synced.call(*command.split())

    assert answer.code == 2
    assert f"destination google belonged to google_data_manager account {GOOGLE_ACCOUNT}" in answer.err


def test_a_destination_moves_to_googles_other_interface_with_its_audiences(synced: Shop) -> None:
    before = set(synced.held())
    synced.settings["destinations"][0]["platform"] = "google_ads"
    comes = add_customer(synced, 480)
    synced.write()
    synced.sync()
    synced.call("revoke", "--customer", WHO)
    platforms = synced.query("SELECT DISTINCT platform FROM removal_log WHERE destination = 'google'")

    assert set(synced.held()) == before
    assert synced.destinations_of(comes) == {"google", "ads", "meta"}
    assert platforms == [("google_ads",)]


def test_a_deleted_audience_is_made_anew_where_a_person_says_so(synced: Shop) -> None:
    segment = _delete_on_meta(synced, WHO)
    synced.sync("--audience", segment)
    renewed = synced.call("audiences", "--renew", segment, "--destination", "meta")
    answer = synced.sync()

    assert renewed.code == 0, renewed.err
    assert answer.code == 0, answer.json["notes"]
    assert synced.on("meta") == synced.expected(synced.customers, "meta")
    assert synced.unknown_to_ledger() == {}


def test_a_deleted_audience_is_never_made_anew_unasked(synced: Shop) -> None:
    _delete_on_meta(synced, WHO)
    count = len(synced.meta.audiences())
    for number in range(480, 484):
        add_customer(synced, number)
    synced.write()
    answers = [synced.sync(), synced.sync()]

    assert [answer.code for answer in answers] == [1, 1]
    assert len(synced.meta.audiences()) == count
    assert "--renew" in " ".join(answers[0].json["notes"])


def test_revocations_of_a_deleted_audiences_members_are_confirmed_as_gone_with_it(synced: Shop) -> None:
    segment = _delete_on_meta(synced, WHO)
    revoked = synced.call("revoke", "--customer", WHO)
    synced.call("audiences", "--renew", segment, "--destination", "meta")
    logged = synced.query("SELECT event, detail FROM removal_log WHERE destination = 'meta' ORDER BY seq")
    again = synced.sync()

    assert revoked.code == 1
    assert logged[-1] == ("confirmed", "the audience itself is gone")
    assert again.code == 0, again.json["notes"]
    assert synced.destinations_of(WHO) == set()
    assert synced.call("status").code == 0


def test_an_audience_that_is_there_is_not_given_up(synced: Shop) -> None:
    before = synced.in_ledger()
    answers = [
        synced.call("audiences", "--renew", "s1", "--destination", name)
        for name in ("google", "ads", "meta")
    ]
    vague, unknown = synced.call("audiences", "--renew", "s1"), synced.call("audiences", "--renew", "s99")

    assert [answer.code for answer in (*answers, vague, unknown)] == [2] * 5
    assert all("Nothing was done" in answer.err for answer in answers)
    assert synced.in_ledger() == before
