"""The real delivery over a real ledger, a real connector and its stand-in, on a virtual clock.

The process in which something went wrong does nothing more: another one goes on.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol, cast

from ledger_world import FakeSealer, Person, everybody, people, revocation, staged_rows

from cohortd.core.identifiers import Family, IdentifierKind
from cohortd.core.modelling import Segment
from cohortd.core.planning import Delta, Target
from cohortd.emulators.faults import FaultSchedule
from cohortd.emulators.state import Audience
from cohortd.ledger import Comparison, Ledger
from cohortd.pipeline import resyncing
from cohortd.pipeline.choosing import cheaper_replaced
from cohortd.pipeline.delivery import Delivery
from cohortd.pipeline.wiring import (
    AudiencePolicy,
    Destination,
    IdentityPolicy,
    Pipeline,
    PollPolicy,
    Resyncing,
)
from connectors.protocol import Connector

SEGMENT: Final = Segment("s1", "Regulars", "Buys often")
TARGET: Final = Target("s1", "there")
CROWD: Final = people(*"abcdef")
#: Nobody that the ledger knows.
STRANGER: Final = frozenset({"email:" + "00" * 32})
POLL: Final = PollPolicy(first_s=600, factor=1.5, max_s=3600, give_up_s=86_400)
_MOST_ROUNDS: Final = 25


class StandIn(Protocol):
    """What both stand-ins have."""

    faults: FaultSchedule

    @property
    def calls(self) -> Counter[str]: ...

    def audiences(self, account: str | None = None) -> list[Audience]: ...


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Delivered:
    """One destination, one audience, and whoever is desired there."""

    folder: Path
    clock: Clock
    stand_in: StandIn
    connect: Callable[[], Connector]
    resyncing: Resyncing = Resyncing.ADDS
    #: Members in one batch.
    size: int = 4
    replaces_when_cheaper: bool = False
    desired: list[Person] = field(default_factory=lambda: list(CROWD))
    #: Everything that people were told.
    said: list[str] = field(default_factory=list)
    #: Whether nobody may be added.
    held: bool = False
    #: Whether the last plan chose to replace everybody.
    was_chosen: bool = False
    _alive: Pipeline | None = None
    #: Faults that struck before the process began.
    _struck: int = 0

    def sync(self, *, anew: bool = False, rounds: int = _MOST_ROUNDS) -> None:
        """Plan and send as ``cohortd sync`` does, and go on until nothing is open."""
        with self._process() as (pipeline, delivery):
            self._plan(pipeline, delivery, anew=anew)
        self.go_on(rounds)

    def sync_until_right(self) -> None:
        """Plan once more where a plan has to: what a platform failed at the next one asks for anew."""
        if self.there() != self.wanted():
            self.sync()

    def go_on(self, rounds: int = _MOST_ROUNDS) -> None:
        """Do what the daemon does until nothing is open, or for so many rounds."""
        for number in range(rounds):
            with self._process() as (pipeline, delivery):
                delivery.drain()
                delivery.poll()
                delivery.drain()
                due = [
                    pipeline.ledger.outbox.next_due(["there"]),
                    pipeline.ledger.resyncs.next_due(["there"]),
                ]
                is_open = bool(pipeline.ledger.outbox.open_batches() or pipeline.ledger.resyncs.open())
                self.check_superset(pipeline.ledger)
            awaited = [each for each in due if each is not None]
            if not (is_open and awaited):
                return  # what is open then waits for the next plan
            at = min(awaited)
            self.clock.now = max(at, self.clock.now + timedelta(seconds=20 * 1.5**number))
        if rounds == _MOST_ROUNDS:
            raise AssertionError(f"still open after {rounds} rounds: {self.said[-3:]}")

    def revoke(self, person: Person) -> None:
        """Have somebody take consent back, and no longer ask for them."""
        with self._process() as (pipeline, _):
            record = revocation(person, at=self.clock.now)
            pipeline.ledger.consent.withdraw(
                record, families=list(Family), trigger="revoked", now=self.clock.now
            )
        self.desired.remove(person)

    def add_stranger(self) -> None:
        """Have somebody there whom the ledger does not know."""
        store: Any = getattr(self.stand_in, "state", self.stand_in)
        store.store.add(self.remote_id, [STRANGER])

    @property
    def remote_id(self) -> str:
        [audience] = self.stand_in.audiences()
        return audience.id

    def there(self) -> frozenset[str]:
        """Who is in the audience; a stranger is still there in it."""
        look: Any = getattr(self.stand_in, "identifiers", None) or cast("Any", self.stand_in).members
        return frozenset(look(self.remote_id))

    def wanted(self) -> frozenset[str]:
        """Who is to be there."""
        return frozenset(map(_written, everybody(*self.desired)))

    def known(self) -> frozenset[str]:
        """Who may be there by the ledger."""
        with self._process() as (pipeline, _):
            return frozenset(map(_written, pipeline.ledger.members.members_of(TARGET)))

    def deltas(self) -> Delta:
        """What a plan would change now."""
        with self._process() as (pipeline, _), pipeline.ledger.compare() as comparison:
            self._stage(pipeline, comparison)
            return comparison.deltas(now=self.clock.now, refresh_after=lambda _: None)[TARGET]

    def check_superset(self, ledger: Ledger) -> None:
        """Law 3."""
        known = frozenset(map(_written, ledger.members.members_of(TARGET)))
        if self.stand_in.audiences():
            assert self.there() - STRANGER <= known, "law 3: the ledger does not know everybody"

    def close(self) -> None:
        """End the process."""
        if self._alive is not None:
            self._alive.destinations["there"].connector.close()
            self._alive.ledger.close()
            self._alive = None

    @contextmanager
    def _process(self) -> Iterator[tuple[Pipeline, Delivery]]:
        struck = len(self.stand_in.faults.struck)
        if struck != self._struck:
            self.close()
        self._struck = struck
        if self._alive is None:
            url = f"sqlite:///{self.folder / 'cohortd.db'}"
            ledger = Ledger.open(url, sealer=FakeSealer(), state_dir=self.folder / "state")
            self._alive = self._wire(ledger, self.connect())
        with self._alive.ledger.leadership() as epoch:
            delivery = Delivery(self._alive, epoch)
            delivery.resume()
            yield self._alive, delivery
            self.said += delivery.said

    def _plan(self, pipeline: Pipeline, delivery: Delivery, *, anew: bool) -> None:
        with pipeline.ledger.compare() as comparison:
            self._stage(pipeline, comparison)
            deltas = comparison.deltas(now=self.clock.now, refresh_after=lambda _: None)
            chosen = cheaper_replaced(
                pipeline,
                deltas,
                held=[TARGET] if self.held else [],
                waiting=comparison.waiting(),
                wanted=lambda _: not anew,
            )
            self.was_chosen = bool(chosen)
            if (anew or chosen) and self.resyncing is not Resyncing.SESSION:
                comparison.deltas(now=self.clock.now, refresh_after=lambda _: 0)
            assert delivery.ensure(TARGET, SEGMENT)
            if anew:
                delivery.remarks += resyncing.begin(pipeline, [TARGET], epoch=delivery.epoch)
            comparison.enqueue(
                [TARGET],
                hold_adds=[TARGET] if self.held else [],
                rows_per_batch=lambda _: self.size,
                version=1,
                at=self.clock.now,
                epoch=delivery.epoch,
                replaced={target: resyncing.keeps_since(pipeline, target) for target in chosen},
                carried=[target for target in chosen if resyncing.is_carried(pipeline, target)],
            )
            resyncing.begin(pipeline, chosen, epoch=delivery.epoch)

    def _stage(self, pipeline: Pipeline, comparison: Comparison) -> None:
        rows = [row for person in self.desired for row in person.rows()]
        comparison.stage(TARGET, pipeline.destinations["there"].family, staged_rows(rows))

    def _wire(self, ledger: Ledger, connector: Connector) -> Pipeline:
        unused = cast("Any", None)
        destination = Destination(
            "there",
            connector.platform,
            "1",
            connector,
            POLL,
            membership_days=connector.limits.forgets_after_days,
            resyncing=self.resyncing,
            replaces_when_cheaper=self.replaces_when_cheaper,
        )
        return Pipeline(
            data_dir=self.folder,
            ledger=ledger,
            engine=unused,
            sources=unused,
            destinations={"there": destination},
            segmentation=unused,
            audiences=AudiencePolicy(1, ""),
            identity=IdentityPolicy(None, frozenset()),
            consent=unused,
            guards=unused,
            log_key="",
            clock=self.clock,
        )


def written(person: Person) -> list[str]:
    """What a stand-in holds of a person."""
    return [_written(seen) for seen in person.identifiers()]


def _written(seen: tuple[int, bytes]) -> str:
    kind, digest = seen
    return f"{IdentifierKind(kind).name.lower()}:{digest.hex()}"
