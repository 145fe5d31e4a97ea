"""A revocation finds people who were never sent, but whose add is queued or under way."""

import pytest
from ledger_world import GOOGLE, META, Person, World, everybody, people

from cohortd.core.delivery import Action
from cohortd.core.identifiers import Family

ANN, BOB = people("ann", "bob")


def test_a_revocation_by_email_keeps_a_queued_persons_other_identifiers_back_too(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB], META: [ANN]})
    withdrawal = world.revoke_email("ann@x")
    world.drain()

    assert world.on_platform(GOOGLE) == everybody(BOB) == world.in_ledger(GOOGLE)
    assert world.on_platform(META) == set()
    assert (withdrawal.remotes, withdrawal.identifiers) == (0, 4)


def test_a_revocation_by_email_keeps_back_what_a_queued_person_shares_with_another(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    world.revoke_email("ann@x")
    world.sync({GOOGLE: [Person("bob", phone="+ann")]})

    assert world.on_platform(GOOGLE) == everybody(BOB) - {(2, BOB.rows()[1][1])}


def test_a_revocation_by_customer_knows_what_is_queued_of_them(world: World) -> None:
    world.plan({GOOGLE: [ANN]})
    world.revoke(ANN)

    assert world.ledger.consent.suppressed(Family.GOOGLE).digests == ANN.identifiers()


def test_nobody_else_of_a_queued_batch_is_kept_back(world: World) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    world.revoke_email("ann@x")

    assert world.ledger.consent.suppressed(Family.GOOGLE).members == {ANN.key}


@pytest.mark.parametrize("answered", [True, False])
def test_a_revocation_by_email_takes_back_all_of_an_add_under_way(world: World, *, answered: bool) -> None:
    world.plan({GOOGLE: [ANN, BOB]})
    add = world.must_claim()
    world.send(add)
    if answered:
        world.accept(add)
    world.revoke_email("ann@x")
    removal = world.must_claim()

    assert removal.batch.action is Action.REMOVE
    assert {(int(i.kind), i.digest) for m in removal.batch.members for i in m.identifiers} == everybody(ANN)
