"""What became of every batch can be told afterwards."""

from datetime import timedelta

from ledger_world import EMAIL, GOOGLE, World, crowd, digest, people

from cohortd.core.delivery import BatchState, Receipt
from cohortd.core.identifiers import Family

ANN, BOB, CAT = people("ann", "bob", "cat")


def test_a_batch_tells_who_was_not_taken_and_why(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB, CAT]})
    claimed = world.must_claim()
    bob = [member.key for member in claimed.batch.members].index(BOB.key)
    world.settle(claimed, Receipt(BatchState.CONFIRMED, rejected={bob: "INVALID_EMAIL"}, note="slow today"))
    [told] = world.ledger.history.batches(world.now, world.now)
    row, _ = world.ledger.history.rejected(GOOGLE, told.id, most=5)

    assert (told.state, told.members, told.done, told.rejected) == ("confirmed", 3, 2, {"INVALID_EMAIL": 1})
    assert told.note == "slow today"
    assert (row.kind, row.digest, row.reason) == (EMAIL, digest("bob@x"), "INVALID_EMAIL")


def test_what_waits_and_what_is_processed_is_told_as_such(world: World) -> None:
    world.rows_per_batch = 2
    world.plan({GOOGLE: crowd(4)})
    claimed = world.must_claim()
    world.settle(claimed, Receipt(BatchState.ACCEPTED, request="r-1"))
    first, second = world.ledger.history.batches(world.now, world.now)

    assert (first.state, first.request, first.settled_at) == ("accepted", "r-1", None)
    assert (second.state, second.attempts) == ("pending", 0)


def test_what_ended_before_is_not_told(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    then = world.now
    world.wait(hours=1)
    world.sync({GOOGLE: [ANN, BOB]})

    assert [b.members for b in world.ledger.history.batches(world.now, world.now)] == [1]
    assert len(world.ledger.history.batches(then, then + timedelta(minutes=1))) == 1


def test_of_many_digests_those_are_told_that_were_ever_sent_and_by_how_many(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.sync({GOOGLE: [BOB]})
    asked = [digest("ann@x"), digest("bob@x"), digest("cat@x")]

    assert world.ledger.members.sent_by(Family.GOOGLE, EMAIL, asked) == {
        asked[0]: {ANN.key},
        asked[1]: {BOB.key},
    }
    assert world.ledger.members.sent_by(Family.META, EMAIL, asked) == {}
