from collections import Counter

import pytest
from ledger_world import (
    EMAIL,
    GOOGLE,
    META,
    OTHER,
    PHONE,
    Person,
    World,
    crowd,
    digest,
    everybody,
    people,
    revocation,
)

from cohortd.core.delivery import Action, BatchState, Lane, Receipt
from cohortd.core.errors import SettingsError
from cohortd.core.identifiers import Family
from cohortd.ledger import Withdrawn

ANN, BOB, CAT = people("ann", "bob", "cat")


def test_a_revocation_queues_removals_wherever_the_person_may_be(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB], OTHER: [ANN], META: [ANN, CAT]})
    withdrawal = world.revoke(ANN)
    batches = world.ledger.outbox.open_batches()

    assert (withdrawal.remotes, withdrawal.identifiers) == (3, 4)
    assert {(b.target, b.action, b.lane, b.rows) for b in batches} == {
        (target, Action.REMOVE, Lane.REVOCATION, 1) for target in (GOOGLE, OTHER, META)
    }
    world.drain()
    assert world.on_platform(GOOGLE) == everybody(BOB)
    assert world.on_platform(OTHER) == set()
    assert world.on_platform(META) == everybody(CAT)


def test_a_revocation_for_one_platform_leaves_the_other(world: World) -> None:
    world.sync({GOOGLE: [ANN], META: [ANN]})
    world.ledger.consent.withdraw(
        revocation(ANN, at=world.now), families=[Family.META], trigger="revoked", now=world.now
    )
    world.sync({GOOGLE: [ANN], META: [ANN]})

    assert world.on_platform(GOOGLE) == everybody(ANN)
    assert world.on_platform(META) == set()


def test_a_person_erased_at_the_source_is_taken_back_as_they_were_sent(world: World) -> None:
    old = Person("ann", email="old@x")
    world.sync({GOOGLE: [old]})
    world.plan({GOOGLE: [Person("ann", email="new@x")]})
    world.revoke(ANN)
    world.drain()

    assert world.on_platform(GOOGLE) == set()


def test_a_person_is_found_by_an_email_they_carried_once(world: World) -> None:
    world.sync({GOOGLE: [Person("ann", email="old@x")]})
    world.sync({GOOGLE: [Person("ann", email="new@x")]})
    world.revoke_email("old@x")
    world.sync({GOOGLE: [Person("ann", email="new@x")]})

    assert world.on_platform(GOOGLE) == set()


def test_a_shared_identifier_is_removed_for_both_and_the_other_person_stays(world: World) -> None:
    pair = sorted([Person("ann", email="home@x"), Person("bob", email="home@x")], key=lambda p: p.key)
    for index, gone in enumerate(pair):
        stays = pair[1 - index]
        world.sync({GOOGLE: pair})
        world.revoke(gone)
        world.sync({GOOGLE: pair})

        assert world.on_platform(GOOGLE) == {(PHONE, digest(f"+{stays.name}"))}
        world.wait(days=1)
        world.grant()


def test_a_revocation_by_email_takes_back_all_of_whoever_carries_it(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB], META: [ANN]})
    world.revoke_email("ann@x")
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB)
    assert world.on_platform(META) == set()
    suppressed = world.ledger.consent.suppressed(Family.META)
    assert suppressed.members == {ANN.key}
    assert suppressed.digests == ANN.identifiers()
    assert suppressed.contact_causes == {(EMAIL, digest("ann@x")): world.now}


