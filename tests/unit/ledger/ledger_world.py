"""A ledger with a platform that keeps members, and the rule that the ledger holds all of them."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.delivery import Action, Batch, BatchState, Lane, Receipt
from cohortd.core.identifiers import Family, Identifier, IdentifierKind
from cohortd.core.planning import Delta, Target
from cohortd.core.removals import Tree
from cohortd.ledger import STAGED, Claimed, Ledger, Withdrawal
from cohortd.ledger.turns import ROWS_A_TURN
from consent import concealing, merkle

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOOGLE = Target("s1", "google")
META = Target("s1", "meta")
OTHER = Target("s2", "google")
FAMILIES = {"google": Family.GOOGLE, "meta": Family.META}
PLATFORMS = {"google": "google_data_manager", "meta": "meta"}
EMAIL, PHONE = int(IdentifierKind.EMAIL), int(IdentifierKind.PHONE)

Row = tuple[int, bytes, bytes, bytes]

#: For what only a file can do.
on_sqlite = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


class FakeSealer:
    def seal(self, previous: str, fields: Mapping[str, object]) -> str:
        return hashlib.sha256(f"{previous}{sorted(fields.items())}".encode()).hexdigest()

    def grow(self, tree: Tree, hashes: Sequence[str]) -> Tree:
        return merkle.grow(tree, hashes)

    def sign(self, head: str) -> str:
        return f"signed {head[:8]}"

    def conceal(self, key: bytes, text: str) -> str:
        return concealing.conceal(key, text)

    def reveal(self, key: bytes, concealed: str) -> str | None:
        return concealing.reveal(key, concealed)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True)
class Person:
    name: str
    email: str = ""
    phone: str = ""
    payload: bytes = b""

    @property
    def key(self) -> bytes:
        return digest(f"key {self.name}")[:16]

    def rows(self) -> list[Row]:
        email, phone = self.email or f"{self.name}@x", self.phone or f"+{self.name}"
        found = [(EMAIL, digest(email)), (PHONE, digest(phone))]
        return [(kind, value, self.key, self.payload) for kind, value in found]

    def identifiers(self) -> set[tuple[int, bytes]]:
        return {(kind, value) for kind, value, *_ in self.rows()}


def staged_rows(rows: Iterable[Row]) -> pa.Table:
    """Put rows into the form in which they are staged."""
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[]] * 4, schema=STAGED)


def people(*names: str) -> list[Person]:
    return [Person(name) for name in names]


def crowd(count: int) -> list[Person]:
    return [Person(f"p{number}") for number in range(count)]


@dataclass
class FakePlatform:
    """Applies batches like the real ones: adds and removals of identifiers are idempotent sets."""

    members: dict[str, set[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(set))
    #: Every batch as it arrived.
    seen: list[Batch] = field(default_factory=list)

    def apply(self, batch: Batch) -> None:
        self.seen.append(batch)
        found = {(int(i.kind), i.digest) for member in batch.members for i in member.identifiers}
        if batch.action is Action.ADD:
            self.members[batch.remote_id] |= found
        else:
            self.members[batch.remote_id] -= found


class World:
    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url or f"sqlite:///{folder / 'ledger.db'}"
        self.ledger = self.open()
        self.platform = FakePlatform()
        self.now = NOW
        self.epoch = 0
        self.overlapping = True
        self.rows_per_batch = 100
        self.rows_a_turn = ROWS_A_TURN
        with self.ledger.leadership() as epoch:
            self.epoch = epoch

    def open(self) -> Ledger:
        return Ledger.open(self.url, sealer=FakeSealer(), state_dir=self.folder / "state")

    def restart(self) -> None:
        """What a crash leaves: the file, and nobody who remembers what was under way."""
        self.ledger.close()
        self.ledger = self.open()
        with self.ledger.leadership() as epoch:
            self.epoch = epoch

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    # planning

    def deltas(
        self, desired: Mapping[Target, Iterable[Person]], *, refresh_days: int | None = None
    ) -> Mapping[Target, Delta]:
        with self.ledger.compare() as comparison:
            for target, wanted in desired.items():
                rows = [row for person in wanted for row in person.rows()]
                comparison.stage(target, FAMILIES[target.destination], staged_rows(rows))
            return comparison.deltas(now=self.now, refresh_after=lambda _: refresh_days)

    def plan(
        self,
        desired: Mapping[Target, Iterable[Person]],
        *,
        hold: Collection[Target] = (),
        refresh_days: int | None = None,
        replaced: Collection[Target] = (),
    ) -> Mapping[Target, Delta]:
        with self.ledger.compare(rows_a_turn=self.rows_a_turn) as comparison:
            for target, wanted in desired.items():
                rows = [row for person in wanted for row in person.rows()]
                comparison.stage(target, FAMILIES[target.destination], staged_rows(rows))
            deltas = comparison.deltas(now=self.now, refresh_after=lambda _: refresh_days)
            for target in desired:
                self.ready(target)
            comparison.enqueue(
                list(deltas),
                hold_adds=hold,
                rows_per_batch=lambda _: self.rows_per_batch,
                version=1,
                at=self.now,
                epoch=self.epoch,
                replaced=dict.fromkeys(replaced, self.now),
                carried=[target for target in replaced if target.destination == "meta"],
            )
        return deltas

    def fingerprint(self, desired: Mapping[Target, Iterable[Person]]) -> str:
        with self.ledger.compare() as comparison:
            for target, wanted in desired.items():
                rows = [row for person in wanted for row in person.rows()]
                comparison.stage(target, FAMILIES[target.destination], staged_rows(rows))
            comparison.deltas(now=self.now, refresh_after=lambda _: None)
            return comparison.fingerprint()

    def ready(self, target: Target) -> int:
        remote = self.ledger.remotes.get(target)
        if remote is None or remote.remote_id is None:
            remote = self.ledger.remotes.intend(
                target,
                platform=PLATFORMS[target.destination],
                account="1",
                name=target.audience,
                at=self.now,
            )
            self.ledger.remotes.attach(remote.id, f"{target.audience}-{target.destination}", at=self.now)
        return remote.id

    # sending

    def claim(self, lane: Lane | None = None) -> Claimed | None:
        return self.ledger.outbox.claim(
            now=self.now,
            epoch=self.epoch,
            destinations=["google", "meta"],
            lane=lane,
            overlapping=lambda _: self.overlapping,
        )

    def must_claim(self, lane: Lane | None = None) -> Claimed:
        claimed = self.claim(lane)
        assert claimed is not None
        return claimed

    def settle(self, claimed: Claimed, receipt: Receipt | None = None) -> None:
        self.ledger.outbox.settle(
            claimed.batch.id,
            receipt or Receipt(BatchState.CONFIRMED),
            now=self.now,
            epoch=self.epoch,
            first_poll_s=0,
        )

    def accept(self, claimed: Claimed) -> None:
        self.settle(claimed, Receipt(BatchState.ACCEPTED, request=f"r{claimed.batch.id}"))

    def postpone(self, claimed: Claimed) -> None:
        self.ledger.outbox.postpone(claimed.batch.id, until=self.now, note="no answer", epoch=self.epoch)

    def send(self, claimed: Claimed) -> None:
        self.platform.apply(claimed.batch)
        self.check_superset()

    def drain(self) -> int:
        sent = 0
        while (claimed := self.claim()) is not None:
            self.send(claimed)
            self.settle(claimed)
            self.check_superset()
            sent += 1
            assert sent < 1000, "no progress"
        return sent

    def sync(self, desired: Mapping[Target, Iterable[Person]], *, hold: Collection[Target] = ()) -> int:
        self.plan(desired, hold=hold)
        return self.drain()

    # consent

    def revoke(self, person: Person, *, at: datetime | None = None, extra: bool = False) -> Withdrawal:
        return self.ledger.consent.withdraw(
            revocation(person, at=at or self.now),
            families=list(Family),
            extra=extra_of(person) if extra else (),
            trigger="revoked",
            now=self.now,
        )

    def revoke_email(self, email: str, *, at: datetime | None = None) -> Withdrawal:
        subject = tuple((family.value, digest(email)) for family in Family)
        record = ConsentRecord(SubjectKind.EMAIL, subject, ConsentStatus.REVOKED, at or self.now)
        return self.ledger.consent.withdraw(record, families=list(Family), trigger="revoked", now=self.now)

    def grant(self) -> None:
        for cause in self.ledger.consent.active():
            self.ledger.consent.lift(cause, granted_at=self.now, now=self.now)

    # looking

    def on_platform(self, target: Target) -> set[tuple[int, bytes]]:
        return self.platform.members[f"{target.audience}-{target.destination}"]

    def in_ledger(self, target: Target) -> set[tuple[int, bytes]]:
        return set(self.ledger.members.members_of(target))

    def check_superset(self) -> None:
        for remote in self.ledger.remotes.all():
            assert self.platform.members[remote.remote_id or ""] <= self.in_ledger(remote.target)

    def states(self, target: Target) -> Mapping[str, int]:
        return self.ledger.members.counts().get(target, {})

    def events(self) -> list[str]:
        return [entry.event for entry in self.ledger.removals.entries()]


def extra_of(person: Person) -> list[tuple[Family, bytes, Identifier]]:
    return [
        (family, person.key, Identifier(IdentifierKind(kind), value))
        for family in Family
        for kind, value, *_ in person.rows()
    ]


def revocation(person: Person, *, at: datetime) -> ConsentRecord:
    return ConsentRecord(
        SubjectKind.CUSTOMER, (("", person.key),), ConsentStatus.REVOKED, at, source="test"
    )


def everybody(*persons: Person) -> set[tuple[int, bytes]]:
    return {pair for person in persons for pair in person.identifiers()}
