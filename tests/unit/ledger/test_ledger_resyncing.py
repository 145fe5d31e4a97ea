"""Remote audiences that are sent anew: who is in doubt, when others may be forgotten, part by part."""

from dataclasses import replace
from datetime import timedelta

from ledger_world import GOOGLE, META, World, crowd, everybody, people

from cohortd.core.delivery import BatchState, Lane, Receipt
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.planning import Target
from cohortd.ledger import Resync

CROWD = crowd(6)
KINDS = list(IdentifierKind)
DONE = Receipt(BatchState.CONFIRMED)


def begin(world: World, target: Target, *, swept: bool) -> None:
    world.wait(hours=1)
    since = world.now - timedelta(minutes=5) if swept else None
    world.ledger.resyncs.begin([world.ready(target)], since=since, now=world.now, epoch=world.epoch)


def due(world: World, target: Target) -> Resync | None:
    [*found] = world.ledger.resyncs.due(now=world.now, destinations=[target.destination])
    return found[0] if found else None


def session(world: World) -> Resync:
    resync = due(world, META)
    assert resync is not None
    return world.ledger.resyncs.open_session(resync, "7", now=world.now, epoch=world.epoch)


def refreshes(world: World) -> int:
    return world.deltas({META: CROWD})[META].refreshes


def test_others_are_forgotten_once_everybody_was_sent_again_and_confirmed(world: World) -> None:
    world.sync({GOOGLE: CROWD})
    begin(world, GOOGLE, swept=True)
    before = due(world, GOOGLE)
    world.plan({GOOGLE: CROWD})
    queued = due(world, GOOGLE)
    world.drain()
    after = due(world, GOOGLE)

    assert (before, queued) == (None, None)
    assert after is not None
    assert world.ledger.resyncs.next_due(["google"]) is not None


def test_what_the_platform_was_told_is_asked_about_whoever_is_added_meanwhile(world: World) -> None:
    world.sync({GOOGLE: CROWD})
    begin(world, GOOGLE, swept=True)
    world.sync({GOOGLE: CROWD})
    resync = due(world, GOOGLE)
    assert resync is not None
    world.ledger.resyncs.requested(resync, "r1", at=world.now, epoch=world.epoch)
    world.plan({GOOGLE: [*CROWD, *people("new")]})
    asked = due(world, GOOGLE)

    assert asked is not None
    assert asked.request == "r1"


def test_parts_hold_everybody_once_and_are_certain_when_they_were_taken(world: World) -> None:
    world.sync({META: CROWD})
    begin(world, META, swept=False)
    resync, held, numbers = session(world), [], []
    assert refreshes(world) == 6
    for _ in range(3):
        part = world.ledger.resyncs.next_part(resync, kinds=KINDS, rows=2, epoch=world.epoch)
        held += part.members
        numbers.append((part.number, part.is_last))
        resync = world.ledger.resyncs.part_taken(resync, part, DONE, now=world.now, epoch=world.epoch)

    assert numbers == [(1, False), (2, False), (3, True)]
    assert {(int(i.kind), i.digest) for member in held for i in member.identifiers} == everybody(*CROWD)
    assert len(held) == 6
    assert refreshes(world) == 0


def test_a_first_part_without_an_answer_goes_as_the_second_one(world: World) -> None:
    world.sync({META: CROWD})
    begin(world, META, swept=False)
    first = world.ledger.resyncs.next_part(session(world), kinds=KINDS, rows=2, epoch=world.epoch)
    world.restart()
    resync = due(world, META)
    assert resync is not None
    again = world.ledger.resyncs.next_part(resync, kinds=KINDS, rows=2, epoch=world.epoch)

    assert again == replace(first, number=2)


def test_a_part_leaves_out_who_was_revoked_since(world: World) -> None:
    world.sync({META: CROWD})
    begin(world, META, swept=False)
    resync = session(world)
    world.revoke(CROWD[0])
    part = world.ledger.resyncs.next_part(resync, kinds=KINDS, rows=99, epoch=world.epoch)

    assert CROWD[0].key not in {member.key for member in part.members}
    assert len(part.members) == 5


def test_no_add_goes_out_while_members_are_replaced_and_a_revocation_waits_for_the_part(
    world: World,
) -> None:
    world.sync({META: CROWD})
    begin(world, META, swept=False)
    resync = session(world)
    world.plan({META: [*CROWD, *people("new")]})
    world.revoke(CROWD[0])
    with world.ledger.outbox.alone(resync.remote.id, now=world.now) as is_alone:
        meanwhile = world.claim()
    revocation = world.must_claim(Lane.REVOCATION)
    other = world.claim()
    world.settle(revocation)
    world.ledger.resyncs.end(resync, now=world.now, epoch=world.epoch)

    assert is_alone
    assert meanwhile is None
    assert other is None
    assert world.claim() is not None


def test_members_are_not_replaced_while_a_batch_is_being_sent(world: World) -> None:
    world.sync({META: CROWD})
    world.plan({META: [*CROWD, *people("new")]})
    world.must_claim()
    with world.ledger.outbox.alone(world.ready(META), now=world.now) as is_alone:
        assert not is_alone
