"""Google forgets a member 540 days after the last add: everybody is sent again before, some at a time."""

from collections.abc import Iterable

from ledger_world import GOOGLE, Person, World, crowd, everybody, on_sqlite

from cohortd.core.delivery import Action

DAYS = 540
PEOPLE = 300
#: When refreshes begin and must have ended, in weeks after the last add.
FIRST_WEEK, LAST_WEEK = 38, 71


def _weeks(world: World, wanted: Iterable[Person], count: int) -> list[list[bytes]]:
    """Sync once a week; return the members of every week's adds."""
    found = []
    for _ in range(count):
        world.wait(weeks=1)
        world.platform.seen.clear()
        world.plan({GOOGLE: wanted}, refresh_days=DAYS)
        world.drain()
        assert {batch.action for batch in world.platform.seen} <= {Action.ADD}
        found.append([m.key for batch in world.platform.seen for m in batch.members])
    return found


@on_sqlite
def test_everybody_is_sent_again_once_before_the_end_and_spread_evenly(world: World) -> None:
    world.sync({GOOGLE: crowd(PEOPLE)})
    weeks = _weeks(world, crowd(PEOPLE), LAST_WEEK)
    sent = [key for week in weeks for key in week]

    assert not any(weeks[: FIRST_WEEK - 1])
    assert sorted(sent) == sorted(person.key for person in crowd(PEOPLE))
    even = PEOPLE / (LAST_WEEK - FIRST_WEEK)
    assert max(map(len, weeks)) < 3 * even


@on_sqlite
def test_the_second_time_they_are_spread_no_worse(world: World) -> None:
    world.sync({GOOGLE: crowd(PEOPLE)})
    _weeks(world, crowd(PEOPLE), LAST_WEEK)
    weeks = _weeks(world, crowd(PEOPLE), LAST_WEEK)

    assert {key for week in weeks for key in week} == {person.key for person in crowd(PEOPLE)}
    assert max(map(len, weeks)) < 0.1 * PEOPLE


def test_all_of_a_person_is_sent_again_together(world: World) -> None:
    world.sync({GOOGLE: crowd(PEOPLE)})
    world.wait(days=DAYS * 0.7)
    delta = world.plan({GOOGLE: crowd(PEOPLE)}, refresh_days=DAYS)[GOOGLE]
    world.platform.seen.clear()
    world.drain()
    sent = [member for batch in world.platform.seen for member in batch.members]

    assert 0 < delta.refreshes == len(sent) < PEOPLE
    assert {len(member.identifiers) for member in sent} == {2}


def test_whoever_took_consent_back_is_not_sent_again(world: World) -> None:
    gone, *others = crowd(20)
    world.sync({GOOGLE: [gone, *others]})
    world.wait(days=DAYS)
    world.plan({GOOGLE: [gone, *others]}, refresh_days=DAYS)
    world.revoke(gone)
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(*others)
    assert gone.key not in {
        m.key for b in world.platform.seen[1:] if b.action is Action.ADD for m in b.members
    }
