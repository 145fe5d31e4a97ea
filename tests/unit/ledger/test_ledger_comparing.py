import pytest
from ledger_world import (
    EMAIL,
    GOOGLE,
    META,
    OTHER,
    Person,
    World,
    crowd,
    digest,
    everybody,
    people,
    staged_rows,
)

from cohortd.core.delivery import BatchState, Receipt
from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import Family
from cohortd.core.planning import Delta

ANN, BOB, CAT = people("ann", "bob", "cat")


def test_a_first_comparison_adds_everybody(world: World) -> None:
    assert world.deltas({GOOGLE: [ANN, BOB]}) == {
        GOOGLE: Delta(2, adds=2, removes=0, refreshes=0, present=0)
    }


def test_the_same_data_again_is_no_work(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})

    assert world.plan({GOOGLE: [ANN, BOB]}) == {GOOGLE: Delta(2, adds=0, removes=0, refreshes=0, present=2)}
    assert world.drain() == 0


def test_a_comparison_alone_writes_nothing(world: World) -> None:
    world.deltas({GOOGLE: [ANN]})

    assert world.ledger.outbox.open_batches() == []
    assert world.ledger.remotes.all() == []


def test_a_target_that_is_not_staged_loses_everybody_unless_it_is_retired(world: World) -> None:
    world.sync({GOOGLE: [ANN], OTHER: [BOB, CAT]})
    world.ledger.remotes.retire(world.ready(GOOGLE), at=world.now)

    assert world.deltas({}) == {OTHER: Delta(0, adds=0, removes=2, refreshes=0, present=2)}


def test_a_target_staged_without_rows_is_known(world: World) -> None:
    assert world.deltas({META: []}) == {META: Delta(0, adds=0, removes=0, refreshes=0, present=0)}


def test_a_changed_email_leaves_and_the_new_one_comes_with_all_of_the_member(world: World) -> None:
    world.sync({GOOGLE: [Person("ann", email="old@x"), BOB]})
    moved = Person("ann", email="new@x")

    assert world.plan({GOOGLE: [moved, BOB]})[GOOGLE] == Delta(2, adds=1, removes=1, refreshes=0, present=2)
    removal = world.must_claim()
    assert [i.digest for m in removal.batch.members for i in m.identifiers] == [digest("old@x")]
    world.send(removal)
    world.settle(removal)
    add = world.must_claim()
    assert {
        (int(i.kind), i.digest) for m in add.batch.members for i in m.identifiers
    } == moved.identifiers()
    world.send(add)
    world.settle(add)
    assert world.on_platform(GOOGLE) == everybody(moved, BOB) == world.in_ledger(GOOGLE)


def test_an_identifier_staged_by_two_goes_with_the_smaller_key_and_stays_findable_by_both(
    world: World,
) -> None:
    pair = [Person("ann", email="home@x"), Person("bob", email="home@x")]
    world.sync({GOOGLE: pair})
    first, second = sorted(pair, key=lambda p: p.key)
    home = digest("home@x")

    [row] = world.ledger.members.of_digest(Family.GOOGLE, EMAIL, home)
    assert row.member == first.key
    assert home in {row.digest for row in world.ledger.members.of_member(second.key)}
    assert world.plan({GOOGLE: reversed(pair)})[GOOGLE].adds == 0


def test_whoever_leaves_a_shared_identifier_behind_is_still_found_by_it(world: World) -> None:
    pair = sorted([Person("ann", email="home@x"), Person("bob", email="home@x")], key=lambda p: p.key)
    world.sync({GOOGLE: pair})
    world.sync({GOOGLE: pair[1:]})
    home = digest("home@x")

    [row] = world.ledger.members.of_digest(Family.GOOGLE, EMAIL, home)
    assert row.member == pair[1].key
    assert [r.digest for r in world.ledger.members.of_member(pair[0].key)] == [home]
    assert world.plan({GOOGLE: pair[1:]})[GOOGLE] == Delta(1, adds=0, removes=0, refreshes=0, present=1)


def test_a_changed_payload_is_a_refresh(world: World) -> None:
    world.sync({META: [ANN, BOB]})
    changed = Person("ann", payload=b'{"FN":"a"}')

    assert world.plan({META: [changed, BOB]})[META] == Delta(2, adds=0, removes=0, refreshes=1, present=2)
    world.drain()
    assert world.plan({META: [changed, BOB]})[META].refreshes == 0
    assert world.ledger.outbox.summary(world.now)[META]["added"] == 2


def test_members_are_sent_again_before_the_platform_forgets_them_and_not_all_at_once(world: World) -> None:
    persons = crowd(60)
    world.sync({GOOGLE: persons})

    world.wait(days=49)
    assert world.deltas({GOOGLE: persons}, refresh_days=100)[GOOGLE].refreshes == 0
    world.wait(days=11)
    some = world.deltas({GOOGLE: persons}, refresh_days=100)[GOOGLE].refreshes
    assert 0 < some < 60
    world.wait(days=31)
    assert world.plan({GOOGLE: persons}, refresh_days=100)[GOOGLE].refreshes == 60
    world.drain()
    assert world.deltas({GOOGLE: persons}, refresh_days=100)[GOOGLE].refreshes == 0
    assert world.deltas({GOOGLE: persons}, refresh_days=None)[GOOGLE].refreshes == 0


def test_suppressed_people_neither_count_nor_enter(world: World) -> None:
    world.revoke(ANN, extra=True)
    world.revoke_email("bob@x")
    deltas = world.plan({GOOGLE: [ANN, BOB, CAT]})
    world.drain()

    assert deltas[GOOGLE] == Delta(2, adds=2, removes=0, refreshes=0, present=0)
    assert world.on_platform(GOOGLE) == everybody(BOB, CAT) - {(EMAIL, digest("bob@x"))}


