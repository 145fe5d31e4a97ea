"""Whatever is done to the removal log in the database, the first wrong entry is named, on both of them."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "ledger"))

from ledger_world import GOOGLE, World, crowd

from cohortd.core.removals import RemovalEntry, SignedHead, Tree, signed_text
from cohortd.ledger import Ledger
from cohortd.ledger.log_reading import COLUMNS
from consent import ChainSealer, Survey, Tampering, verify, verify_witnesses

Found = tuple[int, Tampering] | None
NUMBERS = {"batch", "schema_version", "attempts"}
LAST = 16


class Tampered:
    """A log of four removals before its owner, who can write to the database."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.sealer = ChainSealer(folder / "log.key")
        world.ledger.close()
        world.ledger = Ledger.open(world.url, sealer=self.sealer, state_dir=folder / "state")
        with world.ledger.leadership() as epoch:
            world.epoch = epoch
        world.sync({GOOGLE: crowd(6)})
        for person in crowd(4):
            world.revoke(person)
        world.drain()
        self.removals = world.ledger.removals
        self.heads = list(self.removals.witnesses())
        on_table = "" if world.url.startswith("sqlite") else " ON removal_log"
        with world.ledger._database.write() as connection:
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER removal_log_no_{verb}{on_table}")
            for table in ("removal_log", "removal_head", "removal_subject"):
                connection.exec_driver_sql(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Put everything back afterwards."""
        try:
            yield
        finally:
            with self.world.ledger._database.write() as connection:
                for table in ("removal_log", "removal_head", "removal_subject"):
                    connection.exec_driver_sql(f"DELETE FROM {table}")
                    connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM kept_{table}")

    def found(self, *, public_key: str = "", heads: Sequence[SignedHead] = ()) -> Found:
        log, keys = list(self.removals.entries()), [public_key or self.sealer.public_key]
        finding = verify(log, head=self.removals.head(), public_keys=keys)
        finding = finding or verify_witnesses(log, heads, public_keys=keys)
        survey = Survey(heads, public_keys=keys)
        head = self.removals.through(survey.take)
        assert survey.is_whole(head) == (finding is None)
        return None if finding is None else (finding.seq, finding.kind)

    def do(self, *statements: str, values: tuple[object, ...] = ()) -> None:
        with self.world.ledger._database.write() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement, values)

    def set_back(self, head: SignedHead) -> None:
        """Make the database what it was when this head was signed."""
        self.do("DELETE FROM removal_log WHERE seq > ?", values=(head.seq,))
        self.sign(head)

    def sign(self, head: SignedHead) -> None:
        self.do(
            "UPDATE removal_head SET seq = ?, hash = ?, signature = ?, root = ?, peaks = ''",
            values=(head.seq, head.hash, head.signature, head.root),
        )

    def write_anew(self, log: Sequence[RemovalEntry]) -> None:
        """Seal and sign another log, as the holder of the key can."""
        previous, hashes = "", []
        for entry in log:
            digest = self.sealer.seal(previous, asdict(entry))
            self.do(
                "UPDATE removal_log SET detail = ?, previous = ?, hash = ? WHERE seq = ?",
                values=(entry.detail, previous, digest, entry.seq),
            )
            previous = digest
            hashes.append(digest)
        root = self.sealer.grow(Tree(), hashes).root
        signature = self.sealer.sign(signed_text(len(log), previous, root))
        self.sign(SignedHead(len(log), previous, signature, root))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def log(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Tampered]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("server").fresh()
    folder = tmp_path_factory.mktemp("tampered")
    world = World(folder, url)
    yield Tampered(world, folder)
    world.ledger.close()


def changed(column: str) -> str:
    return f"UPDATE removal_log SET {column} = {99 if column in NUMBERS else repr('x')} WHERE seq = 3"


#: What the owner of the database does, and the first wrong entry by it.
TAMPERINGS: dict[str, tuple[str, Found]] = {
    **{f"{name} changed": (changed(name), (3, Tampering.CHANGED)) for name in COLUMNS if name != "seq"},
    "number changed": (f"UPDATE removal_log SET seq = 99 WHERE seq = {LAST}", (99, Tampering.CHANGED)),
    "made an older entry": (
        "UPDATE removal_log SET schema_version = 1 WHERE seq = 5",
        (5, Tampering.CHANGED),
    ),
    "first deleted": ("DELETE FROM removal_log WHERE seq = 1", (1, Tampering.DELETED)),
    "deleted": ("DELETE FROM removal_log WHERE seq = 5", (5, Tampering.DELETED)),
    "deleted and numbered anew": (
        (
            "DELETE FROM removal_log WHERE seq = 5; UPDATE removal_log SET seq = -seq WHERE seq > 5;"
            " UPDATE removal_log SET seq = -seq - 1 WHERE seq < 0"
        ),
        (4, Tampering.CHANGED),
    ),
    "inserted": (
        (
            f"INSERT INTO removal_log ({', '.join(COLUMNS)})"
            f" SELECT {LAST + 1}, {', '.join(COLUMNS[1:])} FROM removal_log WHERE seq = 2"
        ),
        (LAST + 1, Tampering.INSERTED),
    ),
    "reordered": (
        (
            "UPDATE removal_log SET seq = -1 WHERE seq = 3; UPDATE removal_log SET seq = 3 WHERE seq = 4;"
            " UPDATE removal_log SET seq = 4 WHERE seq = -1"
        ),
        (3, Tampering.REORDERED),
    ),
    "cut off": ("DELETE FROM removal_log WHERE seq > 6", (7, Tampering.CUT_OFF)),
    "cut off to nothing": ("DELETE FROM removal_log", (1, Tampering.CUT_OFF)),
    "cut off with its head": (
        "DELETE FROM removal_log WHERE seq > 6; DELETE FROM removal_head",
        (6, Tampering.UNSIGNED),
    ),
    "head changed": ("UPDATE removal_head SET root = hash", (LAST, Tampering.WRONG_KEY)),
    "keys erased, which is forgetting": ("DELETE FROM removal_subject", None),
    "keys exchanged, which shows nothing of anybody": ("UPDATE removal_subject SET name = ref", None),
}


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_what_is_done_to_the_log_is_named(log: Tampered, kind: str) -> None:
    statements, found = TAMPERINGS[kind]
    with log.undone():
        log.do(*statements.split("; "))
        seen = log.found(heads=log.heads if found is None else ())

    assert seen == found
    assert log.found(heads=log.heads) is None


def test_a_log_that_was_set_back_is_named_by_the_heads_that_were_kept(log: Tampered) -> None:
    older = log.heads[1]
    with log.undone():
        log.set_back(older)
        alone, beside = log.found(), log.found(heads=log.heads)

    assert alone is None
    assert beside == (older.seq + 1, Tampering.CUT_OFF)


def test_a_log_that_the_holder_of_the_key_wrote_anew_is_named_by_the_heads_that_were_kept(
    log: Tampered,
) -> None:
    entries = list(log.removals.entries())
    with log.undone():
        log.write_anew([replace(entry, detail="nothing to see") for entry in entries])
        alone, beside = log.found(), log.found(heads=log.heads)

    assert alone is None
    assert beside == (log.heads[0].seq, Tampering.CHANGED)


def test_a_log_signed_by_another_key_is_named(log: Tampered, tmp_path: Path) -> None:
    other = ChainSealer(tmp_path / "other.key").public_key

    assert log.found(public_key=other) == (LAST, Tampering.WRONG_KEY)
