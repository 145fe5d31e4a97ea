"""What is told to whoever watches: counted without reading the members."""

from datetime import timedelta

from ledger_world import GOOGLE, META, NOW, World, people

from cohortd.ledger import OpenBatches
from cohortd.probing import probe

ANN, BOB = people("ann", "bob")


def test_an_open_removal_is_told_by_its_destination_until_it_is_confirmed(world: World) -> None:
    overview = world.ledger.overview
    world.sync({META: [ANN, BOB]})
    assert overview.confirmed_after(0, limit=9) == []
    asked_at = world.now
    world.revoke(ANN)
    (waiting,), batches = overview.open_removals(), overview.open_batches()
    world.wait(hours=2)
    world.drain()
    (confirmed,) = overview.confirmed_after(0, limit=9)

    assert (waiting.destination, waiting.received_at, waiting.count) == (META.destination, asked_at, 1)
    assert batches == [OpenBatches(META.destination, "revocation", "pending", 1)]
    assert overview.open_removals() == overview.open_batches() == []
    assert (confirmed.destination, confirmed.took_s >= 7200) == (META.destination, True)
    assert overview.confirmed_after(confirmed.seq, limit=9) == []


def test_batches_that_hold_everybody_are_counted_but_not_walked(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    world.ready(GOOGLE)

    assert [each.lane for each in world.ledger.overview.open_batches()] == ["regular"]
    assert world.ledger.overview.open_removals() == []


def test_the_newest_syncs_come_first_and_others_not_at_all(world: World) -> None:
    runs, overview = world.ledger.runs, world.ledger.overview
    for hours, (kind, status) in enumerate(
        [("sync", "done"), ("sync", "stopped"), ("reconciliation", "done"), ("sync", "failed")]
    ):
        at = NOW + timedelta(hours=hours)
        runs.finish(runs.start(kind, as_of=at, at=at), status=status, summary={}, at=at)
    runs.start("sync", as_of=NOW, at=NOW + timedelta(hours=9))

    assert [each.status for each in overview.newest_syncs(9)] == ["failed", "stopped", "done"]
    assert [each.status for each in overview.newest_syncs(1)] == ["failed"]
    assert overview.last_end(("done", "partial")) == NOW
    assert overview.last_end(("partial",)) is None


def test_a_ledger_in_either_database_is_found_ready(world: World) -> None:
    found = probe(world.url)

    assert (found.reachable, found.migrated, found.writable, found.fault) == (True, True, True, "")
