"""What the platform itself failed at is sent again, later each time; what a row is at fault for is not."""

from ledger_world import GOOGLE, META, Person, World, crowd, everybody, people

from cohortd.core.delivery import Action, BatchState, Lane, Receipt

ANN, BOB, CAT = people("ann", "bob", "cat")
FAILED = Receipt(BatchState.REJECTED, fault="Google failed inside", unattributed={"INTERNAL_ERROR": 1})


def _fail(world: World) -> int:
    """Send an add at which the platform fails; return its batch."""
    claimed = world.must_claim()
    world.accept(claimed)
    world.settle(claimed, FAILED)
    return claimed.batch.id


def test_an_add_at_which_the_platform_failed_is_sent_again_later_each_time(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    waits = []
    for _ in range(10):
        _fail(world)
        assert world.claim() is None
        due = world.ledger.outbox.next_due(["google"])
        assert due is not None
        waits.append((due - world.now).total_seconds() / 60)
        world.now = due
    world.drain()

    assert waits == [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]
    assert world.on_platform(GOOGLE) == everybody(ANN, BOB) == world.in_ledger(GOOGLE)
    assert world.states(GOOGLE) == {"present": 2}


def test_what_waits_after_a_failure_is_in_the_ledger_and_told_as_pending(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    claimed = world.must_claim()
    world.send(claimed)  # a part of it, or all, may have been applied
    world.settle(claimed, FAILED)

    world.check_superset()
    [waiting] = world.ledger.outbox.open_batches()
    assert (waiting.rows, waiting.note) == (2, "Google failed inside")
    assert world.ledger.outbox.summary(world.now)[GOOGLE] == {
        "added": 0,
        "removed": 0,
        "pending": 2,
        "rejected": 0,
    }
    assert world.plan({GOOGLE: [ANN, BOB]})[GOOGLE].adds == 0


def test_what_waits_after_a_failure_holds_nobody_else_up(world: World) -> None:
    world.overlapping = False
    world.sync({GOOGLE: [CAT]})
    world.plan({GOOGLE: [ANN, CAT]})
    _fail(world)
    world.sync({GOOGLE: [ANN, BOB]})

    assert world.on_platform(GOOGLE) == everybody(BOB)


def test_whoever_is_no_longer_desired_is_left_out_when_it_is_sent_again(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    claimed = world.must_claim()
    world.send(claimed)
    world.settle(claimed, FAILED)
    world.sync({GOOGLE: [BOB]})
    assert world.on_platform(GOOGLE) == everybody(BOB)
    world.wait(hours=1)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)


def test_what_waits_for_an_audience_that_is_held_now_is_not_sent_to_it(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    _fail(world)
    world.plan({GOOGLE: [ANN]}, hold=[GOOGLE])
    world.wait(hours=1)
    world.drain()
    assert [batch for batch in world.platform.seen if batch.action is Action.ADD] == []
    world.sync({GOOGLE: [ANN, BOB]})

    assert world.on_platform(GOOGLE) == everybody(ANN, BOB) == world.in_ledger(GOOGLE)


def test_whoever_is_revoked_while_an_add_waits_is_taken_back_and_left_out(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    claimed = world.must_claim()
    world.send(claimed)
    world.settle(claimed, FAILED)
    world.revoke(ANN)
    world.drain()
    assert world.on_platform(GOOGLE) == everybody(BOB)
    world.wait(hours=1)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)
    later_adds = [batch for batch in world.platform.seen[1:] if batch.action is Action.ADD]
    assert [[m.key for m in batch.members] for batch in later_adds] == [[BOB.key]]


def test_a_row_named_in_a_failed_add_is_rejected_and_the_rest_is_sent_again(world: World) -> None:
    world.plan({META: [ANN, BOB, CAT]})
    claimed = world.must_claim()
    world.settle(claimed, Receipt(BatchState.REJECTED, rejected={1: "bad"}, fault="failed"))
    world.wait(minutes=10)
    again = world.must_claim()
    world.settle(again)

    assert again.batch.members == (claimed.batch.members[0], claimed.batch.members[2])
    assert world.states(META) == {"present": 2, "rejected": 1}
    assert world.ledger.members.rejections(META) == {"bad": 1}


def test_a_failed_removal_is_planned_again(world: World) -> None:
    world.sync({GOOGLE: crowd(3)})
    world.plan({GOOGLE: []})
    world.settle(world.must_claim(), FAILED)

    assert world.sync({GOOGLE: []}) == 1
    assert world.on_platform(GOOGLE) == set() == world.in_ledger(GOOGLE)


def test_a_failed_removal_of_a_revoked_person_is_queued_again_and_logged(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    claimed = world.must_claim(Lane.REVOCATION)
    world.accept(claimed)
    world.settle(claimed, FAILED)
    world.wait(hours=1)
    world.drain()

    assert world.on_platform(GOOGLE) == set() == world.in_ledger(GOOGLE)
    assert world.events() == [
        "recorded", "queued", "sent", "accepted", "rejected", "queued", "sent", "confirmed",
    ]  # fmt: skip


def test_an_upload_refused_for_rows_that_are_not_named_is_halved_until_they_are_found(
    world: World,
) -> None:
    persons = crowd(8)
    bad = {persons[3].key}
    world.plan({GOOGLE: persons})
    while (claimed := world.claim()) is not None:
        world.accept(claimed)
        if any(member.key in bad for member in claimed.batch.members):
            world.settle(claimed, Receipt(BatchState.REJECTED, unattributed={"INVALID_FORMAT": 1}))
        else:
            world.send(claimed)
            world.settle(claimed)

    good = [person for person in persons if person.key not in bad]
    assert world.on_platform(GOOGLE) == everybody(*good)
    assert world.states(GOOGLE) == {"present": 7, "rejected": 1}


def test_a_removal_of_which_one_row_was_left_out_is_halved_until_that_row_is_found(world: World) -> None:
    persons = crowd(8)
    world.sync({META: persons})
    world.plan({META: []})
    while (claimed := world.claim()) is not None:
        if any(member.key == persons[3].key for member in claimed.batch.members):
            world.settle(claimed, Receipt(BatchState.REJECTED, unattributed={"not valid": 1}))
        else:
            world.send(claimed)
            world.settle(claimed)

    assert world.on_platform(META) == everybody(persons[3]) == world.in_ledger(META)


def test_an_upload_all_of_whose_rows_were_refused_is_not_halved(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    claimed = world.must_claim()
    world.settle(claimed, Receipt(BatchState.REJECTED, unattributed={"DENIED_CONSENT": 2}, note="FAILED"))

    assert world.claim() is None
    assert world.states(GOOGLE) == {"rejected": 2}


def test_a_rejected_row_is_sent_again_when_something_about_the_person_changed(world: World) -> None:
    world.plan({META: [ANN]})
    world.settle(world.must_claim(), Receipt(BatchState.REJECTED, note="bad"))
    assert world.sync({META: [ANN]}) == 0
    world.sync({META: [Person("ann", email="new@x")]})

    assert world.on_platform(META) == everybody(Person("ann", email="new@x"))


def test_hastening_makes_a_refused_removal_of_a_revoked_person_due_and_nothing_else(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.plan({GOOGLE: [ANN, BOB], META: [CAT]})
    for _ in range(2):
        _fail(world)  # two adds wait ten minutes
    world.revoke(ANN)
    world.settle(world.must_claim(), Receipt(BatchState.REJECTED, note="not now"))
    assert world.claim() is None

    assert world.ledger.outbox.hasten_revocations(world.now) == 1
    assert world.ledger.outbox.hasten_revocations(world.now) == 0
    hastened = world.must_claim()
    assert [m.key for m in hastened.batch.members] == [ANN.key]
    assert world.claim() is None


def test_hastening_leaves_a_removal_alone_that_the_platform_asked_to_wait(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    removal = world.must_claim()
    until = world.now.replace(hour=13)
    world.ledger.outbox.postpone(removal.batch.id, until=until, note="quota", epoch=world.epoch)

    assert world.ledger.outbox.hasten_revocations(world.now) == 0
    assert world.claim() is None
