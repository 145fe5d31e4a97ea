"""Who stays while an identifier of theirs leaves is sent again: a platform may take the whole person."""

from dataclasses import dataclass

from ledger_world import EMAIL, GOOGLE, PHONE, Person, Row, World, digest, everybody, people

from cohortd.core.delivery import Action, BatchState, Receipt

ANN, BOB = people("ann", "bob")
#: Two who share an e-mail, the one who carries its row first.
PAIR = sorted([Person("ann", email="home@x"), Person("bob", email="home@x")], key=lambda p: p.key)
GONE, STAYS = PAIR


@dataclass(frozen=True)
class ByPhone(Person):
    """Somebody of whom only the phone is left."""

    def rows(self) -> list[Row]:
        return [row for row in Person.rows(self) if row[0] == PHONE]


def _keys(world: World, action: Action) -> list[set[bytes]]:
    return [{m.key for m in b.members} for b in world.platform.seen if b.action is action]


def test_who_loses_an_identifier_is_sent_again_with_the_rest_behind_its_removal(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.platform.seen.clear()
    delta = world.plan({GOOGLE: [ByPhone("ann"), BOB]})[GOOGLE]
    world.drain()

    assert (delta.adds, delta.removes, delta.refreshes) == (0, 1, 1)
    assert [batch.action for batch in world.platform.seen] == [Action.REMOVE, Action.ADD]
    assert _keys(world, Action.ADD) == [{ANN.key}]
    assert world.on_platform(GOOGLE) == everybody(BOB) | {(PHONE, digest("+ann"))}
    assert world.deltas({GOOGLE: [ByPhone("ann"), BOB]})[GOOGLE].refreshes == 0


def test_who_keeps_an_identifier_when_another_was_taken_back_is_in_doubt(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(Person("eve", email="ann@x"), extra=True)
    world.drain()

    assert world.deltas({GOOGLE: [ANN, BOB]})[GOOGLE].refreshes == 1


def test_who_shared_an_identifier_that_was_taken_back_is_in_doubt(world: World) -> None:
    world.sync({GOOGLE: PAIR})
    world.revoke(GONE)
    world.drain()

    assert world.deltas({GOOGLE: [STAYS]})[GOOGLE].refreshes == 1


def test_nobody_else_is_in_doubt(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(ANN)
    world.drain()

    assert world.deltas({GOOGLE: [BOB]})[GOOGLE].refreshes == 0


def test_who_shares_with_a_person_being_taken_back_is_sent_again_by_the_plan_of_that_moment(
    world: World,
) -> None:
    world.sync({GOOGLE: PAIR})
    world.revoke(GONE)
    removal = world.must_claim()
    world.send(removal)
    world.accept(removal)
    delta = world.plan({GOOGLE: [STAYS]})[GOOGLE]
    assert (delta.adds, delta.refreshes) == (0, 1)
    assert world.claim() is None  # behind the removal
    world.settle(removal)
    world.drain()

    assert _keys(world, Action.ADD)[1:] == [{STAYS.key}]
    assert world.on_platform(GOOGLE) == {(PHONE, digest(f"+{STAYS.name}"))}
    assert world.deltas({GOOGLE: [STAYS]})[GOOGLE].refreshes == 0


def test_who_keeps_an_identifier_while_another_is_being_taken_back_is_sent_again(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(Person("eve", email="ann@x"), extra=True)

    assert world.plan({GOOGLE: [ByPhone("ann"), BOB]})[GOOGLE].refreshes == 1


def test_a_former_owner_of_what_leaves_is_sent_again_in_the_same_plan(world: World) -> None:
    world.sync({GOOGLE: PAIR})
    alone = Person(STAYS.name)  # carries an address of their own from now on
    world.sync({GOOGLE: [GONE, alone]})

    delta = world.plan({GOOGLE: [Person(GONE.name, email="new@x"), alone]})[GOOGLE]
    assert (delta.removes, delta.refreshes) == (1, 1)


def test_nobody_is_sent_again_for_a_removal_that_waits_after_a_refusal(world: World) -> None:
    world.sync({GOOGLE: PAIR})
    world.revoke(GONE)
    world.settle(world.must_claim(), Receipt(BatchState.REJECTED, note="not now"))

    assert world.deltas({GOOGLE: [STAYS]})[GOOGLE].refreshes == 0


def test_the_identifier_that_was_taken_back_stays_away_from_whoever_stays(world: World) -> None:
    world.sync({GOOGLE: PAIR})
    world.revoke(GONE)
    world.sync({GOOGLE: [STAYS]})

    assert (EMAIL, digest("home@x")) not in world.on_platform(GOOGLE)
