"""Any order of planning, sending, losing answers, revoking and granting keeps the laws."""

import tempfile
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from ledger_server import Server
from ledger_world import GOOGLE, Person, World, everybody

from cohortd.core.delivery import Action, BatchState, Lane, Receipt
from cohortd.ledger import Claimed

#: Two of them share an e-mail.
PEOPLE = [Person("a", email="home@x"), Person("b", email="home@x"), Person("c"), Person("d"), Person("e")]
CHOSEN = st.sets(st.integers(0, len(PEOPLE) - 1))
ONE = st.integers(0, len(PEOPLE) - 1)


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self, fresh: Callable[[], str] = str) -> None:
        super().__init__()
        #: Makes the URL of a new database; blank for a file.
        self.fresh = fresh

    @initialize(overlapping=st.booleans(), rows=st.integers(1, 3))
    def begin(self, *, overlapping: bool, rows: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), self.fresh())
        self.world.overlapping = overlapping
        self.world.rows_per_batch = rows
        self.desired: set[int] = set()
        self.revoked: set[int] = set()
        #: Claimed or accepted, and whether the platform has applied it.
        self.under_way: list[Claimed] = []
        self.accepted: list[Claimed] = []
        #: Sent, the answer lost, and not yet carried out by the platform.
        self.late: list[Claimed] = []

    @rule(chosen=CHOSEN)
    def plan(self, chosen: Collection[int]) -> None:
        self.desired = set(chosen)
        self.world.plan({GOOGLE: self._wanted()})

    @rule(lane=st.sampled_from([None, Lane.REVOCATION]))
    def claim(self, lane: Lane | None) -> None:
        claimed = self.world.claim(lane)
        if claimed is not None:
            self._check_consent(claimed)
            self.under_way.append(claimed)

    @precondition(lambda self: self.under_way)
    @rule(refused=st.booleans())
    def confirm(self, *, refused: bool) -> None:
        claimed = self.under_way.pop()
        rejected = {0: "bad"} if refused and claimed.batch.action is Action.REMOVE else {}
        self._apply(claimed, without=rejected)
        self.world.settle(claimed, Receipt(BatchState.CONFIRMED, rejected=rejected))

    @precondition(lambda self: self.under_way)
    @rule()
    def accept(self) -> None:
        claimed = self.under_way.pop(0)
        self.world.accept(claimed)
        self.accepted.append(claimed)

    @precondition(lambda self: self.accepted)
    @rule(index=st.integers(0, 3))
    def finish_accepted(self, index: int) -> None:
        claimed = self.accepted.pop(index % len(self.accepted))
        self._apply(claimed)
        self.world.settle(claimed)

    @precondition(lambda self: self.accepted)
    @rule(applied=st.booleans())
    def fail_accepted(self, *, applied: bool) -> None:
        """The platform fails inside, after the first row or before it."""
        claimed = self.accepted.pop()
        self._apply(claimed, without=range(1 if applied else 0, len(claimed.batch.members)))
        self.world.settle(claimed, Receipt(BatchState.REJECTED, fault="failed inside"))

    @precondition(lambda self: self.under_way)
    @rule(applied=st.sampled_from([True, False, None]))
    def lose_the_answer(self, *, applied: bool | None) -> None:
        """The platform did it, did not, or does it later."""
        claimed = self.under_way.pop()
        if applied:
            self._apply(claimed)
        if applied is None:
            self.late.append(claimed)
        self.world.postpone(claimed)

    @precondition(lambda self: self.late)
    @rule(index=st.integers(0, 3))
    def land_late(self, index: int) -> None:
        self._land(self.late.pop(index % len(self.late)))

    @precondition(lambda self: self.under_way)
    @rule()
    def refuse(self) -> None:
        claimed = self.under_way.pop()
        if claimed.batch.action is Action.REMOVE:
            self.world.ledger.outbox.split(
                claimed.batch.id, rows={}, now=self.world.now, epoch=self.world.epoch
            )
        else:
            self._apply(claimed)
            self.world.settle(claimed)

    @rule(applied=st.booleans())
    def crash(self, *, applied: bool) -> None:
        if applied:
            for claimed in self.under_way:
                self._apply(claimed)
        self.under_way.clear()
        self.world.restart()

    @rule(one=ONE)
    def revoke(self, one: int) -> None:
        self.world.wait(seconds=1)
        self.world.revoke(PEOPLE[one], extra=True)
        self.revoked.add(one)

    @rule()
    def grant_everybody(self) -> None:
        self.world.wait(seconds=1)
        self.world.grant()
        self.revoked.clear()

    @precondition(lambda self: not self.under_way)  # a claim is its sender's for an hour
    @rule()
    def pass_time(self) -> None:
        self.late.clear()
        self.world.wait(hours=25)

    @rule()
    def settle_down(self) -> None:
        """Nothing more goes wrong: everything must come to what is desired and allowed."""
        self.crash(applied=True)
        for claimed in self.accepted:
            self._apply(claimed)
            self.world.settle(claimed)
        self.accepted.clear()
        for claimed in self.late:
            self._land(claimed)
        self.late.clear()
        for _ in range(4):
            self.world.wait(hours=25)
            self.world.sync({GOOGLE: self._wanted()})
        allowed = everybody(*self._wanted()) - everybody(*(PEOPLE[one] for one in self.revoked))
        assert self.world.on_platform(GOOGLE) == allowed == self.world.in_ledger(GOOGLE)
        assert self.world.ledger.outbox.open_batches() == []
        assert self.world.plan({GOOGLE: self._wanted()})[GOOGLE].adds == 0
        assert self.world.claim() is None

    @invariant()
    def the_ledger_holds_all_that_is_on_the_platform(self) -> None:
        if hasattr(self, "world"):
            self.world.check_superset()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.settle_down()
            self.world.ledger.close()
            self.folder.cleanup()

    def _wanted(self) -> list[Person]:
        """The plan as consent allows it: whoever is revoked is not asked for."""
        return [PEOPLE[one] for one in sorted(self.desired - self.revoked)]

    def _apply(self, claimed: Claimed, without: Collection[int] = ()) -> None:
        kept = tuple(m for index, m in enumerate(claimed.batch.members) if index not in without)
        batch = type(claimed.batch)(claimed.batch.id, claimed.batch.remote_id, claimed.batch.action, kept)
        self.world.platform.apply(batch)

    def _land(self, claimed: Claimed) -> None:
        """Carry out a lost add: all of it while the ledger still expects it, else whoever was revoked."""
        if claimed.batch.action is Action.REMOVE:
            return
        known = self.world.in_ledger(GOOGLE) | everybody(*(PEOPLE[one] for one in self.revoked))
        held = self.world.platform.members[claimed.batch.remote_id]
        held |= {(int(i.kind), i.digest) for m in claimed.batch.members for i in m.identifiers} & known

    def _check_consent(self, claimed: Claimed) -> None:
        if claimed.batch.action is Action.ADD:
            taken_back = everybody(*(PEOPLE[one] for one in self.revoked))
            sent = {(int(i.kind), i.digest) for m in claimed.batch.members for i in m.identifiers}
            assert not sent & taken_back


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_any_order_keeps_the_laws_in_postgresql(server: Server) -> None:
    run_state_machine_as_test(
        partial(LedgerMachine, server.fresh),
        settings=settings(max_examples=5, stateful_step_count=20, deadline=None),
    )
