"""A remote audience that is gone: everybody in it is out, and its place is free for another."""

from ledger_world import GOOGLE, World, crowd, people

[ANN] = people("ann")
GONE = "the audience itself is gone"


def _renew(world: World) -> int:
    remote = world.ledger.remotes.get(GOOGLE)
    assert remote is not None
    world.wait(hours=1)
    return world.ledger.renew(remote.id, now=world.now, detail=GONE)


def test_who_was_in_an_audience_that_is_gone_is_in_the_past(world: World) -> None:
    world.sync({GOOGLE: crowd(3)})
    members = _renew(world)

    assert members == 3
    assert world.in_ledger(GOOGLE) == set()
    assert all(world.ledger.members.history_of(person.key) for person in crowd(3))


def test_another_audience_may_be_made_which_is_known_by_another_moment(world: World) -> None:
    world.sync({GOOGLE: crowd(3)})
    before = world.ledger.remotes.get(GOOGLE)
    _renew(world)
    after = world.ledger.remotes.get(GOOGLE)

    assert before is not None
    assert after is not None
    assert (after.remote_id, after.state) == (None, "creating")
    assert after.intended_at > before.intended_at


def test_open_revocations_are_confirmed_as_gone_with_the_audience(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    _renew(world)
    entries = list(world.ledger.removals.entries())

    assert [entry.event for entry in entries] == ["recorded", "queued", "confirmed"]
    assert entries[-1].detail == GONE
    assert not world.ledger.outbox.open_batches()
    assert [timing.confirmed_at for timing in world.ledger.removals.timings()] == [world.now]


def test_a_later_revocation_asks_nothing_of_an_audience_that_is_gone(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    _renew(world)
    world.revoke(ANN)

    assert not world.ledger.outbox.open_batches()
