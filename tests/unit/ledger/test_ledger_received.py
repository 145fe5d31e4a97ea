"""Events that came: each noted once, those at fault listed until somebody has looked."""

from datetime import UTC, datetime, timedelta

from ledger_world import World

from cohortd.ledger import ParkedEvent, ReceivedEvent

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVENT = ReceivedEvent("cmp", "e1", b"d" * 32)


def test_an_event_is_known_by_its_source_its_id_and_its_bytes(world: World) -> None:
    received = world.ledger.received
    before = received.is_known(EVENT)
    for _ in range(2):
        received.note(EVENT, size=3, at=NOW)
    others = [
        ReceivedEvent("other", "e1", EVENT.body),
        ReceivedEvent("cmp", "e2", EVENT.body),
        ReceivedEvent("cmp", "e1", b"x" * 32),
    ]

    assert (before, received.is_known(EVENT)) == (False, True)
    assert [received.is_known(other) for other in others] == [False] * 3
    assert received.count_parked() == 0


def test_events_at_fault_are_listed_until_somebody_has_looked(world: World) -> None:
    received = world.ledger.received
    received.note(EVENT, size=3, at=NOW, fault="it is no JSON")
    later = ReceivedEvent("cmp", "", b"x" * 32)
    received.note(later, size=4, at=NOW + timedelta(days=1), fault="it names nobody", subjects=["ab", "cd"])
    first, second = received.parked()
    received.mark_seen(until=first.id)

    assert first == ParkedEvent(first.id, EVENT, 3, NOW, "it is no JSON", ())
    assert (second.event, second.subjects) == (later, ("ab", "cd"))
    assert (received.count_parked(), [each.id for each in received.parked()]) == (1, [second.id])


def test_what_came_long_ago_is_forgotten_but_for_what_nobody_has_looked_at(world: World) -> None:
    received = world.ledger.received
    bodies = [bytes([number]) * 32 for number in range(4)]
    events = [ReceivedEvent("cmp", "", body) for body in bodies]
    received.note(events[0], size=1, at=NOW, fault="it is no JSON")
    received.note(events[1], size=1, at=NOW)
    received.note(events[2], size=1, at=NOW, fault="it is no JSON")
    received.mark_seen(until=1)
    received.note(events[3], size=1, at=NOW + timedelta(days=2))
    forgotten = received.forget(NOW + timedelta(days=1))

    assert forgotten == 2
    assert [received.is_known(event) for event in events] == [False, False, True, True]
    assert received.count_parked() == 1
