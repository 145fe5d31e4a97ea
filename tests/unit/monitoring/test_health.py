"""A loop that should go round and does not is told; a ledger is looked at without being touched."""

from collections.abc import Iterator
from pathlib import Path

import pysqlite3
import pytest

from cohortd.ledger import Ledger
from cohortd.monitoring.counting import Pulse
from cohortd.monitoring.health import SILENT_S, health
from cohortd.probing import probe
from consent import ChainSealer


@pytest.mark.parametrize(
    ("leads", "main", "scheduler", "stuck"),
    [
        (True, 1.0, 1.0, []),
        (True, SILENT_S + 1, 1.0, ["main"]),
        (True, 1.0, SILENT_S + 1, ["scheduler"]),
        (False, 1.0, SILENT_S + 1, []),
    ],
)
def test_the_loops_that_should_go_round_are_looked_at(
    *, leads: bool, main: float, scheduler: float, stuck: list[str]
) -> None:
    pulse = Pulse(leads, {"main": 1_000 - main, "scheduler": 1_000 - scheduler}, now=lambda: 1_000.0)
    told = health(pulse)

    assert (told.ok, told.body["stuck"]) == (not stuck, stuck)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "a folder" / "cohortd.db"
    sealer = ChainSealer(tmp_path / "key.pem")
    with Ledger.open(f"sqlite:///{path}", sealer=sealer, state_dir=tmp_path):
        yield path


def _found(path: Path) -> tuple[bool, bool, bool]:
    found = probe(f"sqlite:///{path}")
    assert found.ok is not bool(found.fault)
    return found.reachable, found.migrated, found.writable


def test_a_ledger_in_use_is_ready_also_while_another_writes(ledger: Path) -> None:
    idle = _found(ledger)
    with pysqlite3.connect(ledger, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        busy = _found(ledger)
        writer.execute("ROLLBACK")

    assert idle == busy == (True, True, True)


def test_a_ledger_of_another_version_is_not_migrated(ledger: Path) -> None:
    with pysqlite3.connect(ledger) as writer:
        writer.execute("UPDATE alembic_version SET version_num = '0001'")
        writer.commit()

    assert _found(ledger) == (True, False, True)


def test_no_ledger_is_made_by_looking_for_one(tmp_path: Path) -> None:
    path = tmp_path / "cohortd.db"

    assert _found(path) == (False, False, False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cohortd.db"
    path.write_bytes(b"no database" * 1_000)

    assert _found(path) == (False, False, False)


def test_a_database_out_of_reach_is_told_without_its_address() -> None:
    found = probe("postgresql+psycopg://someone:secret@127.0.0.1:1/cohortd")

    assert (found.reachable, found.ok) == (False, False)
    assert not {"secret", "someone"} & set(found.fault.replace("(", " ").split())
