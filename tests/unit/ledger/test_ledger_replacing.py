"""A removal refused by name: who stays, what is in doubt meanwhile, what its end confirms."""

import pytest
from ledger_world import META, Person, World, crowd, everybody, people

from cohortd.core.delivery import BatchState, Lane, Receipt
from cohortd.core.identifiers import IdentifierKind
from cohortd.ledger import BY_DELETING, BY_REPLACING, Claimed, Replacement

[ANN] = people("ann")
CROWD = crowd(3)


def begin(world: World, claimed: Claimed) -> Replacement | None:
    return world.ledger.outbox.begin_replacement(
        claimed.batch.id, kinds=list(IdentifierKind), refusal="too small", now=world.now, epoch=world.epoch
    )


def must_begin(world: World) -> Replacement:
    replacement = begin(world, world.must_claim(Lane.REVOCATION))
    assert replacement is not None
    return replacement


def finish(world: World, replacement: Replacement, receipt: Receipt | None = None) -> None:
    content = replacement.content
    world.platform.members[content.remote_id] = held(replacement)
    world.check_superset()
    receipt = receipt or Receipt(BatchState.CONFIRMED)
    world.ledger.outbox.finish_replacement(replacement, receipt, now=world.now, epoch=world.epoch)
    world.check_superset()


def held(replacement: Replacement) -> set[tuple[int, bytes]]:
    members = replacement.content.members
    return {(int(each.kind), each.digest) for member in members for each in member.identifiers}


def refreshes(world: World, *who: Person) -> int:
    return world.deltas({META: who})[META].refreshes


def test_everybody_stays_who_neither_leaves_nor_is_suppressed(world: World) -> None:
    world.sync({META: [ANN, *CROWD]})
    world.plan({META: [ANN, *CROWD[1:]]})
    world.revoke(ANN)
    replacement = must_begin(world)

    assert held(replacement) == everybody(*CROWD[1:])


def test_whoever_is_on_the_way_stays_too(world: World) -> None:
    world.sync({META: [ANN, *CROWD]})
    [new] = people("new")
    world.plan({META: [ANN, *CROWD, new]})
    lost = world.must_claim()
    world.restart()
    world.revoke(ANN)
    replacement = must_begin(world)

    assert lost.batch.members
    assert held(replacement) == everybody(*CROWD, new)


def test_everybody_is_sent_again_where_the_end_was_never_heard_of(world: World) -> None:
    world.sync({META: [ANN, *CROWD]})
    world.revoke(ANN)
    must_begin(world)
    world.restart()
    again = world.must_claim(Lane.REVOCATION)

    assert refreshes(world, *CROWD) == 3
    assert again.attempts == 2
    assert world.in_ledger(META) == everybody(ANN, *CROWD)


def test_a_confirmed_end_takes_out_who_left_and_nobody_is_sent_again(world: World) -> None:
    world.sync({META: [ANN, *CROWD]})
    world.plan({META: [ANN, *CROWD[1:]]})
    world.revoke(ANN)
    finish(world, must_begin(world))
    last = list(world.ledger.removals.entries())[-1]

    assert world.in_ledger(META) == everybody(*CROWD[1:])
    assert not world.ledger.outbox.open_batches()
    assert (last.event, last.detail) == ("confirmed", BY_REPLACING)
    assert refreshes(world, *CROWD[1:]) == 0
    assert world.ledger.members.history_of(ANN.key)


def test_a_revocation_that_came_meanwhile_is_not_confirmed_by_it(world: World) -> None:
    world.sync({META: [ANN, *CROWD]})
    world.revoke(ANN)
    replacement = must_begin(world)
    world.revoke(CROWD[0])
    finish(world, replacement)
    [waiting] = world.ledger.outbox.open_batches()

    assert waiting.rows == 1
    assert everybody(CROWD[0]) <= world.in_ledger(META)


def test_those_whom_the_platform_did_not_take_stay_in_doubt(world: World) -> None:
    world.sync({META: [ANN, *CROWD]})
    world.revoke(ANN)
    finish(world, must_begin(world), Receipt(BatchState.CONFIRMED, rejected={0: "no"}))

    assert refreshes(world, *CROWD) == 1


def test_all_stay_in_doubt_where_the_platform_does_not_say_whom_it_left_out(world: World) -> None:
    world.sync({META: [ANN, *CROWD]})
    world.revoke(ANN)
    finish(world, must_begin(world), Receipt(BatchState.CONFIRMED, unattributed={"no": 1}))

    assert refreshes(world, *CROWD) == 3


def test_identifiers_that_a_replacement_does_not_carry_are_sent_again(world: World) -> None:
    world.sync({META: [ANN, *CROWD]})
    world.revoke(ANN)
    claimed = world.must_claim(Lane.REVOCATION)
    replacement = world.ledger.outbox.begin_replacement(
        claimed.batch.id, kinds=[IdentifierKind.EMAIL], refusal="", now=world.now, epoch=world.epoch
    )
    assert replacement is not None
    finish(world, replacement)

    assert refreshes(world, *CROWD) == 3


def test_it_does_not_begin_while_this_process_sends_an_add_to_the_audience(world: World) -> None:
    world.sync({META: [ANN, *CROWD]})
    [new] = people("new")
    world.plan({META: [ANN, *CROWD, new]})
    world.must_claim()
    world.revoke(ANN)
    claimed = world.must_claim(Lane.REVOCATION)

    assert begin(world, claimed) is None


@pytest.mark.parametrize("killed", [False, True])
def test_a_deleted_audience_is_given_up_with_everybody_in_it(world: World, *, killed: bool) -> None:
    world.sync({META: [ANN, *CROWD]})
    world.revoke(ANN)
    claimed = world.must_claim(Lane.REVOCATION)
    begun = world.ledger.outbox.begin_deletion(
        claimed.batch.id, refusal="too small", now=world.now, epoch=world.epoch
    )
    before = world.in_ledger(META)
    world.platform.members.clear()
    if killed:
        world.restart()
        claimed = world.must_claim(Lane.REVOCATION)
    members = world.ledger.outbox.finish_deletion(claimed.batch.id, now=world.now, epoch=world.epoch)
    last = list(world.ledger.removals.entries())[-1]

    assert begun
    assert before == everybody(ANN, *CROWD)
    assert members == 4
    assert world.in_ledger(META) == set()
    assert (last.event, last.detail) == ("confirmed", BY_DELETING)
