import pytest
from ledger_world import GOOGLE, META, OTHER, Person, World, crowd, everybody, people

from cohortd.core.delivery import Action, BatchState, Lane, Receipt
from cohortd.core.errors import LedgerError

ANN, BOB, CAT = people("ann", "bob", "cat")


def test_the_ledger_holds_a_member_before_it_is_sent_and_until_its_removal_is_acknowledged(
    world: World,
) -> None:
    world.plan({GOOGLE: [ANN]})
    assert world.in_ledger(GOOGLE) == set()
    add = world.must_claim()
    assert world.in_ledger(GOOGLE) == everybody(ANN)
    world.send(add)
    world.accept(add)
    assert world.states(GOOGLE) == {"adding": 1}
    world.settle(add)
    assert world.states(GOOGLE) == {"present": 1}

    world.plan({GOOGLE: []})
    removal = world.must_claim()
    assert world.states(GOOGLE) == {"removing": 1}
    world.send(removal)
    world.accept(removal)
    assert world.in_ledger(GOOGLE) == everybody(ANN)
    world.settle(removal)
    assert world.in_ledger(GOOGLE) == set()


def test_what_was_is_remembered_with_its_batches(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.wait(days=3)
    world.sync({GOOGLE: []})

    past = world.ledger.members.history_of(ANN.key)
    assert {(row.target, row.removed_at - row.added_at == world.now - row.added_at) for row in past} == {
        (GOOGLE, True)
    }
    assert {(row.added_batch, row.removed_batch) for row in past} == {(1, 2)}
    assert world.ledger.members.history_of(digests=[past[0].digest]) == past[:1]


def test_removals_go_before_adds_and_first_come_first(world: World) -> None:
    world.rows_per_batch = 1
    world.sync({GOOGLE: [ANN], OTHER: [BOB]})
    world.plan({GOOGLE: [BOB], OTHER: [CAT]})

    order = []
    while (claimed := world.claim()) is not None:
        order.append(claimed.batch.action)
        world.settle(claimed)
    assert order == [Action.REMOVE, Action.REMOVE, Action.ADD, Action.ADD]


def test_one_batch_of_a_direction_is_sent_at_a_time(world: World) -> None:
    world.rows_per_batch = 1
    world.plan({GOOGLE: [ANN, BOB], META: [ANN]})
    claimed = [world.must_claim(), world.must_claim()]

    assert {c.remote.target for c in claimed} == {GOOGLE, META}
    assert world.claim() is None
    world.settle(claimed[0])
    assert world.must_claim().remote.target == claimed[0].remote.target


@pytest.mark.parametrize("overlapping", [True, False])
def test_a_second_batch_overlaps_an_accepted_one_only_where_the_platform_allows(
    world: World, *, overlapping: bool
) -> None:
    world.overlapping = overlapping
    world.rows_per_batch = 1
    world.plan({GOOGLE: [ANN, BOB]})
    world.accept(world.must_claim())

    assert (world.claim() is not None) is overlapping


def test_a_regular_batch_waits_for_the_opposite_direction(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.plan({GOOGLE: [BOB]})
    removal = world.must_claim()
    assert removal.batch.action is Action.REMOVE
    assert world.claim() is None
    world.accept(removal)
    assert world.claim() is None
    world.settle(removal)
    assert world.must_claim().batch.action is Action.ADD


def test_a_revocation_waits_for_nothing(world: World) -> None:
    world.overlapping = False
    world.sync({GOOGLE: [ANN, BOB]})
    world.plan({GOOGLE: [ANN, BOB, CAT]})
    world.accept(world.must_claim())
    world.revoke(ANN)
    first = world.must_claim()
    world.revoke(BOB)
    second = world.must_claim()

    assert [first.lane, second.lane] == [Lane.REVOCATION, Lane.REVOCATION]
    assert [m.key for c in (first, second) for m in c.batch.members] == [ANN.key, BOB.key]


def test_the_lane_can_be_chosen(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.plan({GOOGLE: [ANN, BOB]})
    assert world.claim(Lane.REVOCATION) is None
    world.revoke(ANN)
    assert world.must_claim(Lane.REGULAR).batch.action is Action.ADD
    assert world.must_claim(Lane.REVOCATION).batch.action is Action.REMOVE


def test_an_unknown_outcome_is_sent_again_before_anything_new(world: World) -> None:
    world.rows_per_batch = 1
    world.plan({GOOGLE: [ANN, BOB]})
    claimed = world.must_claim()
    world.postpone(claimed)

    again = world.must_claim()
    assert (again.batch, again.attempts) == (claimed.batch, 2)
    assert world.ledger.outbox.open_batches()[0].note == "no answer"


def test_a_postponed_batch_waits_and_lets_no_other_of_its_direction_pass(world: World) -> None:
    world.rows_per_batch = 1
    world.plan({GOOGLE: [ANN, BOB]})
    claimed = world.must_claim()
    until = world.now.replace(hour=13)
    world.ledger.outbox.postpone(claimed.batch.id, until=until, note="busy", epoch=world.epoch)

    assert world.claim() is None
    world.now = until
    assert world.must_claim().batch.id == claimed.batch.id


def test_a_claimed_batch_is_nobodys_again_when_it_is_released_or_after_an_hour(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    claimed = world.must_claim()
    assert world.claim() is None
    world.ledger.outbox.release(claimed.batch.id)
    assert world.must_claim().batch.id == claimed.batch.id
    assert world.claim() is None
    world.wait(hours=1)
    assert world.must_claim().attempts == 3


def test_an_accepted_batch_is_asked_about_when_due(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    claimed = world.must_claim()
    receipt = Receipt(BatchState.ACCEPTED, request="job/1")
    outbox = world.ledger.outbox
    outbox.settle(claimed.batch.id, receipt, now=world.now, epoch=world.epoch, first_poll_s=60)
    due_at = world.now.replace(minute=1)

    assert outbox.due_polls(now=world.now, destinations=["google"]) == []
    assert outbox.next_due(["google"]) == due_at
    assert outbox.next_due(["meta"]) is None
    [due] = outbox.due_polls(now=due_at, destinations=["google"])
    assert (due.batch_id, due.request, due.polls, due.accepted_at) == (
        claimed.batch.id,
        "job/1",
        0,
        world.now,
    )
    outbox.repoll(due.batch_id, at=due_at.replace(minute=2), epoch=world.epoch)
    assert outbox.due_polls(now=due_at, destinations=["google"]) == []
    [due] = outbox.due_polls(now=due_at.replace(minute=2), destinations=["google"])
    assert due.polls == 1


def test_an_acceptance_without_end_is_sent_again(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    claimed = world.must_claim()
    world.accept(claimed)
    world.ledger.outbox.forget_acceptance(claimed.batch.id, now=world.now, epoch=world.epoch)

    assert world.must_claim().batch == claimed.batch


def test_a_batch_that_ended_cannot_be_settled_again(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    claimed = world.must_claim()
    world.settle(claimed)

    with pytest.raises(LedgerError, match="is confirmed, not sending or accepted"):
        world.settle(claimed)
    with pytest.raises(LedgerError, match="no batch 99"):
        world.ledger.outbox.repoll(99, at=world.now, epoch=world.epoch)


def test_a_rejected_member_is_not_tried_again_until_its_payload_changes(world: World) -> None:
    world.plan({META: [ANN, BOB]})
    claimed = world.must_claim()
    index = [m.key for m in claimed.batch.members].index(ANN.key)
    world.settle(claimed, Receipt(BatchState.CONFIRMED, rejected={index: "bad e-mail"}))

    assert world.states(META) == {"present": 1, "rejected": 1}
    assert world.ledger.members.rejections(META) == {"bad e-mail": 1}
    assert world.ledger.outbox.summary(world.now)[META] == {
        "added": 1,
        "removed": 0,
        "pending": 0,
        "rejected": 1,
    }
    assert world.plan({META: [ANN, BOB]})[META].adds == 0
    assert world.plan({META: [Person("ann", payload=b"{}"), BOB]})[META].adds == 1


def test_a_rejected_member_who_is_no_longer_desired_is_forgotten(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    claimed = world.must_claim()
    world.settle(claimed, Receipt(BatchState.CONFIRMED, rejected=dict.fromkeys(range(2), "bad")))
    world.plan({GOOGLE: [BOB]})

    assert world.ledger.members.of_member(ANN.key) == []
    assert world.drain() == 0


def test_a_member_whose_refresh_was_rejected_may_still_be_there_and_is_taken_back(world: World) -> None:
    world.sync({META: [ANN, BOB]})
    world.plan({META: [Person("ann", payload=b"{}"), BOB]})
    world.settle(world.must_claim(), Receipt(BatchState.REJECTED, note="bad profile"))
    assert world.states(META) == {"present": 1, "rejected": 1}

    world.sync({META: [BOB]})
    assert world.on_platform(META) == everybody(BOB)


def test_a_revocation_reaches_a_member_whose_refresh_was_rejected(world: World) -> None:
    world.sync({META: [ANN]})
    world.plan({META: [Person("ann", payload=b"{}")]})
    world.settle(world.must_claim(), Receipt(BatchState.REJECTED, note="bad profile"))
    world.revoke(ANN)
    world.drain()

    assert world.on_platform(META) == set()


def test_a_removal_that_was_refused_puts_the_member_back_and_is_planned_again(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.plan({GOOGLE: []})
    world.settle(world.must_claim(), Receipt(BatchState.REJECTED, note="not now"))

    assert world.states(GOOGLE) == {"present": 1}
    assert world.plan({GOOGLE: []})[GOOGLE].removes == 1


def test_a_member_whose_removal_was_refused_is_sent_again_when_desired(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.plan({GOOGLE: []})
    world.settle(world.must_claim(), Receipt(BatchState.REJECTED, note="not now"))

    assert world.plan({GOOGLE: [ANN]})[GOOGLE].refreshes == 1


def test_rows_the_platform_does_not_name_count_as_rejected_and_stay_in_the_ledger(world: World) -> None:
    world.plan({GOOGLE: crowd(5)})
    world.settle(world.must_claim(), Receipt(BatchState.CONFIRMED, unattributed={"malformed": 2}))

    assert world.ledger.outbox.summary(world.now)[GOOGLE] == {
        "added": 3,
        "removed": 0,
        "pending": 0,
        "rejected": 2,
    }
    assert world.states(GOOGLE) == {"present": 5}


def test_a_refused_batch_without_its_named_rows_is_sent_again(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB, CAT]})
    claimed = world.must_claim()
    world.ledger.outbox.split(claimed.batch.id, rows={1: "bad"}, now=world.now, epoch=world.epoch)
    again = world.must_claim()
    world.send(again)
    world.settle(again)

    assert again.batch.members == (claimed.batch.members[0], claimed.batch.members[2])
    assert world.states(GOOGLE) == {"present": 2, "rejected": 1}
    assert world.ledger.outbox.summary(world.now)[GOOGLE] == {
        "added": 2,
        "removed": 0,
        "pending": 0,
        "rejected": 1,
    }


def test_a_batch_all_of_whose_rows_are_named_is_over(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    claimed = world.must_claim()
    world.ledger.outbox.split(
        claimed.batch.id, rows={0: "bad", 1: "worse"}, now=world.now, epoch=world.epoch
    )

    assert world.ledger.outbox.open_batches() == []
    assert world.ledger.members.rejections(GOOGLE) == {"bad": 1, "worse": 1}


def test_halving_finds_the_row_at_fault_and_everybody_else_gets_in(world: World) -> None:
    persons = crowd(9)
    world.plan({GOOGLE: persons})
    while (claimed := world.claim()) is not None:
        if any(member.key == persons[4].key for member in claimed.batch.members):
            world.ledger.outbox.split(claimed.batch.id, rows={}, now=world.now, epoch=world.epoch)
        else:
            world.send(claimed)
            world.settle(claimed)

    good = [person for person in persons if person is not persons[4]]
    assert world.on_platform(GOOGLE) == everybody(*good)
    assert world.states(GOOGLE) == {"present": 8, "rejected": 1}
    assert world.ledger.members.rejections(GOOGLE) == {"refused by the platform": 1}


def test_a_half_that_waits_is_not_planned_again(world: World) -> None:
    world.plan({GOOGLE: crowd(4)})
    claimed = world.must_claim()
    world.ledger.outbox.split(claimed.batch.id, rows={}, now=world.now, epoch=world.epoch)
    first = world.must_claim()
    world.send(first)
    world.settle(first)

    assert world.plan({GOOGLE: crowd(4)})[GOOGLE].adds == 0


def test_halves_survive_a_new_plan(world: World) -> None:
    world.sync({GOOGLE: crowd(4)})
    world.plan({GOOGLE: []})
    claimed = world.must_claim()
    world.ledger.outbox.split(claimed.batch.id, rows={}, now=world.now, epoch=world.epoch)
    world.sync({GOOGLE: []})

    assert world.on_platform(GOOGLE) == world.in_ledger(GOOGLE) == set()
    assert world.ledger.outbox.open_batches() == []


def test_whoever_comes_back_while_leaving_is_added_after_the_removal(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.plan({GOOGLE: []})
    removal = world.must_claim()
    world.send(removal)
    world.accept(removal)

    assert world.plan({GOOGLE: [ANN]})[GOOGLE].adds == 1
    assert world.claim() is None
    world.settle(removal)
    world.drain()
    assert world.on_platform(GOOGLE) == everybody(ANN) == world.in_ledger(GOOGLE)


def test_whoever_is_left_out_of_a_resend_and_desired_again_is_added_after_all(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    world.postpone(world.must_claim())  # the first attempt never reached the platform
    world.plan({GOOGLE: [BOB]})
    again = world.must_claim()
    world.send(again)
    world.settle(again)
    for _ in range(2):
        world.sync({GOOGLE: [ANN, BOB]})

    assert world.on_platform(GOOGLE) == everybody(ANN, BOB)
    assert world.states(GOOGLE) == {"present": 2}


def test_nothing_is_claimed_for_what_is_paused_blocked_or_not_asked_for(world: World) -> None:
    remotes = world.ledger.remotes
    world.plan({GOOGLE: [ANN]})
    remote = world.ready(GOOGLE)
    remotes.pause(remote, note="flagged")
    assert world.claim() is None
    assert world.ledger.outbox.next_due(["google"]) is None
    remotes.resume(remote)
    remotes.pause_destination("google", reason="token expired", cure="renew it", at=world.now)
    assert world.claim() is None
    assert remotes.paused_destinations() == {"google": ("token expired", "renew it", world.now)}
    remotes.resume_destination("google")
    assert remotes.paused_destinations() == {}
    remotes.block_destination("google", world.now.replace(hour=13))
    assert world.claim() is None
    assert remotes.blocked_until("google") == world.now.replace(hour=13)
    world.wait(hours=1)
    none = world.ledger.outbox.claim(
        now=world.now, epoch=world.epoch, destinations=["meta"], overlapping=lambda _: True
    )
    assert none is None
    assert world.must_claim().batch.members[0].key == ANN.key
