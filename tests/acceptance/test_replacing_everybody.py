"""``sync --replace``: everybody who may be sent is sent anew; whoever else is there is taken off."""

from datetime import timedelta
from pathlib import Path

import pytest
from shop import Shop, open_shop

from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.state import Row
from cohortd.pipeline import resyncing, sessions

WHO = "c00041"


def stranger(number: int) -> Row:
    return frozenset({f"email:{number:064x}"})


def add_strangers(shop: Shop) -> None:
    """Put people on every audience of whom the ledger knows nothing."""
    for number, audience in enumerate(shop.google.audiences()):
        shop.google.state.store.add(audience.id, [stranger(number)])
    for number, audience in enumerate(shop.meta.audiences()):
        shop.meta.store.add(audience.id, [stranger(100 + number)])


def unknown(shop: Shop) -> set[str]:
    """What is on a platform and neither in the ledger nor a stranger: nothing, ever."""
    found = set().union(*shop.unknown_to_ledger().values())
    return {each for each in found if not each.startswith("email:000000")}


def has_strangers(shop: Shop, destination: str) -> bool:
    return any(identifier.startswith("email:000000") for identifier in shop.on(destination))


def is_whole(shop: Shop, destination: str, *without: str) -> bool:
    """Whether exactly who may be there is there."""
    wanted = [customer for customer in shop.customers if customer not in without]
    return shop.on(destination) == shop.expected(wanted, destination)


def test_strangers_are_taken_off_and_everybody_else_is_there_all_the_while(synced: Shop) -> None:
    add_strangers(synced)
    missed: list[str] = []

    def look(name: str) -> None:
        if not synced.expected(synced.customers, "google") <= synced.on("google"):
            missed.append(name)

    synced.wire.after = look
    done = synced.sync("--replace", "--destination", "google")
    synced.wire.after = None
    sent = synced.wire.sent()
    calm = synced.sync()

    assert done.code == 0, done.out
    assert is_whole(synced, "google")
    assert has_strangers(synced, "ads")
    assert missed == []
    assert any("whoever was not is taken off" in note for note in done.json["notes"])
    assert calm.code == 0
    assert synced.wire.sent() == sent


def test_all_members_at_meta_are_replaced(synced: Shop) -> None:
    add_strangers(synced)
    ids = {audience.id for audience in synced.meta.audiences()}
    done = synced.sync("--replace", "--destination", "meta")
    replaced = synced.wire.sent()
    calm = synced.sync()

    assert done.code == 0, done.out
    assert is_whole(synced, "meta")
    assert ids == {audience.id for audience in synced.meta.audiences()}
    assert unknown(synced) == set()
    assert any("all members were replaced" in note for note in done.json["notes"])
    assert calm.code == 0
    assert synced.wire.sent() == replaced


def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have about four parts in each of the shop's audiences, and tried again at once."""
    monkeypatch.setattr(sessions, "ROWS_PER_PART", 36)
    monkeypatch.setattr(sessions, "PART_AGAIN_AFTER_S", 0.05)
    monkeypatch.setattr(resyncing, "PART_AGAIN_AFTER_S", 0.05)


PARTS = [
    Fault(call="users.replace", kind=kind, share=0.5, after=after, times=1)
    for kind in (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.HALF_APPLY)
    for after in (0, 3)
]


