"""What a comparison finds and queues is what the rules say, in whatever state the ledger is."""

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_model import Outcome, Sent, Situation, Staged, batches, compare
from ledger_server import Server
from ledger_world import FAMILIES, GOOGLE, META, OTHER, World, digest, staged_rows

from cohortd.core.planning import Target
from cohortd.core.times import format_time
from cohortd.ledger.memberships import State

TARGETS = (GOOGLE, META, OTHER)
DAY = 86_400
SIZE = 2
KINDS = st.integers(1, 3)
#: Some share their first eight bytes and more, so that a prefix alone does not tell them apart.
DIGESTS = st.sampled_from(
    [digest(str(n)) for n in range(6)]
    + [digest("x")[:8] + bytes([n]) * 24 for n in (0, 7, 255)]
    + [digest("y")[:31] + bytes([n]) for n in (0, 128)]
    + [bytes(32), b"\xff" * 32]
)
MEMBERS = st.sampled_from(
    [digest(f"m{n}")[:16] for n in range(4)] + [digest("z")[:8] + bytes([n]) * 8 for n in (0, 9, 200)]
)
PAYLOADS = st.sampled_from([b"", b"", b"a", b"b", b"a longer one"])
STAGED = st.builds(Staged, KINDS, DIGESTS, MEMBERS, PAYLOADS)
SENT_DAYS = st.sampled_from([None, 0, 40, 60, 80, 95])


@dataclass(frozen=True)
class Place:
    """One target: what is staged for it, in parts, and what the ledger has of it."""

    staged: Sequence[Sequence[Staged]] | None
    sent: Sequence[tuple[Staged, State, bool, int | None, int]] | None
    retired: bool
    taken_back: Sequence[Staged]
    taken_back_later: Sequence[Staged]
    unknown: Sequence[Staged]
    unsent: Sequence[Staged]


ROWS = st.lists(STAGED, max_size=4, unique_by=lambda row: row[:2])
PLACES = st.builds(
    Place,
    staged=st.none() | st.lists(st.lists(STAGED, max_size=8), max_size=3),
    sent=st.none()
    | st.lists(
        st.tuples(STAGED, st.sampled_from(State), st.booleans(), SENT_DAYS, st.integers(0, 1)),
        max_size=12,
        unique_by=lambda row: row[0][:2],
    ),
    retired=st.sampled_from([False, False, True]),
    taken_back=ROWS,
    taken_back_later=ROWS,
    unknown=ROWS,
    unsent=ROWS,
)
SUPPRESSED = st.sets(
    st.tuples(
        st.sampled_from(["google", "meta"]),
        st.one_of(st.tuples(KINDS, DIGESTS), st.tuples(st.just(0), MEMBERS)),
    ),
    max_size=2,
)


@dataclass(frozen=True)
class Setting:
    """What a comparison depends on besides its targets."""

    suppressed: set[tuple[str, tuple[int, bytes]]]
    co_owners: set[tuple[str, int, bytes, bytes]]
    held: set[Target]
    days: int | None
    rows_at_once: int


SETTINGS = st.builds(
    Setting,
    suppressed=SUPPRESSED,
    co_owners=st.sets(st.tuples(st.sampled_from(["google", "meta"]), KINDS, DIGESTS, MEMBERS), max_size=6),
    held=st.sets(st.sampled_from(TARGETS), max_size=1),
    days=st.none() | st.just(100),
    rows_at_once=st.sampled_from([1, 1000]),
)


@settings(max_examples=100, deadline=None)
@given(places=st.tuples(PLACES, PLACES, PLACES), setting=SETTINGS)
def test_a_comparison_finds_and_queues_what_the_rules_say(
    places: tuple[Place, Place, Place], setting: Setting
) -> None:
    check_case(places, setting)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.tuples(PLACES, PLACES, PLACES), setting=SETTINGS)
def test_a_comparison_in_postgresql_finds_and_queues_what_the_rules_say(
    server: Server, places: tuple[Place, Place, Place], setting: Setting
) -> None:
    url = server.fresh()
    check_case(places, setting, url)
    server.give_back(url)


def check_case(places: tuple[Place, Place, Place], setting: Setting, url: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), url)
        try:
            Case(world, dict(zip(TARGETS, places, strict=True)), setting).check()
        finally:
            world.ledger.close()


