import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pysqlite3
import pytest
from ledger_world import GOOGLE, META, NOW, FakeSealer, World, on_sqlite, people
from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.schema import CreateIndex, CreateTable

from cohortd.core.errors import LedgerError, NotLeaderError, SettingsError
from cohortd.core.removals import SignedHead
from cohortd.ledger import Ledger
from cohortd.ledger.dialects.filesystem import refuse_network
from cohortd.ledger.dialects.sqlite import refuse_old_sqlite
from cohortd.ledger.heads import append_head, read_head, read_heads
from cohortd.ledger.schema import metadata


def test_an_old_sqlite_library_is_refused_with_what_to_do() -> None:
    with pytest.raises(LedgerError, match="install pysqlite3"):
        refuse_old_sqlite((3, 51, 2), "3.51.2")

    refuse_old_sqlite((3, 51, 3), "3.51.3")


@pytest.mark.parametrize("content", [b"no database at all " * 400, b"SQLite format 3\0" + b"\7" * 9000])
def test_a_broken_file_is_told_with_where_a_copy_is_put_back(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "cohortd.db"
    file.write_bytes(content)

    with pytest.raises(LedgerError, match=r"not a database|malformed") as told:
        Ledger.open(f"sqlite:///{file}", sealer=FakeSealer(), state_dir=tmp_path)

    assert "docs/recovery.md" in str(told.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://localhost/x", "mysql is not supported"),
        ("sqlite://", "must outlive"),
        ("sqlite:///:memory:", "must outlive"),
        ("var/cohortd.db", "no database URL"),
    ],
)
def test_what_is_no_sqlite_file_is_refused(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        Ledger.open(url, sealer=FakeSealer(), state_dir=tmp_path)


def test_the_file_is_made_with_its_folder_for_the_owner_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'deep' / 'ledger.db'}"
    with Ledger.open(url, sealer=FakeSealer(), state_dir=tmp_path):
        made = tmp_path / "new" / "deep" / "ledger.db"
        modes = {path.name: path.stat().st_mode & 0o777 for path in made.parent.iterdir()}

    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}


@on_sqlite
def test_a_file_open_to_others_is_closed_to_them(world: World) -> None:
    path = world.folder / "ledger.db"
    path.chmod(0o644)

    with world.open():
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"1 0 0:1 / / rw - ext4 /dev/x rw\n2 1 0:2 / {tmp_path}/nas rw shared:1 - nfs4 nas:/x rw\n"
    )

    refuse_network(tmp_path / "local", mounts)
    with pytest.raises(LedgerError, match="network file system"):
        refuse_network(tmp_path / "nas" / "cohortd", mounts)
    refuse_network(tmp_path, tmp_path / "nowhere")


def test_an_unusable_path_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger.open(f"sqlite:///{tmp_path}/file/ledger.db", sealer=FakeSealer(), state_dir=tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database at all" * 100)

    with pytest.raises(LedgerError, match="not a database"):
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db", sealer=FakeSealer(), state_dir=tmp_path)


def test_the_migrations_make_exactly_the_tables_of_the_schema(world: World, empty: Engine) -> None:
    metadata.create_all(empty)
    migrated = engine_of(world.url)

    assert shape(migrated) == shape(empty)
    migrated.dispose()


def engine_of(url: str) -> Engine:
    if url.startswith("sqlite"):
        return create_engine(url, module=pysqlite3)
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def shape(engine: Engine) -> dict[str, object]:
    found = inspect(engine)
    return {
        table: (
            [
                (c["name"], repr(c["type"]), c["nullable"], c["default"], c.get("primary_key"))
                for c in found.get_columns(table)
            ],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (
                    i["name"],
                    tuple(i["column_names"]),
                    bool(i["unique"]),
                    sorted((key, str(value)) for key, value in i.get("dialect_options", {}).items()),
                )
                for i in found.get_indexes(table)
            ),
            sorted((k["constrained_columns"], k["referred_table"]) for k in found.get_foreign_keys(table)),
            found.get_table_options(table),
        )
        for table in found.get_table_names()
        if table != "alembic_version"
    }


