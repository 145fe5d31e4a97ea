"""What is queued is queued in turns, and as if it were one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ledger_world import FAMILIES, GOOGLE, META, World, crowd, everybody, people, staged_rows

from cohortd.core.errors import NotLeaderError
from cohortd.ledger.turns import Turns

ANN, BOB, CAT = people("ann", "bob", "cat")


class PowerError(Exception):
    """The process ends here."""


def _fails_at_the_second(world: World) -> None:
    """Plan for two targets and die in the second one, when the first is written."""
    asked = []

    def rows_per_batch(destination: str) -> int:
        asked.append(destination)
        if len(set(asked)) == 2:
            raise PowerError
        return 1

    with world.ledger.compare(rows_a_turn=1) as comparison:
        for target, person in ((GOOGLE, ANN), (META, BOB)):
            comparison.stage(target, FAMILIES[target.destination], staged_rows(person.rows()))
            world.ready(target)
        comparison.deltas(now=world.now, refresh_after=lambda _: None)
        with pytest.raises(PowerError):
            comparison.enqueue(
                [GOOGLE, META],
                hold_adds=[],
                rows_per_batch=rows_per_batch,
                version=1,
                at=world.now,
                epoch=world.epoch,
            )
    assert len(set(asked)) == 2


def test_what_was_half_queued_is_sent_by_nobody(world: World) -> None:
    _fails_at_the_second(world)
    world.restart()

    assert world.drain() == 0
    assert world.ledger.outbox.open_batches() == []


def test_the_next_plan_replaces_what_was_half_queued(world: World) -> None:
    _fails_at_the_second(world)
    world.restart()
    world.sync({GOOGLE: [BOB], META: [CAT]})

    assert world.on_platform(GOOGLE) == everybody(BOB)
    assert world.on_platform(META) == everybody(CAT)


def test_who_is_revoked_while_it_is_queued_is_not_sent(world: World) -> None:
    _fails_at_the_second(world)
    world.revoke(ANN)
    world.sync({GOOGLE: [ANN, BOB], META: [ANN, CAT]})

    assert world.on_platform(GOOGLE) == everybody(BOB)
    assert world.on_platform(META) == everybody(CAT)


def test_many_turns_queue_what_one_does(world: World) -> None:
    world.rows_a_turn, world.rows_per_batch = 1, 7
    first, second = crowd(100), crowd(60)
    world.sync({GOOGLE: first, META: first})
    world.sync({GOOGLE: second, META: first})

    assert world.on_platform(GOOGLE) == everybody(*second)
    assert world.on_platform(META) == everybody(*first)


def test_whoever_no_longer_leads_queues_nothing(world: World) -> None:
    world.ready(GOOGLE)
    world.epoch -= 1
    with pytest.raises(NotLeaderError):
        world.plan({GOOGLE: [ANN]})

    assert world.ledger.outbox.open_batches() == []


def test_a_turn_ends_after_enough_was_written_and_the_next_begins_when_asked_for() -> None:
    told: list[str] = []

    @contextmanager
    def begin() -> Iterator[str]:
        told.append("begun")
        yield "connection"
        told.append("written")

    with Turns(begin, rows=10) as turns:
        turns.connection()
        turns.took(9)
        turns.rest()
        turns.connection()
        turns.took(1)
        turns.rest()
        assert told == ["begun", "written"]
        turns.connection()

    assert told == ["begun", "written", "begun", "written"]
