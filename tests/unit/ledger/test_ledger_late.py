"""An add whose answer was lost may land after the removal that followed it; then it is taken back again."""

from datetime import timedelta

import pytest
from ledger_world import GOOGLE, World, everybody, people

from cohortd.core.delivery import Action, BatchState, Lane, Receipt
from cohortd.core.removals import REPEATED
from cohortd.ledger import Claimed

ANN, BOB = people("ann", "bob")


def _lose_add(world: World) -> Claimed:
    """Send an add whose answer is lost, and of which nobody knows when the platform carries it out."""
    world.plan({GOOGLE: [ANN, BOB]})
    lost = world.must_claim()
    world.postpone(lost)
    return lost


def _revoke_between(world: World) -> Claimed:
    """Lose an add, revoke, and send everything that can be sent at once."""
    lost = _lose_add(world)
    world.revoke(ANN)
    world.drain()
    return lost


def test_whoever_a_lost_add_brings_back_after_their_removal_is_taken_back_a_day_later(world: World) -> None:
    lost = _revoke_between(world)
    assert world.on_platform(GOOGLE) == everybody(BOB)
    world.wait(hours=23)
    world.send(lost)  # only now does the platform carry it out; the ledger still knows of it
    assert world.drain() == 0
    world.wait(hours=1)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)
    assert world.ledger.outbox.open_batches() == []


def test_whoever_is_revoked_soon_after_a_lost_add_was_sent_again_is_taken_back_twice(world: World) -> None:
    lost = _lose_add(world)
    world.drain()
    world.wait(hours=10)
    world.revoke(ANN)
    world.drain()
    assert world.on_platform(GOOGLE) == everybody(BOB)
    world.wait(hours=13)
    world.send(lost)
    world.wait(hours=11)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)


def test_whoever_a_plan_took_out_of_a_lost_add_and_is_revoked_then_is_taken_back_twice(
    world: World,
) -> None:
    lost = _lose_add(world)
    world.plan({GOOGLE: [ANN, BOB]}, hold=[GOOGLE])
    assert world.drain() == 0  # nobody is left in the add, and it ends without another attempt
    world.revoke(ANN)
    world.drain()
    world.wait(hours=23)
    world.send(lost)
    world.wait(hours=2)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)


def test_whoever_was_added_again_since_a_lost_add_and_is_revoked_then_is_taken_back_twice(
    world: World,
) -> None:
    lost = _lose_add(world)
    world.drain()
    world.sync({GOOGLE: [BOB]})
    world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(ANN)
    world.drain()
    world.wait(hours=23)
    world.send(lost)
    world.wait(hours=2)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)


def test_whoever_left_after_a_lost_add_stays_known_until_it_cannot_land_any_more(world: World) -> None:
    lost = _lose_add(world)
    world.drain()
    world.sync({GOOGLE: [BOB]})
    assert world.on_platform(GOOGLE) == everybody(BOB)
    world.wait(hours=23)
    world.send(lost)
    world.wait(hours=2)
    world.sync({GOOGLE: [BOB]})

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)
    assert world.sync({GOOGLE: [BOB]}) == 0


def test_whoever_left_after_a_lost_add_and_is_revoked_then_is_taken_back_again(world: World) -> None:
    lost = _lose_add(world)
    world.drain()
    world.sync({GOOGLE: [BOB]})
    world.revoke(ANN)
    world.drain()
    world.wait(hours=23)
    world.send(lost)
    world.wait(hours=2)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)


@pytest.mark.parametrize("hours", [0, 25])
def test_where_nothing_can_land_late_one_removal_is_enough(world: World, hours: int) -> None:
    if hours:
        _lose_add(world)
        world.drain()
        world.wait(hours=hours)
    else:
        world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(ANN)
    world.drain()

    assert world.ledger.outbox.open_batches() == []
    assert world.in_ledger(GOOGLE) == everybody(BOB)


