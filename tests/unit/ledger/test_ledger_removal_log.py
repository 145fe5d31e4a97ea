from datetime import timedelta

import pytest
from ledger_world import EMAIL, GOOGLE, META, NOW, OTHER, World, digest, people

from cohortd.core.consenting import SubjectKind
from cohortd.core.errors import LedgerError
from cohortd.core.identifiers import Family
from cohortd.core.removals import Tree
from consent import merkle

ANN, BOB = people("ann", "bob")


def test_every_step_of_a_removal_is_a_line_that_tells_where(world: World) -> None:
    world.sync({META: [ANN]})
    subject = world.revoke(ANN).subject
    world.wait(seconds=5)
    removal = world.must_claim()
    world.accept(removal)
    world.settle(removal)
    lines = list(world.ledger.removals.entries(subject))

    assert [line.event for line in lines] == ["recorded", "queued", "sent", "accepted", "confirmed"]
    assert [line.audience for line in lines] == ["", "s1", "s1", "s1", "s1"]
    assert {line.trigger for line in lines} == {"revoked"}
    assert {line.source for line in world.ledger.removals.told(subject)} == {"test"}
    last = lines[-1]
    assert (last.destination, last.platform, last.account, last.remote_id) == (
        "meta",
        "meta",
        "1",
        "s1-meta",
    )
    assert (last.identifier_kinds, last.batch) == ("email,phone", removal.batch.id)
    assert (lines[0].at, last.at) == ("2026-11-22T12:00:00.000000Z", "2026-11-22T12:00:05.000000Z")
    assert {line.event_time for line in lines} == {"2026-11-22T12:00:00.000000Z"}


