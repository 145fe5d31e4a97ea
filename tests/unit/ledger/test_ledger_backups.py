"""Copies of the ledger: made while it is used, put back whole, known for copies by whoever leads next."""

import resource
from datetime import timedelta
from pathlib import Path

import pysqlite3
import pytest
from ledger_world import GOOGLE, NOW, World, everybody, on_sqlite, people

from cohortd.core.errors import LedgerError, NotLeaderError, SettingsError
from cohortd.ledger import Backup, back_up, restore
from cohortd.ledger.backups import read_manifest
from tests.evidence.processes import in_a_process

ANN, BOB = people("ann", "bob")


def _back_up(world: World, *, keep: int | None = None) -> Backup:
    return back_up(world.ledger, world.folder / "state", world.folder / "copies", at=world.now, keep=keep)


def _restore(world: World, copy: Path) -> tuple[str, ...]:
    return restore(world.url, world.folder / "state", copy, at=NOW).aside


@on_sqlite
def test_a_copy_is_of_one_moment_and_waits_for_no_writer(world: World) -> None:
    world.sync({GOOGLE: [ANN]})
    with world.ledger._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM membership")
        made = _back_up(world)
        connection.rollback()
    world.sync({GOOGLE: [ANN, BOB]})

    with pysqlite3.connect(made.folder / "cohortd.db") as copy:
        assert copy.execute("SELECT count(*) FROM membership").fetchone() == (2,)
    copy.close()
    assert {path.stat().st_mode & 0o077 for path in (made.folder, made.folder / "cohortd.db")} == {0}


@on_sqlite
def test_whoever_leads_with_a_copy_takes_everybody_off_again_who_had_revoked(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    world.revoke(ANN)
    world.drain()
    made = _back_up(world)
    world.ledger.close()
    _restore(world, made.folder)
    world.restart()

    assert world.ledger.consent.assert_again(now=world.now) == 2
    world.drain()
    assert world.on_platform(GOOGLE) == everybody(BOB)


@on_sqlite
def test_also_where_all_of_the_state_was_lost(world: World) -> None:
    world.revoke(ANN)
    made = _back_up(world)
    world.ledger.close()
    for path in (world.folder / "state").rglob("*"):
        if path.is_file():
            path.unlink()
    (world.folder / "ledger.db").unlink()
    _restore(world, made.folder)
    world.restart()

    assert world.ledger.consent.assert_again(now=world.now) is not None


@on_sqlite
def test_what_a_copy_replaces_is_kept_and_newer_heads_stay(world: World) -> None:
    world.revoke(ANN)
    made = _back_up(world)
    world.revoke(BOB)
    heads = (world.folder / "state" / "removal-log-heads.jsonl").read_bytes()
    world.ledger.close()
    aside = _restore(world, made.folder)

    assert [Path(name).name for name in aside] == ["ledger.db.before-20261122T120000000000Z"]
    assert (world.folder / "state" / "removal-log-heads.jsonl").read_bytes() == heads
    with pysqlite3.connect(aside[0]) as before:
        assert before.execute("SELECT count(*) FROM withdrawal").fetchone() == (2,)
    before.close()


@on_sqlite
@pytest.mark.parametrize("harm", ["changed", "missing", "more", "manifest"])
def test_a_copy_that_is_not_what_it_was_is_not_put_back(world: World, harm: str) -> None:
    copy = _back_up(world).folder
    world.ledger.close()
    match harm:
        case "changed":
            (copy / "cohortd.db").write_bytes((copy / "cohortd.db").read_bytes()[:-1] + b"x")
        case "missing":
            (copy / "leader-epoch.json").unlink()
        case "more":
            (copy / "keys").mkdir()
            (copy / "keys" / "removal-log.pem").write_text("another key")
        case _:
            (copy / "backup.json").write_text("{")
    with pytest.raises(LedgerError, match=r"not what it was|no whole backup"):
        _restore(world, copy)

    world.restart()
    assert world.ledger.consent.assert_again(now=world.now) is None


@on_sqlite
def test_nothing_is_put_back_while_another_process_has_the_ledger_open(world: World) -> None:
    made = _back_up(world)

    def try_it() -> None:
        with pytest.raises(NotLeaderError, match="stop every cohortd first"):
            _restore(world, made.folder)

    assert in_a_process(try_it) == 0


@on_sqlite
def test_where_there_is_no_room_to_put_a_copy_back_all_stays_as_it_was(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    made = _back_up(world)
    world.revoke(BOB)
    world.ledger.close()
    before = _files_of(world.folder)

    def try_it() -> None:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, most))
        with pytest.raises(LedgerError, match="could not be put back: File too large"):
            _restore(world, made.folder)

    assert in_a_process(try_it) == 0
    assert _files_of(world.folder) == before


