"""New rules of normalization: old digests out, new ones in, a member at a time and over a week."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from ledger_world import FAMILIES, GOOGLE, Person, World, crowd, everybody, staged_rows

from cohortd.core.planning import Delta

PEOPLE = 200


def _under(version: int, count: int = PEOPLE) -> list[Person]:
    """The same people as other rules write their e-mails."""
    return [
        person if version == 1 else Person(person.name, email=f"{person.name}@{version}")
        for person in crowd(count)
    ]


def _sync(world: World, wanted: Iterable[Person], version: int) -> tuple[Mapping, Mapping]:
    """Sync under rules; return the delta and who waits."""
    with world.ledger.compare() as comparison:
        rows = [row for person in wanted for row in person.rows()]
        comparison.stage(GOOGLE, FAMILIES[GOOGLE.destination], staged_rows(rows))
        deltas = comparison.deltas(now=world.now, refresh_after=lambda _: None, version=version)
        waiting = comparison.waiting()
        world.ready(GOOGLE)
        comparison.enqueue(
            [GOOGLE],
            hold_adds=[],
            rows_per_batch=lambda _: 100,
            version=version,
            at=world.now,
            epoch=world.epoch,
        )
    world.drain()
    return deltas, waiting


def test_everybody_follows_within_a_week_and_nobody_is_without_a_digest_meanwhile(world: World) -> None:
    _sync(world, _under(1), 1)
    moved = []
    for _ in range(8):
        deltas, waiting = _sync(world, _under(2), 2)
        moved.append(deltas[GOOGLE].adds)
        assert waiting.get(GOOGLE, 0) == PEOPLE - sum(moved)
        assert len(world.on_platform(GOOGLE)) == 2 * PEOPLE
        world.wait(days=1)

    assert world.on_platform(GOOGLE) == everybody(*_under(2))
    assert sum(moved) == PEOPLE
    assert max(moved) < PEOPLE / 3
    assert _sync(world, _under(2), 2)[0][GOOGLE] == Delta(PEOPLE, 0, 0, 0, PEOPLE)


def test_a_first_sync_and_one_under_the_same_rules_wait_for_nothing(world: World) -> None:
    first, waiting = _sync(world, _under(1), 1)
    changed = [Person("p0", email="new@x"), *_under(1)[1:]]
    second, nobody = _sync(world, changed, 1)

    assert (first[GOOGLE].adds, dict(waiting), dict(nobody)) == (PEOPLE, {}, {})
    assert (second[GOOGLE].adds, second[GOOGLE].removes) == (1, 1)
    assert world.on_platform(GOOGLE) == everybody(*changed)


def test_whoever_leaves_or_comes_does_not_wait(world: World) -> None:
    _sync(world, _under(1), 1)
    new = Person("new")
    _sync(world, [*_under(2)[10:], new], 2)
    held = world.on_platform(GOOGLE)

    assert not held & everybody(*_under(1)[:10])
    assert held >= everybody(new)


def test_whoever_revokes_goes_by_old_and_new_digests(world: World) -> None:
    _sync(world, _under(1), 1)
    _sync(world, _under(2), 2)
    for person in _under(2)[:20]:
        world.revoke(person, extra=True)
    world.drain()

    assert not world.on_platform(GOOGLE) & (everybody(*_under(1)[:20]) | everybody(*_under(2)[:20]))


def test_a_plan_alone_does_not_start_the_week(world: World) -> None:
    _sync(world, _under(1), 1)
    with world.ledger.compare() as comparison:
        rows = [row for person in _under(2) for row in person.rows()]
        comparison.stage(GOOGLE, FAMILIES[GOOGLE.destination], staged_rows(rows))
        comparison.deltas(now=world.now, refresh_after=lambda _: None, version=2)
    world.now += timedelta(days=30)
    deltas, waiting = _sync(world, _under(2), 2)

    assert deltas[GOOGLE].adds < PEOPLE / 10
    assert waiting[GOOGLE] > PEOPLE * 0.9