def test_revoking_twice_queues_nothing_twice_while_a_removal_is_open(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    first, again = world.revoke(ANN), world.revoke(ANN)
    removal = world.must_claim()
    under_way = world.revoke(ANN)

    assert [w.remotes for w in (first, again, under_way)] == [1, 0, 0]
    assert len({w.subject for w in (first, again)}) == 1
    world.send(removal)
    world.settle(removal)
    assert world.revoke(ANN).remotes == 0
    assert world.events() == ["recorded", "queued", "sent", "confirmed"]


def test_a_second_record_about_the_same_person_queues_nothing_twice(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    world.wait(minutes=1)

    assert world.revoke(ANN).remotes == 0
    assert len(world.ledger.consent.active()) == 2


def test_who_was_never_sent_is_suppressed_without_any_removal(world: World) -> None:
    withdrawal = world.revoke(ANN, extra=True)

    assert (withdrawal.remotes, withdrawal.identifiers) == (0, 4)
    assert world.events() == ["recorded"]
    world.sync({GOOGLE: [ANN, BOB]})
    assert world.on_platform(GOOGLE) == everybody(BOB)


def test_a_claim_leaves_out_whoever_was_revoked_after_the_plan(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB], META: [ANN]})
    world.revoke(ANN)

    claimed = world.must_claim()
    assert [member.key for member in claimed.batch.members] == [BOB.key]
    assert world.claim() is None
    assert world.ledger.members.of_member(ANN.key) == []
    assert [b.target for b in world.ledger.outbox.open_batches()] == [GOOGLE]