@dataclass
class Case:
    world: World
    places: dict[Target, Place]
    setting: Setting

    def check(self) -> None:
        self._fill()
        before = self._co_owners()
        expected = {t: compare(self._situation(t)) for t in TARGETS if self._counts(t)}
        with self.world.ledger.compare(
            rows_at_once=self.setting.rows_at_once, rows_a_turn=self.setting.rows_at_once
        ) as comparison:
            for target, place in self.places.items():
                for part in place.staged if place.staged is not None else ():
                    comparison.stage(target, FAMILIES[target.destination], staged_rows(part))
            deltas = comparison.deltas(now=self.world.now, refresh_after=lambda _: self.setting.days)
            leaving = comparison.leaving()
            for target in deltas:
                self.world.ready(target)
            comparison.enqueue(
                list(deltas),
                hold_adds=self.setting.held,
                rows_per_batch=lambda _: SIZE,
                version=1,
                at=self.world.now,
                epoch=self.world.epoch,
            )

        assert deltas == {target: outcome.delta for target, outcome in expected.items()}
        assert leaving == {member for outcome in expected.values() for member in outcome.removes}
        found = {target: self._queued(target) for target in expected}
        assert found == {target: self._wanted(target, outcome) for target, outcome in expected.items()}
        for target, outcome in expected.items():
            self._check_ledger(target, outcome)
        assert self._co_owners() == before | self._expected_co_owners(expected)

    def _counts(self, target: Target) -> bool:
        place = self.places[target]
        return bool(place.staged) or (place.sent is not None and not place.retired)

    def _situation(self, target: Target) -> Situation:
        place, family = self.places[target], FAMILIES[target.destination].value
        now = int(self.world.now.timestamp())
        is_made = place.sent is not None
        return Situation(
            staged=[row for part in place.staged or () for row in part],
            sent=[
                Sent(*row, int(state), is_open, 0 if ago is None else now - ago * DAY, doubt)
                for row, state, is_open, ago, doubt in place.sent or ()
            ],
            suppressed={key for name, key in self.setting.suppressed if name == family},
            taken_back={r[:2] for r in (*place.taken_back, *place.taken_back_later) if is_made},
            going={row[:3] for row in place.taken_back if is_made},
            carriers=self._carriers(family),
            now=now,
            refresh_s=None if self.setting.days is None else self.setting.days * DAY,
        )

    # filling the ledger

    def _fill(self) -> None:
        self._suppress()
        for row in sorted(self.setting.co_owners):
            self._run("INSERT INTO co_owner (family, kind, digest, member) VALUES (?, ?, ?, ?)", *row)
        for target, place in self.places.items():
            if place.sent is None:
                continue
            remote = self.world.ready(target)
            unknown = self._batch(remote, "add", "regular", "pending", place.unknown, attempts=1)
            over = self._batch(remote, "add", "regular", "confirmed", ())
            self._batch(remote, "remove", "revocation", "pending", place.taken_back)
            later = format_time(self.world.now + timedelta(hours=1))
            self._batch(remote, "remove", "revocation", "pending", place.taken_back_later, next_at=later)
            self._batch(remote, "add", "regular", "pending", place.unsent)
            now = int(self.world.now.timestamp())
            for row, state, is_open, ago, doubt in place.sent:
                self._run(
                    "INSERT INTO membership (remote, kind, digest, member, payload, state, batch, added_at,"
                    " sent_at, version, doubt) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 1, ?)",
                    remote,
                    *row,
                    int(state),
                    unknown if is_open else over,
                    0 if ago is None else now - ago * DAY,
                    doubt,
                )
            if place.retired:
                self.world.ledger.remotes.retire(remote, at=self.world.now)

    def _suppress(self) -> None:
        self._run(
            "INSERT INTO consent_record (id, content, subject_kind, subject, status, recorded_at, purpose,"
            " platform, regulation, source, evidence, received_at) VALUES (1, ?, 'customer', '[]',"
            " 'revoked', '2026-01-01T00:00:00Z', '', '', '', '', '', '2026-01-01T00:00:00Z')",
            b"\0",
        )
        self._run("INSERT INTO withdrawal (id, subject_ref, cause, withdrawn_at) VALUES (1, 'x', 'r', 'x')")
        for family, (kind, key) in sorted(self.setting.suppressed):
            self._run(
                "INSERT INTO suppression (family, kind, key, withdrawal, withdrawn_at)"
                " VALUES (?, ?, ?, 1, '')",
                family,
                kind,
                key,
            )

    def _batch(
        self,
        remote: int,
        action: str,
        lane: str,
        state: str,
        rows: Sequence[Staged],
        *,
        attempts: int = 0,
        next_at: str = "",
    ) -> int:
        [(batch,)] = self._run(
            "INSERT INTO batch (remote, action, lane, state, attempts, rows, created_at, next_at, request,"
            " note, result) VALUES (?, ?, ?, ?, ?, ?, '', ?, '', '', '') RETURNING id",
            remote,
            action,
            lane,
            state,
            attempts,
            len(rows),
            next_at,
        )
        for position, row in enumerate(rows):
            self._run(
                "INSERT INTO batch_item (batch, kind, digest, position, member, payload)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                batch,
                row.kind,
                row.digest,
                position,
                row.member,
                row.payload,
            )
        return batch

    # looking

    def _check_ledger(self, target: Target, outcome: Outcome) -> None:
        place, remote = self.places[target], self.world.ready(target)
        rows = self._run("SELECT kind, digest, member FROM membership WHERE remote = ?", remote)
        assert {(kind, value): member for kind, value, member in rows} == {
            (row.kind, row.digest): outcome.owners.get((row.kind, row.digest), row.member)
            for row, *_ in place.sent or ()
            if (row.kind, row.digest) not in outcome.forgotten
        }
        dropped = self._run(
            "SELECT i.kind, i.digest FROM batch b JOIN batch_item i ON i.batch = b.id"
            " WHERE b.remote = ? AND i.dropped = 1",
            remote,
        )
        unknown = {(r.kind, r.digest) for r in place.unknown} if place.sent is not None else set()
        assert set(dropped) == (unknown if target in self.setting.held else unknown - outcome.wanted.keys())

    def _wanted(self, target: Target, outcome: Outcome) -> list[tuple[str, int, list]]:
        found = [("remove", 0, part) for part in batches(outcome.removes, SIZE)]
        if target not in self.setting.held:
            for refresh in (0, 1):
                groups = {m: rows for (r, m), rows in outcome.adds.items() if r == refresh}
                found += [("add", refresh, part) for part in batches(groups, SIZE)]
        return [(a, r, [[row[:4] for row in rows] for rows in part]) for a, r, part in found]

    def _queued(self, target: Target) -> list[tuple[str, int, list]]:
        rows = self._run(
            "SELECT b.id, b.action, b.refresh, b.rows, i.position, i.kind, i.digest, i.member, i.payload"
            " FROM batch b JOIN batch_item i ON i.batch = b.id WHERE b.remote = ? AND b.lane = 'regular'"
            " AND b.state = 'pending' AND b.attempts = 0 ORDER BY b.id, i.position, i.kind, i.digest",
            self.world.ready(target),
        )
        found: dict[tuple, dict[int, list]] = defaultdict(lambda: defaultdict(list))
        for batch, action, refresh, count, position, *row in rows:
            found[batch, action, refresh, count][position].append(tuple(row))
        for (*_, count), positions in found.items():
            assert list(positions) == list(range(count))
        return [(a, r, list(positions.values())) for (_, a, r, _), positions in found.items()]

    def _co_owners(self) -> set[tuple]:
        return set(self._run("SELECT family, kind, digest, member FROM co_owner"))

    def _carriers(self, family: str) -> dict[tuple[int, bytes], set[bytes]]:
        found = defaultdict(set)
        for name, kind, value, member in self._co_owners():
            if name == family:
                found[kind, value].add(member)
        return found

    def _expected_co_owners(self, expected: dict[Target, Outcome]) -> set[tuple]:
        found = set()
        for target, outcome in expected.items():
            family = FAMILIES[target.destination].value
            sent = {(row.kind, row.digest): row.member for row, *_ in self.places[target].sent or ()}
            found |= {(family, *key, sent[key]) for key in outcome.owners}
            if target not in self.setting.held:
                found |= {(family, *row) for row in outcome.co_owners}
        return found

    def _run(self, statement: str, *values: object) -> list[tuple]:
        with self.world.ledger._database.write() as connection:
            result = connection.exec_driver_sql(statement, values)
            return [tuple(row) for row in result.all()] if result.returns_rows else []