@pytest.mark.parametrize("number", range(len(PARTS)))
def test_a_session_of_many_parts_ends_well_although_the_platform_stumbles(
    synced: Shop, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    in_parts(monkeypatch)
    add_strangers(synced)
    synced.meta.faults.add(PARTS[number])
    synced.sync("--replace", "--destination", "meta")
    missed = unknown(synced)
    calls = synced.wire.sent()["users.replace"]
    synced.sync_until_done()

    assert missed == set()
    assert calls > 8
    assert is_whole(synced, "meta")
    assert synced.query("SELECT count(*) FROM resync") == [(0,)]


def test_a_revocation_while_members_are_replaced_goes_out_at_the_end(
    synced: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts(monkeypatch)
    synced.meta.faults.add(Fault(call="users.replace", kind=FaultKind.DROP_BEFORE, after=1, times=None))
    synced.sync("--replace", "--destination", "meta", "--timeout", "2")
    synced.call("revoke", "--customer", WHO)
    synced.meta.faults.clear()
    synced.sync_until_done()

    assert is_whole(synced, "meta", WHO)
    assert unknown(synced) == set()


def test_a_session_that_took_too_long_is_given_up_and_the_rest_is_added(
    synced: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts(monkeypatch)
    add_strangers(synced)
    synced.meta.faults.add(Fault(call="users.replace", kind=FaultKind.DROP_BEFORE, after=1, times=None))
    synced.sync("--replace", "--destination", "meta", "--timeout", "2")
    synced.meta.faults.clear()
    synced.ahead += timedelta(minutes=100)
    given_up = synced.sync()
    synced.sync_until_done(minutes=20)
    missed = unknown(synced)
    there = synced.expected(synced.customers, "meta") <= synced.on("meta")
    synced.sync("--replace", "--destination", "meta")

    assert any("was not replaced whole" in note for note in given_up.json["notes"])
    assert there
    assert missed == set()
    assert is_whole(synced, "meta")


def test_google_ads_is_sent_everybody_and_it_is_told_that_strangers_stay(synced: Shop) -> None:
    add_strangers(synced)
    before = synced.wire.sent()["ads.jobs.add"]
    done = synced.sync("--replace", "--destination", "ads")

    assert done.code == 0, done.out
    assert synced.wire.sent()["ads.jobs.add"] > before
    assert any("strangers stay there" in note for note in done.json["notes"])


def test_one_audience_alone_may_be_replaced(synced: Shop) -> None:
    add_strangers(synced)
    [first, *_] = synced.query("SELECT audience, remote_id FROM remote WHERE destination = 'google'")
    done = synced.sync("--replace", "--destination", "google", "--audience", first[0])
    left = {
        remote
        for remote, held in synced.held().items()
        if any(identifier.startswith("email:000000") for identifier in held)
        and remote.startswith("google:")
    }

    assert done.code == 0, done.out
    assert f"google:{first[1]}" not in left
    assert len(left) == 7


def test_without_waiting_a_later_sync_ends_it(tmp_path: Path) -> None:
    with open_shop(tmp_path / "shop", delay_s=1.0) as shop:
        shop.sync()
        add_strangers(shop)
        shop.call("sync", "--replace", "--destination", "google")
        early = has_strangers(shop, "google")
        status = shop.call("status")
        shop.sync()

    assert early
    assert "sent anew" in status.out
    assert is_whole(shop, "google")


def test_a_guard_stops_it_before_anything_is_begun(synced: Shop) -> None:
    add_strangers(synced)
    for number in range(0, 480, 2):
        synced.customers.pop(f"c{number:05d}")
    synced.write()
    stopped = synced.sync("--replace")

    assert stopped.code == 3
    assert has_strangers(synced, "google")
    assert synced.query("SELECT count(*) FROM resync") == [(0,)]


def test_a_revocation_meanwhile_gets_out_and_nobody_is_sent_back(synced: Shop) -> None:
    add_strangers(synced)
    synced.google.faults.add(
        Fault(call="dm.audience_members.remove_all", kind=FaultKind.DROP_BEFORE, times=9)
    )
    synced.sync("--replace", "--destination", "google", "--timeout", "2")
    synced.call("revoke", "--customer", WHO)
    synced.google.faults.clear()
    synced.ahead += timedelta(hours=2)
    done = synced.sync()

    assert done.code == 0, done.out
    assert is_whole(synced, "google", WHO)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("destination", "call"),
    [
        ("google", "dm.audience_members.ingest"),
        ("google", "dm.audience_members.remove_all"),
        ("meta", "users.replace"),
    ],
)
def test_a_kill_leaves_nothing_unknown_and_the_next_sync_ends_it(
    synced: Shop, destination: str, call: str, when: str
) -> None:
    add_strangers(synced)
    process = None

    def kill(name: str, _text: str = "") -> None:
        if name == call and process is not None and process.poll() is None:
            process.kill()
            process.wait()

    if when == "before":
        synced.wire.before = kill
    else:
        synced.wire.after = kill
    process = synced.start("sync", "--replace", "--destination", destination, "--wait", "--timeout", "40")
    process.communicate(timeout=120)
    synced.wire.wait_idle()
    synced.wire.before = synced.wire.after = None
    there = synced.expected(synced.customers, destination) <= synced.on(destination)
    missed = unknown(synced)
    synced.ahead += timedelta(minutes=70)
    synced.sync_until_done()

    assert process.returncode == -9
    assert there
    assert missed == set()
    assert synced.expected(synced.customers, destination) <= synced.on(destination)
    assert synced.query("SELECT count(*) FROM resync") == [(0,)]
