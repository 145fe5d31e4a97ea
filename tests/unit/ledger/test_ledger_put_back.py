"""An older copy of the ledger was put back: whoever revoked is taken off everywhere, known there or not."""

import json

from ledger_world import (
    EMAIL,
    GOOGLE,
    META,
    PHONE,
    Person,
    World,
    digest,
    everybody,
    people,
    revocation,
)
from structlog.testing import capture_logs

from cohortd.core.identifiers import Family

ANN, BOB, EVE = people("ann", "bob", "eve")


def _put_back(world: World) -> None:
    """Leave the ledger as it is but for the epoch: what a copy of a moment ago would look like."""
    with world.ledger._database.write() as connection:
        connection.exec_driver_sql("UPDATE leader SET epoch = 0")
    world.restart()


def _strange(world: World, person: Person) -> None:
    """Put somebody on the platform of whom the ledger knows nothing."""
    for target in (GOOGLE, META):
        world.platform.members[f"{target.audience}-{target.destination}"] |= everybody(person)


def _assert_again(world: World) -> int | None:
    rows = world.ledger.consent.assert_again(now=world.now)
    _drain(world)
    return rows


def _drain(world: World) -> None:
    """Send all there is: meanwhile the platform holds what the ledger does not know."""
    while (claimed := world.claim()) is not None:
        world.platform.apply(claimed.batch)
        world.settle(claimed)


def test_nothing_is_asked_for_where_no_copy_was_put_back(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    world.restart()

    assert world.ledger.consent.assert_again(now=world.now) is None


def test_a_copy_that_was_put_back_gets_a_newer_epoch_than_any_before(world: World) -> None:
    for _ in range(3):
        world.restart()
    before = world.epoch
    _put_back(world)

    assert world.epoch == before + 1


def test_whoever_revoked_is_taken_off_everywhere_once_more(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB], META: [ANN, BOB]})
    world.revoke(ANN)
    world.drain()
    _put_back(world)
    _strange(world, ANN)
    rows = _assert_again(world)

    assert rows == 4
    assert world.on_platform(GOOGLE) == world.on_platform(META) == everybody(BOB)
    assert world.ledger.consent.assert_again(now=world.now) is None


def test_whoever_a_deletion_list_took_back_is_taken_off_once_more_like_any_other(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    record = revocation(ANN, at=world.now)
    world.ledger.consent.withdraw(record, families=tuple(Family), trigger="drop", now=world.now)
    world.drain()
    _put_back(world)
    _strange(world, ANN)
    rows = _assert_again(world)

    assert rows == 2
    assert ANN.identifiers().isdisjoint(world.on_platform(GOOGLE))
    assert world.ledger.consent.has_revocations()


def test_whoever_revokes_later_is_taken_off_everywhere_though_the_ledger_does_not_know_them(
    world: World,
) -> None:
    world.sync({GOOGLE: [BOB], META: [BOB]})
    _put_back(world)
    _strange(world, EVE)
    world.revoke(EVE, extra=True)
    _drain(world)
    logged = [e.detail for e in world.ledger.removals.entries() if e.event == "queued"]

    assert world.on_platform(GOOGLE) == world.on_platform(META) == everybody(BOB)
    assert set(logged) == {"an older copy of the ledger was put back, so they may be there"}


def test_before_that_a_revocation_asks_only_where_somebody_may_be(world: World) -> None:
    world.sync({GOOGLE: [BOB], META: [BOB]})
    world.revoke(EVE, extra=True)

    assert world.drain() == 0


def test_asking_twice_queues_nothing_twice_while_it_is_open(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(ANN)
    world.drain()
    _put_back(world)
    first = world.ledger.consent.assert_again(now=world.now)
    _put_back(world)

    assert (first, world.ledger.consent.assert_again(now=world.now)) == (2, 0)


def test_another_ledger_counts_from_anew(world: World) -> None:
    (file,) = (world.folder / "state").glob("leader-epoch.json")
    file.write_text(json.dumps({"ledger": "another", "epoch": 99}))
    world.restart()

    assert world.ledger.consent.assert_again(now=world.now) is None


def test_a_file_that_cannot_be_written_holds_nothing_up(world: World) -> None:
    (file,) = (world.folder / "state").glob("leader-epoch.json")
    file.with_suffix(".part").mkdir()  # what no process can write to, not even root's
    with capture_logs() as said:
        world.restart()

    assert world.ledger.leads(world.epoch)
    assert [each["event"] for each in said if each["log_level"] == "error"] == ["epoch_not_kept"]


def test_a_file_that_cannot_be_read_counts_as_a_copy_put_back_and_holds_nothing_up(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(ANN)
    world.drain()
    (file,) = (world.folder / "state").glob("leader-epoch.json")
    file.write_text("{")
    world.restart()

    assert world.ledger.consent.assert_again(now=world.now) == 2


def test_the_identifiers_are_one_row_each_withdrawal(world: World) -> None:
    world.sync({GOOGLE: [BOB]})
    _put_back(world)
    world.revoke(EVE, extra=True)
    claimed = world.must_claim()
    (member,) = claimed.batch.members

    assert {(int(i.kind), i.digest) for i in member.identifiers} == {
        (EMAIL, digest("eve@x")),
        (PHONE, digest("+eve")),
    }