def test_an_add_that_was_only_accepted_needs_no_removal_a_day_later(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    add = world.must_claim()
    world.accept(add)
    world.revoke(ANN)
    world.settle(add)
    world.drain()

    assert world.ledger.outbox.open_batches() == []


def test_the_repetition_is_logged_and_reopens_no_removal(world: World) -> None:
    _revoke_between(world)
    [before] = world.ledger.removals.timings()
    world.wait(days=1)
    world.drain()

    assert before.confirmed_at is not None
    assert world.ledger.removals.timings() == [before]
    repeated = [entry.event for entry in world.ledger.removals.entries() if entry.detail == REPEATED]
    assert repeated == ["queued", "sent", "confirmed"]


def test_nobody_waits_for_the_repetition_nor_plans_what_it_does(world: World) -> None:
    _revoke_between(world)

    assert len(world.ledger.outbox.open_batches()) == 1
    assert world.ledger.outbox.next_due(["google"]) is None
    assert world.ledger.outbox.summary(world.now)[GOOGLE]["pending"] == 0
    assert world.deltas({GOOGLE: [BOB]})[GOOGLE].removes == 0
    assert world.ledger.outbox.hasten_revocations(world.now) == 0


def test_a_person_is_counted_as_removed_once_when_nothing_of_them_can_land_any_more(world: World) -> None:
    _revoke_between(world)
    world.wait(days=1)
    world.drain()

    assert world.ledger.outbox.summary(world.now - timedelta(days=2))[GOOGLE]["removed"] == 1


def test_revoking_again_while_the_repetition_waits_repeats_nothing_twice(world: World) -> None:
    _revoke_between(world)
    world.wait(minutes=1)
    world.revoke(ANN)
    world.drain()

    assert len(world.ledger.outbox.open_batches()) == 1


def test_whoever_gave_consent_again_is_left_out_of_the_repetition(world: World) -> None:
    _revoke_between(world)
    world.wait(hours=1)
    world.grant()
    world.sync({GOOGLE: [ANN, BOB]})
    world.wait(days=1)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(ANN, BOB) == world.in_ledger(GOOGLE)
    assert world.ledger.outbox.open_batches() == []


def test_whoever_came_back_and_revokes_again_is_taken_back_at_once(world: World) -> None:
    _revoke_between(world)
    world.wait(hours=1)
    world.grant()
    world.sync({GOOGLE: [ANN, BOB]})
    world.wait(hours=1)
    withdrawal = world.revoke(ANN)
    world.drain()

    assert withdrawal.remotes == 1
    assert world.on_platform(GOOGLE) == everybody(BOB)


def test_whoever_came_back_revokes_again_and_lands_late_is_taken_back_although_a_repetition_waits(
    world: World,
) -> None:
    _revoke_between(world)
    world.wait(hours=1)
    world.grant()
    world.plan({GOOGLE: [ANN, BOB]})
    add = world.must_claim()
    world.accept(add)
    world.wait(hours=1)
    world.revoke(ANN)
    world.settle(world.must_claim(Lane.REVOCATION))
    world.send(add)
    world.settle(add)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB)


def test_an_old_repetition_that_consent_ended_does_not_stand_for_a_new_one(world: World) -> None:
    _revoke_between(world)
    world.wait(hours=1)
    world.grant()
    again = _lose_add(world)
    world.drain()
    world.wait(hours=1)
    world.revoke(ANN)
    world.drain()
    world.wait(hours=23)
    world.drain()
    world.send(again)
    world.wait(hours=1)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)


def test_whoever_grants_and_revokes_before_the_repetition_is_taken_back_by_another(world: World) -> None:
    lost = _revoke_between(world)
    world.wait(hours=1)
    world.grant()
    world.wait(hours=1)
    world.revoke(ANN)
    world.drain()
    world.wait(hours=20)
    world.send(lost)
    world.wait(hours=5)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)


def test_a_refused_repetition_is_repeated_later(world: World) -> None:
    lost = _revoke_between(world)
    world.send(lost)
    world.wait(days=1)
    world.settle(world.must_claim(Lane.REVOCATION), Receipt(BatchState.REJECTED, note="not now"))
    assert world.claim() is None
    world.wait(hours=1)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)
    assert [t.confirmed_at is None for t in world.ledger.removals.timings()] == [False]


def test_an_emptied_resend_is_followed_by_the_repetition_too(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    world.postpone(world.must_claim())
    world.revoke(ANN)
    world.drain()

    [waiting] = world.ledger.outbox.open_batches()
    assert (waiting.action, waiting.next_at - world.now) == (Action.REMOVE, timedelta(days=1))


@pytest.mark.parametrize("adds_last", [True, False])
@pytest.mark.parametrize("add_ends_first", [True, False])
def test_whoever_grants_again_while_an_add_and_a_removal_are_at_work_comes_to_be_there(
    world: World, *, adds_last: bool, add_ends_first: bool
) -> None:
    """In which order the platform carries them out, nobody says."""
    world.plan({GOOGLE: [ANN, BOB]})
    add = world.must_claim()
    world.accept(add)
    world.revoke(ANN)
    removal = world.must_claim()
    world.accept(removal)
    world.wait(seconds=1)
    world.grant()
    for claimed in (removal, add) if adds_last else (add, removal):
        world.send(claimed)
    for claimed in (add, removal) if add_ends_first else (removal, add):
        world.settle(claimed)
        world.check_superset()
    world.sync({GOOGLE: [ANN, BOB]})

    assert world.on_platform(GOOGLE) == everybody(ANN, BOB) == world.in_ledger(GOOGLE)
    assert world.sync({GOOGLE: [ANN, BOB]}) == 0


def test_a_removal_under_way_when_a_lost_add_ends_leaves_nothing_behind_in_the_end(world: World) -> None:
    _lose_add(world)
    again = world.must_claim()
    world.accept(again)
    world.revoke(ANN)
    removal = world.must_claim()
    world.accept(removal)
    world.send(again)
    world.settle(again)
    world.send(removal)
    world.settle(removal)
    world.drain()
    world.wait(hours=25)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)