@pytest.fixture
def empty(world: World, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database of the same kind without any table."""
    on_file = world.url.startswith("sqlite")
    engine = engine_of("sqlite://" if on_file else request.getfixturevalue("server").empty())
    yield engine
    engine.dispose()


def test_tables_are_strict_and_bulk_tables_have_no_rowid() -> None:
    engine = create_engine("sqlite://", module=pysqlite3)
    made = {t.name: str(CreateTable(t).compile(engine)) for t in metadata.sorted_tables}
    indexes = [str(CreateIndex(i).compile(engine)) for t in metadata.sorted_tables for i in t.indexes]

    assert all("STRICT" in text for text in made.values())
    assert all(
        "WITHOUT ROWID" in made[name] for name in ("membership", "batch_item", "suppression", "co_owner")
    )
    assert any("WHERE superseded = 0" in text for text in indexes)


def test_a_ledger_of_a_newer_cohortd_is_refused(world: World) -> None:
    with world.ledger._database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(LedgerError, match="newer cohortd"):
        world.open()


def test_the_secret_is_made_once_and_stays(world: World) -> None:
    secret = world.ledger.secret
    world.restart()

    assert len(secret) == 32
    assert world.ledger.secret == secret


def test_only_one_leads_and_each_gets_a_newer_epoch(world: World) -> None:
    with (
        world.ledger.leadership() as first,
        world.open() as other,
        pytest.raises(NotLeaderError, match="only one may send"),
        other.leadership(),
    ):
        pass
    with world.ledger.leadership() as second:
        assert second == first + 1


def test_an_old_leader_can_neither_claim_nor_settle(world: World) -> None:
    world.plan({GOOGLE: people("ann", "bob")})
    claimed = world.must_claim()
    with world.open() as other, other.leadership():
        with pytest.raises(NotLeaderError, match="taken over"):
            world.settle(claimed)
        with pytest.raises(NotLeaderError, match="taken over"):
            world.postpone(claimed)
        with pytest.raises(NotLeaderError, match="taken over"):
            world.claim()

    assert world.states(GOOGLE) == {"adding": 2}


def test_a_locked_ledger_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.ledger._database.write() as connection:
        connection.exec_driver_sql(
            "PRAGMA busy_timeout = 10"
            if world.url.startswith("sqlite")
            else "SELECT set_config('lock_timeout', '10ms', false)"
        )
    with (
        world.open() as other,
        other._database.write(),
        pytest.raises(LedgerError, match="another process"),
    ):
        world.ledger.runs.start("sync", as_of=NOW, at=NOW)


def test_errors_of_the_database_show_no_value(world: World) -> None:
    with pytest.raises(LedgerError) as caught, world.ledger._database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO membership (remote, kind) VALUES (?, ?)", (1, "secret@x.com")
        )

    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_head_cut_short_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "heads.jsonl"
    append_head(path, SignedHead(1, "a", "s"))
    with path.open("a") as file:
        file.write('{"seq": 2, "ha')

    assert read_head(path) == SignedHead(1, "a", "s")
    append_head(path, SignedHead(3, "c", "s"))
    assert read_head(path) == SignedHead(3, "c", "s")
    assert json.loads(path.read_text().splitlines()[-1])["seq"] == 3
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_heads(path) == [SignedHead(1, "a", "s"), SignedHead(3, "c", "s")]
    assert read_head(tmp_path / "none.jsonl") is None
    assert read_heads(tmp_path / "none.jsonl") == []


def test_the_newest_head_is_found_at_the_end_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "heads.jsonl"
    written = [SignedHead(number, "a" * 64, "b" * 128) for number in range(1, 900)]
    path.write_text("".join(json.dumps(asdict(head)) + "\n" for head in written))

    assert path.stat().st_size > 65_536
    assert read_head(path) == SignedHead(899, "a" * 64, "b" * 128)
    assert read_heads(path) == written


def test_a_head_that_was_not_witnessed_is_written_at_the_next_opening(world: World) -> None:
    world.revoke(people("ann")[0])
    heads = world.folder / "state" / "removal-log-heads.jsonl"
    os.truncate(heads, 0)
    world.restart()

    assert world.ledger.removals.witnesses()[-1] == world.ledger.removals.head()
    assert world.now - NOW == timedelta()


def test_heads_that_cannot_be_written_hold_up_no_removal(world: World) -> None:
    ann = people("ann")[0]
    world.sync({META: [ann]})
    heads = world.folder / "state" / "removal-log-heads.jsonl"
    heads.unlink(missing_ok=True)
    heads.mkdir()
    world.restart()
    world.revoke(ann)
    removal = world.must_claim()
    world.accept(removal)
    world.settle(removal)
    told = world.ledger.removals.unwitnessed()
    heads.rmdir()
    world.restart()

    assert [each.event for each in world.ledger.removals.entries()][-1] == "confirmed"
    assert "removal-log-heads.jsonl" in told
    assert world.ledger.removals.unwitnessed() == ""
    assert world.ledger.removals.witnesses()[-1] == world.ledger.removals.head()
