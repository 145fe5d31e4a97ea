"""A ledger that was closed while somebody was still at work in it."""

import pytest
from ledger_world import GOOGLE, World, crowd

from cohortd.core.errors import LedgerError


def test_whoever_is_late_neither_claims_nor_stores_nor_plans_nor_reads_nor_leads(world: World) -> None:
    world.plan({GOOGLE: crowd(2)})
    claimed = world.must_claim()
    world.ledger.close()
    late = (
        world.claim,
        lambda: world.settle(claimed),
        lambda: world.plan({GOOGLE: crowd(3)}),
        world.ledger.jobs.all,
        lambda: world.ledger.leadership().__enter__(),
    )

    for each in late:
        with pytest.raises(LedgerError, match="closed"):
            each()


def test_a_comparison_that_began_before_writes_nothing_after(world: World) -> None:
    database = world.ledger._database
    with database.scratch() as connection:
        world.ledger.close()

        with pytest.raises(LedgerError, match="closed"), database.write_from(connection):
            pass
