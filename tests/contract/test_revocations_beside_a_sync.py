"""What a revocation needs does not wait for a sync under way, also where its removal went wrong first."""

import threading
from pathlib import Path

import pytest
from delivered import CROWD, Clock, Delivered, written
from ledger_world import people, revocation

from cohortd.core.delivery import Action, Batch, Receipt
from cohortd.core.identifiers import Family
from cohortd.daemon import Work
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.meta import MetaEmulator
from cohortd.pipeline.delivery import Delivery
from connectors.meta import MetaConnector, MetaOptions

#: Two ways in which a platform says: not now.
TROUBLES = [Fault(call="users.remove", status=503), Fault(call="users.remove", kind=FaultKind.DROP_AFTER)]
SYNC = "a sync under way"


class Held(MetaConnector):
    """Meta, of which an add takes as long as somebody wants it to."""

    def __init__(self, options: MetaOptions, clock: Clock) -> None:
        super().__init__(options, clock=clock)
        self.stands, self.goes = threading.Event(), threading.Event()

    def apply(self, batch: Batch) -> Receipt:
        if batch.action is Action.ADD and threading.current_thread().name == SYNC:
            self.stands.set()
            self.goes.wait(60)
        return super().apply(batch)


@pytest.mark.parametrize("fault", TROUBLES, ids=["refused", "answer lost"])
def test_a_removal_that_has_to_be_tried_again_is_while_the_sync_goes_on(
    tmp_path: Path, fault: Fault
) -> None:
    clock = Clock()
    with MetaEmulator(clock=clock) as meta:
        held = Held(MetaOptions(account="act_1", access_token="t", endpoint=meta.endpoint), clock)
        world = Delivered(tmp_path, clock, meta, lambda: held)
        world.sync()
        who, new = CROWD[0], people("new")[0]
        world.desired.append(new)
        with world._process() as (pipeline, delivery):
            world._plan(pipeline, delivery, anew=False)
            work = Work(pipeline, delivery.epoch)

            def sync() -> None:
                with work.alone:
                    Delivery(pipeline, delivery.epoch).drain()

            syncing = threading.Thread(target=sync, name=SYNC)
            syncing.start()
            assert held.stands.wait(60)
            pipeline.ledger.consent.withdraw(
                revocation(who, at=clock.now), families=list(Family), trigger="revoked", now=clock.now
            )
            meta.faults.add(fault)
            tried = []
            for _ in range(3):  # at once, too early, and when it is time again
                work.watch()
                work.polling()
                tried.append(meta.calls["users.remove"])
                clock.pass_time(seconds=50)
            there, goes_on = world.there(), syncing.is_alive()
            held.goes.set()
            syncing.join(60)
        world.close()

        assert (tried, goes_on) == ([1, 1, 2], True)
        assert there.isdisjoint(written(who))
        assert there.isdisjoint(written(new))
        assert world.there() >= set(written(new))
