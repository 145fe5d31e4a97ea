"""Any order of plans, consent, faults, crashes and changes of leader keeps the laws."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cohortd.core.delivery import Batch, Lane
from cohortd.core.errors import NotLeaderError
from cohortd.ledger import Ledger
from tests.evidence.business import PEOPLE, SEGMENTS, Business
from tests.evidence.laws import check_all, check_log, settle_down
from tests.evidence.points import Killed, Points, listening, play_killed
from tests.evidence.records import quick_folder
from tests.evidence.stand_in import Platform, Verdict
from tests.unit.ledger.ledger_world import everybody

NAMES: Final = [person.name for person in PEOPLE]
ONE: Final = st.sampled_from(NAMES[:-1])
#: Whoever moves away from a shared e-mail takes it along into a revocation only if it was sent for them.
MOVING: Final = st.sampled_from(NAMES[2:-1])
CHOSEN: Final = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from([s.id for s in SEGMENTS]), min_size=3
)
#: At which point the process dies; most of the time it does not.
CRASH: Final = st.one_of(st.none(), st.none(), st.integers(1, 80))
SENDING: Final = st.lists(
    st.sampled_from([v for v in Verdict if v not in (Verdict.WORKING, Verdict.FAIL_HALF, Verdict.UNKNOWN)]),
    max_size=4,
)
POLLING: Final = st.lists(
    st.sampled_from(
        [Verdict.TAKE, Verdict.WORKING, Verdict.FAIL_HALF, Verdict.UNKNOWN, Verdict.LOSE_UNHEARD]
    ),
    max_size=3,
)
#: Longest after a request was sent that a platform carries it out.
LANDS_WITHIN: Final = timedelta(days=1)


class EvidenceMachine(RuleBasedStateMachine):
    """One business, one leading process at a time, two platforms that misbehave."""

    @initialize(rows=st.integers(1, 3), desired=CHOSEN, synced=st.booleans())
    def begin(self, rows: int, desired: dict[str, str], *, synced: bool) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=quick_folder())
        self.points = Points(play_killed)
        self.business = Business(Path(self.folder.name), rows_per_batch=rows, listen=self.points)
        self.business.desired = desired
        self.counts = Counter[str]()
        self._live(None, self.business.sync if synced else self._plan)

    @rule(desired=CHOSEN, crash=CRASH)
    def plan(self, desired: dict[str, str], crash: int | None) -> None:
        """Other people are desired, and a plan queues them."""
        self.business.desired = desired
        self._live(crash, self._plan)

    @rule(crash=CRASH, verdicts=POLLING)
    def sync(self, crash: int | None, verdicts: list[Verdict]) -> None:
        """A whole sync; the platforms answer as they like."""
        self._tell(verdicts)
        self._live(crash, self.business.sync)

    @rule(verdicts=SENDING, lane=st.sampled_from([None, None, Lane.REVOCATION]), crash=CRASH)
    def drain(self, verdicts: list[Verdict], lane: Lane | None, crash: int | None) -> None:
        """What is queued is sent: taken, refused, half done, done without an answer, done later."""
        self._tell(verdicts)
        self._live(crash, lambda: self._drain(lane))

    @rule(minutes=st.sampled_from([11, 70]), verdicts=POLLING, crash=CRASH)
    def poll(self, minutes: int, verdicts: list[Verdict], crash: int | None) -> None:
        """Google is asked what became of what it took."""
        self._after(minutes=minutes)
        self._tell(verdicts)
        self._live(crash, self._poll)

    @rule(one=ONE, send=st.booleans(), crash=CRASH)
    def revoke(self, one: str, *, send: bool, crash: int | None) -> None:
        """Somebody takes consent back; whoever asked asks again if the process died over it."""
        self._after(seconds=1)
        if self._live(crash, lambda: self.business.revoke(one)):
            self.business.revoke(one)
        self.counts["revocations"] += 1
        if send:
            self._live(crash, self.business.send_revocations)

    @precondition(lambda self: self.business.revoked)
    @rule(index=st.integers(0, 3), crash=CRASH)
    def grant(self, index: int, crash: int | None) -> None:
        """Somebody gives consent again."""
        self._after(seconds=1)
        one = sorted(self.business.revoked)[index % len(self.business.revoked)]
        if self._live(crash, lambda: self.business.grant(one)):
            self.business.grant(one)
        self.counts["grants"] += 1

    @rule(one=ONE, verdicts=SENDING)
    def revoke_while_sending(self, one: str, verdicts: list[Verdict]) -> None:
        """Another process takes a revocation in while a batch is on its way."""
        self._tell(verdicts)
        self._after(seconds=1)

        def meanwhile(_: Batch) -> None:
            with self.business.open() as other:
                self.business.revoke(one, pipeline=self.business.wire(other))
            self.counts["revocations while a batch was on its way"] += 1

        with self._once(meanwhile):
            self._drain(None)

    @rule(verdicts=SENDING)
    def swap_leaders_while_sending(self, verdicts: list[Verdict]) -> None:
        """Another process leads while a batch is on its way: the old one is refused whatever it does."""
        self._tell(verdicts)
        taken: list[Ledger] = []
        try:
            with self._once(lambda _: taken.append(self._take_over())):
                self._drain(None)
        except NotLeaderError:
            assert taken, "a leader was refused whom nobody followed"
            self.counts["leaders refused"] += 1
        else:
            assert not taken, "the ledger took the word of an old leader"
        self.business.ledger.close()
        self.business.use(taken[0] if taken else self.business.open())

    @rule(one=MOVING)
    def move(self, one: str) -> None:
        """Somebody has another e-mail."""
        self.counts["moves"] += 1
        self.business.move(one, self.counts["moves"])

    @precondition(lambda self: any(each.working for each in self.business.platforms.values()))
    @rule(index=st.integers(0, 5))
    def land(self, index: int) -> None:
        """A platform carries out what it took, in an order of its own."""
        waiting = [(each, r) for each in self.business.platforms.values() for r in each.working]
        platform, request = waiting[index % len(waiting)]
        self._land(platform, request)
        self.counts["requests carried out late"] += 1

    @rule(span=st.sampled_from([{"hours": 7}, {"hours": 25}, {"days": 30}, {"days": 90}]))
    def pass_time(self, span: dict[str, float]) -> None:
        """Time goes by: what waits comes due, members expire."""
        self._after(**span)

    @rule()
    def restart(self) -> None:
        """The process is killed while it does nothing."""
        self.business.restart()

    @rule()
    def settle(self) -> None:
        """Nothing more goes wrong: everything must come to what is desired and allowed."""
        self.business.restart()
        self._tell([])
        for platform in self.business.platforms.values():
            for request in list(platform.working):
                self._land(platform, request)
        settle_down(self.business)
        check_all(self.business)
        self.counts["times all was quiet, and every law was checked"] += 1

    @invariant()
    def the_ledger_knows_everybody_and_the_log_is_whole(self) -> None:
        """Laws 3 and 7, after every step."""
        if hasattr(self, "business"):
            self.business.check_superset()
            check_log(self.business.ledger, self.business.sealer.public_key)

    def teardown(self) -> None:
        """Every run ends in quiet."""
        if hasattr(self, "business"):
            self.settle()
            self.counts["times everybody was sent anew"] = self.business.times_replaced
            self.business.ledger.close()
            self.folder.cleanup()

    # how

    def _live(self, crash: int | None, work: Callable[[], object]) -> bool:
        """Let a process do something; tell whether it died over it."""
        try:
            with listening(self.points):
                self.points.arm(crash)
                work()
        except Killed:
            self.counts["crashes"] += 1
            self.business.restart()
            return True
        finally:
            self.points.arm(None)
        return False

    def _plan(self) -> None:
        with self.business.delivery() as delivery:
            self.business.plan(delivery)

    def _drain(self, lane: Lane | None) -> None:
        with self.business.delivery() as delivery:
            delivery.drain(lane=lane)

    def _poll(self) -> None:
        with self.business.delivery() as delivery:
            delivery.poll()
            delivery.drain()

    def _tell(self, verdicts: Sequence[Verdict]) -> None:
        """Say what becomes of the next calls, the first at one platform, the second at the other."""
        for number, platform in enumerate(self.business.platforms.values()):
            platform.verdicts.clear()
            platform.verdicts.extend(verdicts[number::2])
        self.counts["faults told to the platforms"] += sum(each is not Verdict.TAKE for each in verdicts)

    @contextmanager
    def _once(self, meanwhile: Callable[[Batch], None]) -> Iterator[None]:
        """Let something happen while the next batch is on its way."""
        check = self.business.check_consent

        def heard(batch: Batch) -> None:
            self._hear(check)
            check(batch)
            meanwhile(batch)

        self._hear(heard)
        try:
            yield
        finally:
            self._hear(check)

    def _hear(self, heard: Callable[[Batch], None]) -> None:
        for platform in self.business.platforms.values():
            platform.heard = heard

    def _take_over(self) -> Ledger:
        """Lead although somebody else does: his lock went with the disk it was on."""
        (self.business.folder / "cohortd.db.lock").unlink()
        other = self.business.open()
        with other.leadership():
            return other

    def _after(self, **span: float) -> None:
        self.business.after(**span)
        oldest = int((self.business.now - LANDS_WITHIN).timestamp())
        for platform in self.business.platforms.values():
            for request in [r for r, work in platform.working.items() if work.at <= oldest]:
                if request not in self._asked_about(platform):
                    platform.drop(request)

    def _land(self, platform: Platform, request: str) -> None:
        lost = request not in self._asked_about(platform)
        removes = platform.working[request].action == "remove"
        platform.land(request, only=self._may_leave() if lost and removes else None)

    def _asked_about(self, platform: Platform) -> set[str]:
        """Return the requests that the ledger will ask about."""
        outbox, later = self.business.ledger.outbox, self.business.now + timedelta(days=400)
        names = [name for name, each in self.business.platforms.items() if each is platform]
        return {due.request for due in outbox.due_polls(now=later, destinations=names)}

    def _may_leave(self) -> set[tuple[int, bytes]]:
        """Return who may still be taken off by a removal of which nobody has the answer.

        It was sent again since. That it takes somebody away who came back within the day is not modelled.
        """
        known = {s for target in self.business.targets() for s in self.business.in_ledger(target)}
        return everybody(*self.business.people.values()) - known
