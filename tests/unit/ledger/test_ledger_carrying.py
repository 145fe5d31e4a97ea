"""Who comes and leaves by a resync of their audience, and by name where it does not come to its end."""

from datetime import timedelta

import pytest
from ledger_world import FAMILIES, GOOGLE, META, Person, World, crowd, everybody, people, staged_rows

from cohortd.core.delivery import BatchState, Receipt
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.planning import Target
from cohortd.ledger import BY_SESSION, BY_SWEEPING, Resync

CROWD = crowd(6)
STAY = CROWD[:2]
NEW = people("new", "newer")
KINDS = list(IdentifierKind)
DONE = Receipt(BatchState.CONFIRMED)


def replaced(world: World, target: Target, desired: list[Person]) -> None:
    """Everybody was sent an hour ago; now a plan has the target replaced."""
    world.sync({target: CROWD})
    world.wait(hours=1)
    swept = target is GOOGLE
    world.plan({target: desired}, replaced=[target], refresh_days=0 if swept else None)
    since = world.now if swept else None
    world.ledger.resyncs.begin([world.ready(target)], since=since, now=world.now, epoch=world.epoch)


def due(world: World, target: Target) -> Resync:
    [found] = world.ledger.resyncs.due(now=world.now, destinations=[target.destination])
    return found


def in_session(world: World) -> Resync:
    return world.ledger.resyncs.open_session(due(world, META), "7", now=world.now, epoch=world.epoch)


def test_whoever_leaves_waits_for_everybody_else_to_be_sent_and_is_confirmed_with_the_end(
    world: World,
) -> None:
    replaced(world, GOOGLE, STAY)
    sent = world.drain()
    resync = due(world, GOOGLE)
    known = world.in_ledger(GOOGLE)
    left = world.ledger.resyncs.done(resync, how=BY_SWEEPING, now=world.now, epoch=world.epoch)

    assert sent == 1
    assert known == everybody(*CROWD)
    assert left == 4
    assert world.in_ledger(GOOGLE) == everybody(*STAY)
    assert world.ledger.outbox.open_batches() == []
    assert world.ledger.outbox.summary(world.now - timedelta(hours=1))[GOOGLE]["removed"] == 4


def test_a_plan_meanwhile_takes_them_for_gone_and_has_whoever_comes_back_added(world: World) -> None:
    replaced(world, GOOGLE, STAY)
    delta = world.deltas({GOOGLE: STAY})[GOOGLE]
    world.plan({GOOGLE: CROWD[:3]})
    world.drain()
    left = world.ledger.resyncs.done(due(world, GOOGLE), how=BY_SWEEPING, now=world.now, epoch=world.epoch)

    assert (delta.removes, delta.present) == (0, 2)
    assert left == 3
    assert world.in_ledger(GOOGLE) == everybody(*CROWD[:3])


@pytest.mark.parametrize("target", [GOOGLE, META], ids=["swept", "in a session"])
def test_given_up_it_leaves_everything_to_be_sent_by_name(world: World, target: Target) -> None:
    replaced(world, target, [*STAY, *NEW])
    if target is META:
        world.ledger.resyncs.next_part(in_session(world), kinds=KINDS, rows=2, epoch=world.epoch)
    world.drain()
    world.restart()
    world.ledger.resyncs.end(due(world, target), now=world.now, epoch=world.epoch)
    world.drain()

    assert world.on_platform(target) == world.in_ledger(target) == everybody(*STAY, *NEW)


def test_a_session_carries_new_members_but_nobody_who_took_consent_back(world: World) -> None:
    replaced(world, META, [*STAY, *NEW])
    resync, held = in_session(world), []
    while True:
        part = world.ledger.resyncs.next_part(resync, kinds=KINDS, rows=2, epoch=world.epoch)
        held += part.members
        resync = world.ledger.resyncs.part_taken(resync, part, DONE, now=world.now, epoch=world.epoch)
        if part.is_last:
            break
        gone = next(each for each in [*STAY, *NEW] if each.key not in {m.key for m in held})
        world.revoke(gone)
    left = world.ledger.resyncs.done(resync, how=BY_SESSION, now=world.now, epoch=world.epoch)
    taken_back = world.must_claim()

    assert left == 4
    assert {member.key for member in held} == {each.key for each in [*STAY, *NEW] if each != gone}
    assert [member.key for member in taken_back.batch.members] == [gone.key]
    assert world.in_ledger(META) == everybody(*STAY, *NEW)


def test_a_target_that_may_no_longer_be_fed_has_whoever_leaves_taken_off_by_name(world: World) -> None:
    replaced(world, GOOGLE, STAY)
    world.plan({GOOGLE: STAY}, hold=[GOOGLE])
    world.drain()

    assert world.on_platform(GOOGLE) == world.in_ledger(GOOGLE) == everybody(*STAY)
    assert world.ledger.resyncs.open() == []


def test_whose_last_add_had_not_ended_before_is_taken_off_by_name(world: World) -> None:
    world.plan({GOOGLE: CROWD})
    claimed = world.must_claim()
    world.send(claimed)
    world.wait(hours=1)
    since = world.now
    world.wait(minutes=1)
    world.settle(claimed)
    with world.ledger.compare() as comparison:
        comparison.stage(
            GOOGLE, FAMILIES["google"], staged_rows([row for each in STAY for row in each.rows()])
        )
        comparison.deltas(now=world.now, refresh_after=lambda _: None)
        comparison.enqueue(
            [GOOGLE],
            hold_adds=[],
            rows_per_batch=lambda _: 100,
            version=1,
            at=world.now,
            epoch=world.epoch,
            replaced={GOOGLE: since},
        )
    world.ledger.resyncs.begin([world.ready(GOOGLE)], since=since, now=world.now, epoch=world.epoch)

    assert len(world.must_claim().batch.members) == 4