def test_the_log_is_a_chain_with_a_signed_head_that_is_witnessed(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    world.drain()
    lines = list(world.ledger.removals.entries())
    head = world.ledger.removals.head()

    assert [line.seq for line in lines] == [1, 2, 3, 4]
    assert [line.previous for line in lines] == ["", *(line.hash for line in lines[:-1])]
    assert head is not None
    assert (head.seq, head.hash) == (4, lines[-1].hash)
    assert head.signature.startswith("signed")
    assert world.ledger.removals.witnesses()[-1] == head


@pytest.mark.parametrize("change", ["UPDATE removal_log SET at = 'x'", "DELETE FROM removal_log"])
def test_the_database_refuses_to_change_the_log(world: World, change: str) -> None:
    world.revoke(ANN)

    with pytest.raises(LedgerError, match="append-only"), world.ledger._database.write() as connection:
        connection.exec_driver_sql(change)
    assert world.events() == ["recorded"]


def test_a_withdrawal_that_fails_leaves_neither_records_nor_lines(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sync({GOOGLE: [ANN]})

    def fail(*_: object) -> str:
        raise LedgerError("the key is gone")

    monkeypatch.setattr(world.ledger.removals._sealer, "sign", fail)
    with pytest.raises(LedgerError, match="the key is gone"):
        world.revoke(ANN)

    assert list(world.ledger.consent.records()) == []
    assert world.events() == []
    assert world.ledger.outbox.open_batches() == []
    assert world.ledger.removals.witnesses() == []


def test_no_contact_digest_and_no_member_key_is_in_the_log(world: World) -> None:
    world.sync({GOOGLE: [ANN], META: [ANN]})
    world.revoke(ANN)
    world.revoke_email("ann@x")
    world.drain()
    text = " ".join(str(line) for line in world.ledger.removals.entries())

    assert ANN.key.hex() not in text
    assert all(value.hex() not in text for _, value in ANN.identifiers())


def test_a_subject_has_one_reference_that_only_this_installation_can_compute(world: World) -> None:
    removals = world.ledger.removals
    name = world.revoke(ANN).subject

    ref = removals.subject_ref(SubjectKind.CUSTOMER, ANN.key)
    assert removals.names_of([ref]) == {ref: name}
    assert len(ref) == 32
    assert removals.subject_ref(SubjectKind.EMAIL, ANN.key) != ref
    both = tuple((family.value, digest(family.value)) for family in Family)
    assert removals.subject_ref(SubjectKind.EMAIL, both) == removals.subject_ref(
        SubjectKind.EMAIL, digest("google")
    )


def test_entries_can_be_asked_for_by_subject_and_time(world: World) -> None:
    world.revoke(ANN)
    world.wait(hours=1)
    bob = world.revoke(BOB).subject

    assert [line.subject for line in world.ledger.removals.entries(since=world.now)] == [bob]
    assert [line.subject for line in world.ledger.removals.entries(bob)] == [bob]
    assert list(world.ledger.removals.entries("nobody")) == []


def test_timings_take_the_slowest_audience_and_wait_for_all(world: World) -> None:
    world.sync({GOOGLE: [ANN], OTHER: [ANN], META: [ANN]})
    world.revoke(ANN, at=NOW - timedelta(minutes=5))
    for _ in range(2):
        world.wait(seconds=10)
        world.settle(world.must_claim())
    timings = {timing.destination: timing for timing in world.ledger.removals.timings()}

    assert timings["google"].event_time == NOW - timedelta(minutes=5)
    assert timings["google"].recorded_at == timings["google"].queued_at == NOW
    assert timings["google"].confirmed_at == timings["google"].sent_at == NOW + timedelta(seconds=20)
    assert timings["google"].accepted_at is None
    assert timings["meta"].sent_at is None
    world.wait(seconds=10)
    world.settle(world.must_claim())
    timings = {timing.destination: timing for timing in world.ledger.removals.timings(NOW)}
    assert timings["meta"].confirmed_at == NOW + timedelta(seconds=30)


def test_timings_of_a_time_are_of_what_was_recorded_then_though_older_ones_go_on(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(ANN)
    world.wait(hours=48)
    since = world.now
    world.drain()  # of the older one
    bob = world.revoke(BOB)
    world.drain()

    assert [timing.subject for timing in world.ledger.removals.timings(since)] == [
        timing.subject for timing in world.ledger.removals.timings(subject=bob.subject)
    ]


def test_the_newest_entries_are_told_as_all_are(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    for person in (ANN, BOB):
        world.revoke(person)
    world.drain()
    told = list(world.ledger.removals.told())

    assert [*world.ledger.removals.newest(3)] == told[-3:]
    assert [*world.ledger.removals.newest(10**6)] == told


def test_a_removal_that_is_queued_again_is_open_again(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    add = world.must_claim()
    world.accept(add)
    world.revoke(ANN)
    world.settle(world.must_claim())
    assert world.ledger.removals.timings()[0].confirmed_at is not None
    world.settle(add)
    assert world.ledger.removals.timings()[0].confirmed_at is None
    world.wait(hours=1)
    world.drain()
    assert world.ledger.removals.timings()[0].confirmed_at == world.now


def test_what_is_shown_of_people_is_never_a_whole_digest(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    shown = [repr(row) for row in world.ledger.members.of_member(ANN.key)]
    world.revoke(ANN)
    shown.append(repr(world.ledger.consent.suppressed(Family.GOOGLE)))
    world.drain()
    shown += [repr(row) for row in world.ledger.members.history_of(ANN.key)]

    assert all(digest("ann@x").hex() not in text and repr(digest("ann@x")) not in text for text in shown)
    assert "SuppressedSet(2 identifiers, 1 members)" in shown
    assert world.ledger.members.of_digest(Family.GOOGLE, EMAIL, digest("ann@x")) == []


def test_each_head_carries_the_root_of_all_entries(world: World) -> None:
    world.sync({GOOGLE: [ANN], META: [ANN]})
    world.revoke(ANN)
    world.drain()
    hashes = [line.hash for line in world.ledger.removals.entries()]

    for head in world.ledger.removals.witnesses():
        assert head.root == merkle.grow(Tree(), hashes[: head.seq]).root


@pytest.mark.parametrize("change", ["root = ''", "peaks = ''", "peaks = root || root"])
def test_a_tree_that_is_missing_or_altered_is_made_anew_of_the_entries(world: World, change: str) -> None:
    world.sync({GOOGLE: [ANN]})
    world.revoke(ANN)
    with world.ledger._database.write() as connection:
        connection.exec_driver_sql(f"UPDATE removal_head SET {change}")
    world.drain()
    hashes = [line.hash for line in world.ledger.removals.entries()]
    head = world.ledger.removals.head()

    assert head is not None
    assert head.root == merkle.grow(Tree(), hashes).root