def _files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@on_sqlite
def test_older_copies_of_this_ledger_go_and_nothing_else(world: World) -> None:
    others = world.folder / "copies" / "cohortd-20200101T000000Z"
    others.mkdir(parents=True)
    made = []
    for _ in range(3):
        world.wait(hours=1)
        made.append(_back_up(world, keep=2))

    assert [each.dropped for each in made] == [(), (), (made[0].folder.name,)]
    assert sorted(others.parent.iterdir()) == sorted([others, made[1].folder, made[2].folder])


@on_sqlite
def test_a_copy_that_finds_no_room_leaves_nothing_behind(world: World) -> None:
    (world.folder / "copies").write_text("a file, no folder")
    with pytest.raises(LedgerError, match="could not be written"):
        _back_up(world)

    assert (world.folder / "copies").read_text() == "a file, no folder"


def test_a_ledger_in_postgresql_is_left_to_its_own_tools(world: World) -> None:
    made = _back_up(world)
    whole = world.url.startswith("sqlite")
    other = "postgresql://h/x" if whole else f"sqlite:///{world.folder / 'x.db'}"

    assert made.manifest.is_whole is whole
    assert (made.folder / "cohortd.db").exists() is whole
    with pytest.raises(SettingsError, match="name such a database"):
        restore(other, world.folder / "state", made.folder, at=NOW)


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
def test_the_files_of_a_ledger_in_postgresql_are_put_back_and_whoever_leads_next_knows(
    world: World,
) -> None:
    world.revoke(ANN)
    copy = _back_up(world).folder
    heads = world.folder / "state" / "removal-log-heads.jsonl"
    before = heads.read_bytes()
    heads.unlink()
    aside = _restore(world, copy)
    world.restart()

    assert (heads.read_bytes(), aside) == (before, ())
    assert world.ledger.consent.assert_again(now=world.now) is not None


def test_nothing_is_put_back_while_somebody_leads(world: World) -> None:
    copy = _back_up(world).folder
    epoch = world.folder / "state" / "leader-epoch.json"
    with world.ledger.leadership():
        before = epoch.read_bytes()
        with pytest.raises(NotLeaderError):
            _restore(world, copy)

        assert epoch.read_bytes() == before


@on_sqlite
def test_a_page_that_was_damaged_is_found(world: World) -> None:
    world.sync({GOOGLE: [ANN, BOB]})
    assert world.ledger.examine(deep=True).faults == ()
    world.ledger.close()
    file = world.folder / "ledger.db"
    root = _root_of(file, "membership")
    with file.open("r+b") as database:
        database.seek((root - 1) * 8192)
        database.write(b"\xff" * 512)

    world.ledger = world.open()
    assert world.ledger.examine().faults != ()


def _root_of(file: Path, table: str) -> int:
    with pysqlite3.connect(file) as read:
        asked = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (page,) = read.execute(asked, (table,)).fetchone()
    read.close()
    return int(page)


def test_an_examination_counts_what_nobody_works_on_and_reads_the_newest_time(world: World) -> None:
    assert world.ledger.examine().newest_at is None
    world.sync({GOOGLE: [ANN]})
    world.deltas({GOOGLE: [ANN, BOB]})
    with world.ledger._database.write() as connection:
        connection.exec_driver_sql("UPDATE batch SET state = 'sending', settled_at = NULL")
    world.ledger.runs.start("sync", as_of=NOW, at=NOW + timedelta(hours=1))
    found = world.ledger.examine(deep=True)
    ahead = found.server_ahead_s

    assert (found.unanswered, found.unfinished, found.running) == (1, 0, 1)
    # The tests' server keeps nothing past a power failure, which is what must come to light.
    assert [said[:12] for said in found.faults] == ([] if ahead is None else ["fsync is off"])
    assert found.newest_at == NOW + timedelta(hours=1)
    assert found.size_bytes > 10_000
    assert (ahead is None) == world.url.startswith("sqlite")
    assert ahead is None or abs(ahead) < 5


def test_somebody_leads_or_nobody(world: World) -> None:
    with world.open() as other:
        before = other.is_led()
        with world.ledger.leadership():
            assert (before, other.is_led()) == (False, True)

        assert not other.is_led()


def test_a_folder_that_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"no backup to be read .*No such file or directory"):
        read_manifest(tmp_path / "nowhere")