def test_a_claim_leaves_out_one_identifier_that_was_revoked(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    world.revoke(Person("bob", email="ann@x"), extra=True)

    [member] = world.must_claim().batch.members
    assert [int(identifier.kind) for identifier in member.identifiers] == [PHONE]


def test_an_add_without_an_answer_is_sent_again_without_the_revoked(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    add = world.must_claim()
    world.send(add)
    world.restart()
    world.revoke(ANN)

    removal = world.must_claim()
    assert removal.lane is Lane.REVOCATION
    world.send(removal)
    world.settle(removal)
    again = world.must_claim()
    assert [member.key for member in again.batch.members] == [BOB.key]
    world.send(again)
    world.settle(again)
    world.drain()
    assert world.on_platform(GOOGLE) == everybody(BOB)


@pytest.mark.parametrize("removal_first", [True, False])
def test_an_add_that_lands_after_the_removal_is_taken_back_again(
    world: World, *, removal_first: bool
) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    add = world.must_claim()
    world.accept(add)  # taken, not yet done
    world.revoke(ANN)
    removal = world.must_claim()
    if removal_first:
        world.send(removal)
        world.settle(removal)
        world.send(add)
        world.settle(add)
    else:
        world.send(removal)
        world.accept(removal)
        world.send(add)
        world.settle(add)
        world.settle(removal)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)
    assert [batch.action for batch in world.platform.seen].count(Action.REMOVE) == 2
    assert world.events().count("confirmed") == 2


def test_the_repeated_removal_also_follows_a_resend_that_left_the_person_out(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    add = world.must_claim()
    world.postpone(add)
    world.revoke(ANN)
    removal = world.must_claim()
    world.settle(removal)
    world.settle(world.must_claim())
    repeated = world.must_claim()

    assert (repeated.lane, [m.key for m in repeated.batch.members]) == (Lane.REVOCATION, [ANN.key])
    world.settle(repeated)
    assert world.claim() is None


def test_an_emptied_resend_ends_and_its_people_are_taken_back_once_more(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    world.postpone(world.must_claim())
    world.revoke(ANN)
    world.settle(world.must_claim())
    repeated = world.must_claim()
    world.settle(repeated)

    assert (repeated.batch.action, repeated.lane) == (Action.REMOVE, Lane.REVOCATION)
    assert world.claim() is None


def test_an_add_refused_at_once_needs_no_second_removal(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    add = world.must_claim()
    world.revoke(ANN)
    world.settle(add, Receipt(BatchState.REJECTED, note="no"))
    world.drain()

    assert [b.action for b in world.platform.seen] == [Action.REMOVE]
    world.plan({GOOGLE: []})
    assert world.ledger.members.of_member(ANN.key) == []


def test_a_refused_removal_is_logged_and_tried_again_later_each_time(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    waits = []
    for _ in range(3):
        world.settle(world.must_claim(), Receipt(BatchState.REJECTED, note="not now"))
        assert world.states(GOOGLE) == {"present": 1}
        assert world.claim() is None
        due = world.ledger.outbox.next_due(["google"])
        assert due is not None
        waits.append((due - world.now).total_seconds() / 3600)
        world.now = due
    world.drain()

    assert waits == [1, 2, 4]
    assert world.on_platform(GOOGLE) == set()
    assert Counter(world.events()) == {"recorded": 1, "queued": 4, "sent": 4, "rejected": 3, "confirmed": 1}


def test_a_refused_removal_is_not_repeated_once_consent_is_back(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    removal = world.must_claim()
    world.wait(days=1)
    world.grant()
    world.settle(removal, Receipt(BatchState.REJECTED, note="not now"))

    assert world.ledger.outbox.open_batches() == []


def test_a_removal_batch_is_split_down_to_the_row_at_fault(world: World) -> None:
    persons = crowd(4)
    world.sync({GOOGLE: persons})
    asked = [Withdrawn(revocation(person, at=world.now), list(Family)) for person in persons]
    world.ledger.consent.withdraw_many(asked, trigger="revoked", now=world.now)
    while (claimed := world.claim()) is not None:
        if any(member.key == persons[2].key for member in claimed.batch.members):
            world.ledger.outbox.split(claimed.batch.id, rows={}, now=world.now, epoch=world.epoch)
        else:
            world.send(claimed)
            world.settle(claimed)

    assert world.on_platform(GOOGLE) == everybody(persons[2]) == world.in_ledger(GOOGLE)
    assert [b.lane for b in world.ledger.outbox.open_batches()] == [Lane.REVOCATION]


def test_many_withdrawals_share_a_batch_and_each_has_its_lines(world: World) -> None:
    persons = crowd(30)
    world.sync({GOOGLE: persons, META: persons})
    asked = [Withdrawn(revocation(person, at=world.now), list(Family)) for person in persons[:20]]
    outcomes = world.ledger.consent.withdraw_many(asked, trigger="revoked", now=world.now)

    assert [w.remotes for w in outcomes] == [2] * 20
    assert len({w.subject for w in outcomes}) == 20
    assert [b.rows for b in world.ledger.outbox.open_batches()] == [20, 20]
    world.drain()
    assert Counter(world.events()) == {"recorded": 20, "queued": 40, "sent": 40, "confirmed": 40}
    assert world.on_platform(GOOGLE) == everybody(*persons[20:])


def test_a_retired_audience_still_gives_back_the_revoked(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.ledger.remotes.retire(world.ready(GOOGLE), at=world.now)
    world.revoke(ANN)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB)


def test_an_audience_that_had_to_be_made_anew_leaves_nobody_behind(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.plan({GOOGLE: [ANN, BOB, CAT]})
    remote = world.ready(GOOGLE)
    world.ledger.remotes.attach(remote, "made-anew", at=world.now)
    world.revoke(ANN)
    world.sync({GOOGLE: [ANN, BOB]})

    assert world.platform.members["s1-google"] == everybody(BOB)
    assert world.platform.members["made-anew"] == everybody(BOB)
    assert [remote.remote_id for remote in world.ledger.remotes.all()] == ["made-anew"]
    assert world.ledger.outbox.open_batches() == []


def test_an_account_cannot_be_changed_under_a_destination(world: World) -> None:
    world.ready(GOOGLE)
    ask = {"name": "x", "at": world.now}
    moved = world.ledger.remotes.intend(GOOGLE, platform="google_ads", account="1", **ask)
    assert (moved.platform, moved.state, moved.remote_id) == ("google_ads", "ready", "s1-google")
    with pytest.raises(SettingsError, match="a destination of another name"):
        world.ledger.remotes.intend(GOOGLE, platform="google_ads", account="2", **ask)


def test_a_refused_removal_does_not_bring_back_who_was_never_taken(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    add = world.must_claim()
    world.revoke(ANN)
    world.settle(add, Receipt(BatchState.REJECTED, note="no"))
    world.settle(world.must_claim(), Receipt(BatchState.REJECTED, note="not now"))

    assert world.states(GOOGLE) == {"rejected": 1}


def test_both_who_shared_an_identifier_are_remembered_with_it(world: World) -> None:
    pair = [Person("ann", email="home@x"), Person("bob", email="home@x")]
    world.sync({GOOGLE: pair})
    world.sync({GOOGLE: []})

    for person in pair:
        past = {row.digest for row in world.ledger.members.history_of(person.key)}
        assert past == {value for _, value in person.identifiers()}
        assert world.ledger.members.of_member(person.key) == []
