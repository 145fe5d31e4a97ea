"""Which model version is in force: one, whoever writes beside, and whenever a process dies."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from ledger_world import NOW, World, on_sqlite
from sqlalchemy import Engine, event
from test_ledger_runs_and_models import VERSION, before_several_models, before_the_clock_of_removals

from cohortd.core.errors import LedgerError
from tests.evidence.processes import in_a_process


def test_a_version_that_is_held_back_is_kept_and_waits_until_another_comes_into_force(world: World) -> None:
    models = world.ledger.models
    first = models.save(VERSION, next_segment_number=3, at=NOW)
    held = models.save(VERSION, next_segment_number=9, at=NOW, held_back="too many")
    waiting, number = models.waiting(), models.next_segment_number()
    third = models.save(VERSION, next_segment_number=4, at=NOW, follows=first.id)

    assert waiting is not None
    assert (waiting.version, waiting.held_back, number) == (held, "too many", 9)
    assert models.current() == third
    assert models.waiting() is None
    assert models.next_segment_number() == 9
    assert [(each.version.id, each.held_back) for each in models.history(limit=9)] == [
        (3, ""),
        (2, "too many"),
        (1, ""),
    ]
    assert ([each.id for each in models.after(1)], models.before(3)) == ([3], first)


def test_a_version_made_from_one_that_was_overtaken_changes_nothing(world: World) -> None:
    models = world.ledger.models
    models.save(VERSION, next_segment_number=3, at=NOW, follows=0)
    models.save(VERSION, next_segment_number=3, at=NOW, follows=1)
    with pytest.raises(LedgerError, match="model version 2 came into force meanwhile"):
        models.save(VERSION, next_segment_number=3, at=NOW, follows=1)

    assert [each.version.id for each in models.history(limit=9)] == [2, 1]


def test_of_two_processes_that_go_on_from_one_version_one_succeeds(world: World) -> None:
    world.ledger.models.save(VERSION, next_segment_number=3, at=NOW)
    ledgers = [world.open(), world.open()]

    def save(place: int) -> bool:
        try:
            ledgers[place].models.save(VERSION, next_segment_number=3, at=NOW, follows=1)
        except LedgerError:
            return False
        return True

    with ThreadPoolExecutor() as pool:
        done = sorted(pool.map(save, range(2)))
    for ledger in ledgers:
        ledger.close()

    assert done == [False, True]
    assert [each.version.id for each in world.ledger.models.history(limit=9)] == [2, 1]


def test_a_process_that_dies_at_any_point_leaves_one_version_in_force(world: World) -> None:
    world.ledger.models.save(VERSION, next_segment_number=3, at=NOW)
    killed = 0
    while in_a_process(partial(_save_and_die, world, killed + 1)) == signal.SIGKILL:
        killed += 1
        kept = world.ledger.models.history(limit=99)
        assert [each.version.id for each in kept] == list(range(len(kept), 0, -1))
        assert world.ledger.models.current() == kept[0].version

    assert killed > 3


def _save_and_die(world: World, at_point: int) -> None:
    ledger = world.open()
    points = iter(range(1, at_point + 1))

    def point(*_: object) -> None:
        if next(points, 0) == at_point:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("after_cursor_execute", "commit"):
        event.listen(Engine, name, point)
    ledger.models.save(VERSION, next_segment_number=3, at=NOW)


@on_sqlite
def test_a_ledger_from_before_knows_by_its_times_what_was_synced(world: World) -> None:
    models = world.ledger.models
    models.save(VERSION, next_segment_number=3, at=NOW)
    models.set_assignment("1.parquet", run_id="r1", at=NOW)
    world.wait(days=1)
    models.save(VERSION, next_segment_number=3, at=world.now)
    with world.ledger._database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE model_version DROP COLUMN held_back")
        before_several_models(connection)
        before_the_clock_of_removals(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0010'")
    world.restart()
    applied = world.ledger.models.applied()

    assert applied is not None
    assert applied.model_version == 1
