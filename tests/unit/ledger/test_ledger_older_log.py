"""A removal log that older versions wrote: sound after the upgrade, and it goes on with today's entries."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from ledger_world import World, people
from sqlalchemy import Connection

from cohortd.core.consenting import SubjectKind
from cohortd.core.removals import SignedHead, Tree, signed_text
from cohortd.ledger import Ledger, migrating
from cohortd.ledger.dialects import open_database
from consent import ChainSealer, merkle, verify, verify_witnesses

MIGRATIONS = Path(migrating.__file__).parent / "migrations"
SECRET = bytes(range(32))
#: The keyed hash of ``ANN`` under that secret.
REF = "b976ac4cc79dae835cba3b0a7dbc384a"
[ANN] = people("ann")

NOON, NEXT = "2026-11-20T12:00:00.000000Z", "2026-11-21T12:00:00.000000Z"
SAID = {"cause": "revoked", "event_time": NOON, "source": "letter"}
PLACE = {
    "audience": "s1",
    "destination": "google",
    "platform": "google_data_manager",
    "account": "1",
    "remote_id": "s1-google",
    "identifier_kinds": "email,phone",
    "batch": 2,
}
#: Two entries of the first version and two of the second, with the hashes that those versions made.
ROWS: list[dict[str, object]] = [
    {
        **SAID,
        "at": NOON,
        "event": "recorded",
        "hash": "dc8291bc853411ebd83b3727127efd43997668b6a4e1c516d9cad5c163aa57c7",
    },
    {
        **SAID,
        **PLACE,
        "at": NOON,
        "event": "queued",
        "hash": "8e731b056fc9cb3ca0f5aa593c63341cd81a43098264b96da09e5cf28db0805d",
    },
    {
        **SAID,
        **PLACE,
        "at": "2026-11-20T12:00:09.000000Z",
        "event": "confirmed",
        "schema_version": 2,
        "record_id": "019aa1d5-5828-7abc-8abc-0123456789ab",
        "rule": "revoked",
        "received_at": NOON,
        "attempts": 1,
        "hash": "56a71b31b487d67d6e2cc3ca4eb07bbafc5ca81f68c2e69cebdea2d6fedb2776",
    },
    {
        "at": NEXT,
        "event": "recorded",
        "cause": "revoked",
        "source": "call",
        "event_time": NEXT,
        "schema_version": 2,
        "record_id": "019aa6fb-b400-7abc-8abc-0123456789ab",
        "regulation": "gdpr",
        "legal_basis": "consent",
        "purpose": "ads",
        "rule": "revoked",
        "evidence": "ab" * 32,
        "received_at": NEXT,
        "due_at": "2026-11-24T12:00:00.000000Z",
        "operator": "J. Doe",
        "hash": "1d2d930fcafdc9787531eb41d65fdcefcbd77105bcd94ed815600c1a6df941bf",
    },
]
HASHES = [str(row["hash"]) for row in ROWS]


@dataclass
class Older:
    ledger: Ledger
    sealer: ChainSealer
    heads: list[SignedHead]

    def is_sound(self) -> bool:
        removals, keys = self.ledger.removals, [self.sealer.public_key]
        log = list(removals.entries())
        return (
            verify(log, head=removals.head(), public_keys=keys) is None
            and verify_witnesses(log, self.heads, public_keys=keys) is None
        )


def heads_of(sealer: ChainSealer) -> list[SignedHead]:
    """Two that were kept: one from before heads had a root."""
    return [head(sealer, 2, ""), head(sealer, 4, merkle.grow(Tree(), HASHES).root)]


def head(sealer: ChainSealer, size: int, root: str) -> SignedHead:
    digest = HASHES[size - 1]
    return SignedHead(size, digest, sealer.sign(signed_text(size, digest, root)), root)


def lay_down(connection: Connection, heads: list[SignedHead]) -> None:
    """Make the tables of that time, and what stood in them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "0014")
    connection.exec_driver_sql("DELETE FROM installation")
    connection.exec_driver_sql(
        "INSERT INTO installation (id, secret, created_at, code) VALUES (1, ?, ?, 'c0de')", (SECRET, NOON)
    )
    for seq, row in enumerate(ROWS, 1):
        above = HASHES[seq - 2] if seq > 1 else ""
        whole = {"seq": seq, "subject": REF, "batch": 0, "previous": above, **row}
        marks = ", ".join("?" * len(whole))
        connection.exec_driver_sql(
            f"INSERT INTO removal_log ({', '.join(whole)}) VALUES ({marks})", tuple(whole.values())
        )
    connection.exec_driver_sql(
        "INSERT INTO removal_head (id, seq, hash, signature, root, peaks) VALUES (1, 4, ?, ?, ?, ?)",
        (heads[1].hash, heads[1].signature, heads[1].root, merkle.grow(Tree(), HASHES).peaks),
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A ledger from before people had keys, opened by this version."""
    url = f"sqlite:///{tmp_path / 'older.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("server").empty()
    sealer = ChainSealer(tmp_path / "log.key")
    database = open_database(url, folder=tmp_path)
    with database.write() as connection:
        lay_down(connection, heads_of(sealer))
    database.close()
    made = World(tmp_path, url)
    made.ledger.close()
    made.ledger = Ledger.open(url, sealer=sealer, state_dir=tmp_path / "heads")
    yield made
    made.ledger.close()


@pytest.fixture
def older(world: World, tmp_path: Path) -> Older:
    sealer = ChainSealer(tmp_path / "log.key")
    return Older(world.ledger, sealer, heads_of(sealer))


def test_an_older_log_is_sound_and_goes_on(older: Older, world: World) -> None:
    removals = older.ledger.removals
    assert older.is_sound()
    assert {entry.subject for entry in removals.told()} == {REF}
    name = world.revoke(ANN).subject

    assert older.is_sound()
    assert [entry.schema_version for entry in removals.entries()] == [1, 1, 2, 2, 3]
    assert [entry.subject for entry in removals.entries()] == [REF] * 4 + [name]
    assert removals.subject_ref(SubjectKind.CUSTOMER, ANN.key) == REF


def test_older_and_newer_entries_of_somebody_are_found_and_told_as_one(older: Older, world: World) -> None:
    name = world.revoke(ANN).subject
    removals = older.ledger.removals

    for asked in (REF, name):
        assert len(list(removals.entries(asked))) == 5
        assert {entry.subject for entry in removals.told(asked)} == {name}
        [timing] = removals.timings(subject=asked)
        assert (timing.subject, timing.confirmed_at is not None) == (name, True)
    assert [entry.source for entry in removals.told()] == ["letter"] * 3 + ["call", "test"]


def test_of_whoever_is_forgotten_older_entries_stay_as_they_were_sealed(older: Older, world: World) -> None:
    world.revoke(ANN)
    removals = older.ledger.removals
    assert removals.forget([REF]) == 1

    assert older.is_sound()
    assert [entry.seq for entry in removals.entries(REF)] == [1, 2, 3, 4]
    assert [entry.source for entry in removals.told()][-1] == "forgotten"