def test_what_a_revocation_takes_back_is_no_part_of_a_plan(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(ANN)

    assert world.deltas({GOOGLE: [BOB]})[GOOGLE].removes == 0


def test_a_held_target_only_loses(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.plan({GOOGLE: [BOB, CAT]}, hold=[GOOGLE])
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB)


def test_members_cannot_be_queued_for_an_audience_that_was_never_intended(world: World) -> None:
    with world.ledger.compare() as comparison:
        comparison.stage(GOOGLE, Family.GOOGLE, staged_rows(ANN.rows()))
        ask = {"rows_per_batch": lambda _: 10, "version": 1, "at": world.now, "epoch": world.epoch}
        assert comparison.enqueue([GOOGLE], hold_adds=[GOOGLE], **ask) == 0
        with pytest.raises(LedgerError, match="no remote audience was intended"):
            comparison.enqueue([GOOGLE], hold_adds=[], **ask)


def test_identifiers_of_another_family_are_refused(world: World) -> None:
    world.ready(META)
    with (
        world.ledger.compare() as comparison,
        pytest.raises(LedgerError, match="meta takes meta identifiers"),
    ):
        comparison.stage(META, Family.GOOGLE, staged_rows(ANN.rows()))


def test_a_new_plan_replaces_what_waited_unsent(world: World) -> None:
    world.rows_per_batch = 2
    world.plan({GOOGLE: crowd(5)})
    first = [batch.id for batch in world.ledger.outbox.open_batches()]
    world.plan({GOOGLE: crowd(3)})
    batches = world.ledger.outbox.open_batches()

    assert len(first) == 3
    assert [batch.rows for batch in batches] == [2, 1]
    world.drain()
    assert world.on_platform(GOOGLE) == everybody(*crowd(3))


def test_a_plan_for_one_target_leaves_the_others_alone(world: World) -> None:
    world.plan({GOOGLE: [ANN], META: [ANN]})
    with world.ledger.compare() as comparison:
        comparison.stage(GOOGLE, Family.GOOGLE, staged_rows(BOB.rows()))
        comparison.stage(META, Family.META, staged_rows(BOB.rows()))
        comparison.enqueue(
            [GOOGLE], hold_adds=[], rows_per_batch=lambda _: 10, version=1, at=world.now, epoch=world.epoch
        )
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB)
    assert world.on_platform(META) == everybody(ANN)


def test_an_unknown_outcome_is_sent_again_without_whoever_is_no_longer_desired(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    claimed = world.must_claim()
    world.send(claimed)
    world.restart()
    world.plan({GOOGLE: [BOB]})

    again = world.must_claim()
    assert again.batch.id == claimed.batch.id
    assert [member.key for member in again.batch.members] == [BOB.key]
    world.send(again)
    world.settle(again)
    world.drain()
    assert world.on_platform(GOOGLE) == everybody(BOB)
    world.wait(days=1)  # until then the first attempt may land
    world.sync({GOOGLE: [BOB]})
    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)


def test_a_batch_under_way_in_this_process_keeps_its_rows(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB, CAT]})
    claimed = world.must_claim()
    world.plan({GOOGLE: [CAT]})
    wrong = [member.key for member in claimed.batch.members].index(CAT.key)
    world.settle(claimed, Receipt(BatchState.CONFIRMED, rejected={wrong: "bad"}))

    assert [row.state for row in world.ledger.members.of_member(CAT.key)] == ["rejected", "rejected"]


def test_the_fingerprint_tells_the_difference_and_nothing_else(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    first = world.fingerprint({GOOGLE: [BOB, CAT], META: [ANN]})

    assert world.fingerprint({META: [ANN], GOOGLE: [CAT, BOB]}) == first
    assert world.fingerprint({GOOGLE: [BOB], META: [ANN]}) != first
    assert world.fingerprint({GOOGLE: [BOB, Person("cat", email="other@x")], META: [ANN]}) != first
    world.wait(days=1)
    assert world.fingerprint({GOOGLE: [BOB, CAT], META: [ANN]}) == first


def test_the_fingerprint_is_the_same_before_and_after_the_audience_was_made(world: World) -> None:
    before = world.fingerprint({GOOGLE: [ANN]})
    world.ready(GOOGLE)

    assert world.fingerprint({GOOGLE: [ANN]}) == before


def test_staging_can_go_on_after_a_comparison(world: World) -> None:
    with world.ledger.compare() as comparison:
        comparison.stage(GOOGLE, Family.GOOGLE, staged_rows(ANN.rows()))
        assert comparison.deltas(now=world.now, refresh_after=lambda _: None)[GOOGLE].adds == 1
        comparison.stage(GOOGLE, Family.GOOGLE, staged_rows(BOB.rows()))
        assert comparison.deltas(now=world.now, refresh_after=lambda _: None)[GOOGLE].adds == 2


def test_the_same_member_staged_twice_with_different_profiles_is_deterministic(world: World) -> None:
    texts = set()
    for payloads in ([b"1", b"2"], [b"2", b"1"]):
        with world.ledger.compare() as comparison:
            for payload in payloads:
                comparison.stage(META, Family.META, staged_rows(Person("ann", payload=payload).rows()))
            world.ready(META)
            comparison.enqueue(
                [META],
                hold_adds=[],
                rows_per_batch=lambda _: 10,
                version=1,
                at=world.now,
                epoch=world.epoch,
            )
        texts.add(world.must_claim().batch.members[0].identifiers[0].payload)
        world.restart()

    assert texts == {b"1"}
