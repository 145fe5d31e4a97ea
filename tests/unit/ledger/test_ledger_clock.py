from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from ledger_world import GOOGLE, META, NOW, World, people

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.deadlines import Allowance, Deadlines, Standing
from cohortd.core.identifiers import Family
from cohortd.core.removals import RemovalEntry
from cohortd.ledger import Withdrawn

[ANN] = people("ann")
DUE = Deadlines({"ccpa": Allowance(business_days=15), "*": Allowance(timedelta(hours=72))})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def timed(world: World) -> World:
    world.ledger.removals.deadlines = DUE
    return world


def withdraw(world: World, *, regulation: str = "GDPR", operator: str = "") -> None:
    record = ConsentRecord(
        subject_kind=SubjectKind.CUSTOMER,
        subject=(("", ANN.key),),
        status=ConsentStatus.REVOKED,
        recorded_at=world.now - timedelta(hours=1),
        purpose="advertising",
        regulation=regulation,
        source="form",
        evidence="ab" * 32,
        legal_basis="consent",
    )
    world.ledger.consent.withdraw_many(
        [Withdrawn(record, tuple(Family), operator=operator)], trigger="revoked", now=world.now
    )


def entries(world: World, event: str) -> list[RemovalEntry]:
    return [entry for entry in world.ledger.removals.entries() if entry.event == event]


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-11-20T09:30", 1, "2026-11-23T09:30"),  # a Friday
        ("2026-11-21T09:30", 1, "2026-11-23T09:30"),  # a Saturday
        ("2026-11-23T09:30", 15, "2026-12-14T09:30"),  # a Monday
        ("2026-12-24T23:59", 15, "2027-01-14T23:59"),
    ],
)
def test_business_days_go_from_monday_to_friday(received: str, days: int, due: str) -> None:
    assert Allowance(business_days=days).after(at(received)) == at(due)


@pytest.mark.parametrize(
    ("after_h", "standing"),
    [
        (0, Standing.RUNNING),
        (35.9, Standing.RUNNING),
        (36, Standing.SOON),
        (72, Standing.SOON),
        (73, "late"),
    ],
)
def test_a_removal_is_due_soon_after_half_its_time(after_h: float, standing: str) -> None:
    now = NOW + timedelta(hours=after_h)

    assert DUE.standing(NOW, NOW + timedelta(hours=72), now) == standing


def test_every_entry_carries_its_clock_and_the_record_it_rests_on(timed: World) -> None:
    timed.sync({GOOGLE: [ANN]})
    withdraw(timed, operator="J. Doe")
    timed.wait(hours=1)
    timed.drain()
    told = list(timed.ledger.removals.told())

    assert {entry.schema_version for entry in told} == {3}
    assert {entry.received_at for entry in told} == {"2026-11-22T12:00:00.000000Z"}
    assert {entry.due_at for entry in told} == {"2026-11-25T12:00:00.000000Z"}
    assert {(entry.regulation, entry.legal_basis, entry.purpose) for entry in told} == {
        ("GDPR", "consent", "advertising")
    }
    assert {(entry.rule, entry.operator) for entry in told} == {("revoked", "J. Doe")}
    assert {entry.evidence for entry in told} == {sha256(b"ab" * 32).hexdigest()}
    assert [entry.on_time for entry in told if entry.event == "confirmed"] == ["yes"]
    assert {entry.on_time for entry in told if entry.event != "confirmed"} == {""}
    assert [entry.attempts for entry in told if entry.event in {"queued", "sent"}] == [0, 1]


def test_every_entry_has_a_record_id_of_its_own_that_tells_its_time(timed: World) -> None:
    timed.sync({GOOGLE: [ANN], META: [ANN]})
    withdraw(timed)
    timed.drain()
    told = list(timed.ledger.removals.entries())
    ids = [UUID(entry.record_id) for entry in told]

    assert len(set(ids)) == len(told)
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
    assert ids[0].int >> 80 == int(NOW.timestamp() * 1000)


def test_a_removal_that_is_confirmed_after_its_time_was_late(timed: World) -> None:
    timed.sync({GOOGLE: [ANN]})
    withdraw(timed)
    timed.wait(hours=73)
    timed.drain()

    assert [entry.on_time for entry in entries(timed, "confirmed")] == ["no"]


def test_each_regulation_has_its_own_time(timed: World) -> None:
    timed.sync({GOOGLE: [ANN]})
    withdraw(timed, regulation="CCPA")

    assert [entry.due_at for entry in entries(timed, "queued")] == ["2026-12-11T12:00:00.000000Z"]


def test_a_withdrawal_that_is_stated_again_keeps_its_clock_while_it_stands(timed: World) -> None:
    timed.sync({GOOGLE: [ANN]})
    first = timed.revoke(ANN)
    timed.wait(hours=10)
    again = timed.ledger.removals.timings(subject=first.subject)
    timed.revoke(ANN, at=NOW)

    assert again[0].due_at == NOW + timedelta(hours=72)
    assert {entry.received_at for entry in timed.ledger.removals.entries()} == {
        "2026-11-22T12:00:00.000000Z"
    }


def test_without_a_deadline_nothing_is_late_or_on_time(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    withdraw(world)
    world.drain()

    assert {(entry.due_at, entry.on_time) for entry in world.ledger.removals.entries()} == {("", "")}
    assert [timing.due_at for timing in world.ledger.removals.timings()] == [None]


def test_open_removals_run_against_their_time_until_they_are_confirmed(timed: World) -> None:
    timed.sync({GOOGLE: [ANN], META: [ANN]})
    withdraw(timed)
    queued = timed.ledger.clocks.running()
    claimed = timed.must_claim()
    timed.send(claimed)
    timed.settle(claimed)
    half = timed.ledger.clocks.running()
    timed.drain()

    due_at = timed.now + timedelta(hours=72)
    assert [(each.destination, each.due_at, each.count) for each in queued] == [
        ("google", due_at, 1),
        ("meta", due_at, 1),
    ]
    assert len(half) == 1
    assert timed.ledger.clocks.running() == []
