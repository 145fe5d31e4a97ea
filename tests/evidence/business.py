"""A small business on the real ledger and the real delivery, with stand-ins of two platforms.

It does what a sync does, in the same order and by the same functions, but for reading tables and
clustering: who is desired is given.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from cohortd.core.consenting import SubjectKind
from cohortd.core.delivery import Action, Batch, Lane, Limits, RemoteSpec
from cohortd.core.identifiers import Family
from cohortd.core.modelling import Segment
from cohortd.core.planning import Delta, Target
from cohortd.ledger import Comparison, Ledger, Withdrawn
from cohortd.pipeline import resyncing
from cohortd.pipeline.choosing import cheaper_replaced
from cohortd.pipeline.delivery import Delivery
from cohortd.pipeline.holding import hold
from cohortd.pipeline.refreshing import membership_days
from cohortd.pipeline.revoking import send_revocations
from cohortd.pipeline.wiring import (
    AudiencePolicy,
    Destination,
    IdentityPolicy,
    Pipeline,
    PollPolicy,
    Resyncing,
)
from cohortd.pipeline.withdrawing import withdraw_all
from consent import ChainSealer
from tests.evidence.stand_in import InTurns, Platform, Seen
from tests.unit.ledger.ledger_world import Person, everybody, extra_of, revocation, staged_rows

START: Final = datetime(2026, 1, 5, 6, tzinfo=UTC)
FLOOR: Final = 2
SEGMENTS: Final = tuple(Segment(name, f"Segment {name}", "") for name in ("s1", "s2"))
#: Google forgets after so many days, Meta never; Google says of its end when asked, Meta at once.
REMEMBERED_DAYS: Final = 60
GOOGLE: Final = Limits(Family.GOOGLE, 3, 0, REMEMBERED_DAYS, overlapping_batches=False)
META: Final = Limits(Family.META, 3, 0, None, overlapping_batches=True)
DESTINATIONS: Final = {"google": ("google_data_manager", GOOGLE), "meta": ("meta", META)}
POLL: Final = PollPolicy(first_s=600, factor=1.5, max_s=3600, give_up_s=86_400)
#: Two of them share an e-mail; the last one's rows are refused by every platform.
PEOPLE: Final = (
    Person("a", email="home@x"),
    Person("b", email="home@x"),
    *(Person(name) for name in "cdefgh"),
    Person("bad"),
)
#: Person -> segment; who is left out is not desired.
Desired = Mapping[str, str]


class Business:
    """Who is desired and who took consent back, and the one process that keeps the platforms to it."""

    def __init__(
        self,
        folder: Path,
        *,
        now: datetime = START,
        rows_per_batch: int = 3,
        listen: Callable[..., None] | None = None,
        foreign: Path | None = None,
        concurrency: int = 1,
    ) -> None:
        """Open the ledger in *folder*, or make it.

        Args:
            concurrency: How many batches a platform is sent at once. It takes them in turns all the
                same, in any order.
            listen: Called wherever a crash leaves something else behind.
            foreign: Where the platforms keep their journals, to outlive the process; else they do not.
        """
        self.folder = folder
        self.now = now
        self.concurrency = concurrency
        self.sealer = ChainSealer(folder / "log.key")
        self.people = {person.name: person for person in PEOPLE}
        #: Everything a person ever carried.
        self.carried = {name: person.identifiers() for name, person in self.people.items()}
        self.desired: dict[str, str] = {}
        #: Person -> when they took consent back.
        self.revoked: dict[str, datetime] = {}
        self.deltas: Mapping[Target, Delta] = {}
        #: How often everybody was sent anew since that took fewer requests.
        self.times_replaced = 0
        self.platforms = {
            name: Platform(
                platform=platform,
                limits=replace(limits, rows_per_batch=rows_per_batch),
                clock=self.clock,
                journal=foreign / f"{name}.jsonl" if foreign else None,
                bad=[self.people["bad"].key],
                asynchronous=name == "google",
            )
            for name, (platform, limits) in DESTINATIONS.items()
        }
        for each in self.platforms.values():
            each.heard, each.created, each.done = self.check_consent, self.check_floor, self.check_superset
            each.point = listen or each.point
        self.ledger = self.open()
        self.pipeline = self.wire(self.ledger)

    def clock(self) -> datetime:
        """Tell the time here."""
        return self.now

    def open(self) -> Ledger:
        """Open the ledger as a process of its own would."""
        url = f"sqlite:///{self.folder / 'cohortd.db'}"
        return Ledger.open(url, sealer=self.sealer, state_dir=self.folder / "state")

    def wire(self, ledger: Ledger) -> Pipeline:
        """Put a ledger and the platforms together; nothing here reads tables."""
        unused = cast("Any", None)
        return Pipeline(
            data_dir=self.folder,
            ledger=ledger,
            engine=unused,
            sources=unused,
            destinations={
                name: Destination(
                    name,
                    each.platform,
                    "1",
                    each if self.concurrency == 1 else InTurns(each),
                    POLL,
                    membership_days=each.limits.forgets_after_days,
                    concurrency=self.concurrency,
                    resyncing=Resyncing.SWEEP if each.asynchronous else Resyncing.ADDS,
                    replaces_when_cheaper=True,
                )
                for name, each in self.platforms.items()
            },
            segmentation=unused,
            audiences=AudiencePolicy(FLOOR, ""),
            identity=IdentityPolicy(None, frozenset()),
            consent=unused,
            guards=unused,
            log_key=self.sealer.public_key,
            clock=self.clock,
            chance=lambda: 0.0,
        )

    def restart(self) -> None:
        """What a crash leaves: the file, and nobody who remembers what was under way."""
        self.ledger.close()
        self.use(self.open())

    def use(self, ledger: Ledger) -> None:
        """Go on with another process's ledger."""
        self.ledger = ledger
        self.pipeline = self.wire(ledger)

    # what a process does

    @contextmanager
    def delivery(self) -> Iterator[Delivery]:
        """Lead, and send."""
        with self.ledger.leadership() as epoch:
            delivery = Delivery(self.pipeline, epoch)
            delivery.resume()
            yield delivery

    def sync(self) -> None:
        """Do what ``pipeline.syncing`` does once the tables are read."""
        with self.delivery() as delivery:
            delivery.drain(lane=Lane.REVOCATION)
            delivery.poll()
            self.plan(delivery)
            delivery.drain(lane=Lane.REVOCATION)
            delivery.drain()
            delivery.poll()
            delivery.drain()

    def plan(self, delivery: Delivery) -> None:
        """Queue what is desired and allowed."""
        with self.compared() as comparison:
            held = hold(self.pipeline, SEGMENTS, self.deltas)
            replaced = self._choose(comparison, held)
            fed = [t for t, delta in self.deltas.items() if t not in held and delta.adds]
            segments = {segment.id: segment for segment in SEGMENTS}
            missing = [t for t in fed if not delivery.ensure(t, segments[t.audience])]
            comparison.enqueue(
                list(self.deltas),
                hold_adds=[*held, *missing],
                rows_per_batch=lambda name: self.platforms[name].limits.rows_per_batch,
                version=1,
                at=self.now,
                epoch=delivery.epoch,
                replaced={target: resyncing.keeps_since(self.pipeline, target) for target in replaced},
            )
            resyncing.begin(self.pipeline, replaced, epoch=delivery.epoch)
            self.times_replaced += len(replaced)

    def _choose(self, comparison: Comparison, held: Collection[Target]) -> Collection[Target]:
        """Choose whom to replace, and compare once more where that has everybody sent again."""
        replaced = cheaper_replaced(
            self.pipeline, self.deltas, held=held, waiting=(), wanted=lambda _: True
        )
        if replaced:
            self.deltas = comparison.deltas(
                now=self.now,
                refresh_after=lambda t: 0 if t in replaced else membership_days(self.pipeline, t),
            )
        return replaced

    @contextmanager
    def compared(self) -> Iterator[Comparison]:
        """Compare with what was sent; the numbers are in ``deltas``."""
        with self.ledger.compare(rows_a_turn=1) as comparison:
            for segment in SEGMENTS:
                for name, each in self.platforms.items():
                    rows = [row for person in self.wanted(segment.id) for row in person.rows()]
                    comparison.stage(Target(segment.id, name), each.limits.family, staged_rows(rows))
            self.deltas = comparison.deltas(
                now=self.now, refresh_after=lambda target: membership_days(self.pipeline, target)
            )
            yield comparison

    def revoke(self, name: str, *, pipeline: Pipeline | None = None) -> None:
        """Take in that a person takes consent back; repeating it changes nothing."""
        at = self.revoked.get(name, self.now)
        person = self.people[name]
        record = revocation(person, at=at)
        withdraw_all(pipeline or self.pipeline, [Withdrawn(record, tuple(Family), extra_of(person))])
        self.revoked[name] = at

    def send_revocations(self) -> None:
        """Send what is queued for revocations, as the fast lane does."""
        assert send_revocations(self.pipeline).sent

    def grant(self, name: str) -> None:
        """Take in a newer grant of a person."""
        subject = (("", self.people[name].key),)
        self.revoked.pop(name, None)
        self.ledger.consent.lift((SubjectKind.CUSTOMER, subject), granted_at=self.now, now=self.now)

    def move(self, name: str, number: int) -> None:
        """Give a person another e-mail."""
        person = replace(self.people[name], email=f"{name}{number}@x")
        self.people[name] = person
        self.carried[name] = self.carried[name] | person.identifiers()

    # what must be so

    def wanted(self, segment: str) -> list[Person]:
        """List whom a plan may ask for: whoever is desired and has not taken consent back."""
        return [
            self.people[name]
            for name, chosen in sorted(self.desired.items())
            if chosen == segment and name not in self.revoked
        ]

    def taken_back(self) -> set[Seen]:
        """Every identifier of whoever took consent back."""
        return {seen for name in self.revoked for seen in self.carried[name]}

    def expected(self, segment: str) -> set[Seen]:
        """Return who is to be in an audience when all is quiet."""
        wanted = everybody(*(p for p in self.wanted(segment) if p.name != "bad"))
        return wanted - self.taken_back()

    def on_platform(self, target: Target) -> set[Seen]:
        """Return who is in the target's remote audience."""
        remote = self.ledger.remotes.get(target)
        held = self.platforms[target.destination].members
        return held(remote.remote_id) if remote is not None and remote.remote_id else set()

    def in_ledger(self, target: Target) -> set[Seen]:
        """Return who may be there, as the ledger has it."""
        return set(self.ledger.members.members_of(target))

    def targets(self) -> list[Target]:
        """List every audience at every destination."""
        return [Target(segment.id, name) for segment in SEGMENTS for name in self.platforms]

    def check_consent(self, batch: Batch) -> None:
        """Laws 1 and 2: nobody is in an add who took consent back before it was built."""
        if batch.action is Action.ADD:
            sent = {(int(i.kind), i.digest) for member in batch.members for i in member.identifiers}
            assert not sent & self.taken_back(), "law 1: an add holds somebody who took consent back"

    def check_floor(self, spec: RemoteSpec) -> None:
        """Law 6: an audience is made only for as many as it needs."""
        assert len(self.wanted(spec.audience)) >= FLOOR, "law 6: an audience was made below its floor"

    def check_superset(self) -> None:
        """Law 3: whoever is on a platform is in the ledger."""
        for remote in self.ledger.remotes.all():
            held = self.platforms[remote.target.destination].members(remote.remote_id or "")
            assert held <= self.in_ledger(remote.target), "law 3: the ledger does not know everybody"

    def after(self, **span: float) -> None:
        """Let time go by; the platforms forget whom they no longer remember."""
        self.now += timedelta(**span)
        for each in self.platforms.values():
            each.forget()
