"""What people are told where PostgreSQL holds the ledger, and something is wrong with it."""

import sys
from pathlib import Path

import pytest
from ledger_server import Server
from ledger_world import NOW, FakeSealer, World
from sqlalchemy.engine import make_url

from cohortd.core.consenting import ConsentRecord, ConsentStatus, SubjectKind
from cohortd.core.errors import LedgerError, LedgerUnreachableError, SettingsError
from cohortd.ledger import Ledger
from cohortd.ledger.dialects import postgresql

PASSWORD = "open sesame"


def opening(url: str, folder: Path) -> str:
    """Open a ledger that cannot be opened; return what is said."""
    with pytest.raises(LedgerError) as caught:
        Ledger.open(url, sealer=FakeSealer(), state_dir=folder)
    assert caught.value.__cause__ is None
    return str(caught.value)


def as_user(url: str, name: str, password: str = PASSWORD) -> str:
    return make_url(url).set(username=name, password=password).render_as_string(hide_password=False)


@pytest.fixture
def user(server: Server) -> str:
    """Somebody who may come in, by a password, and owns nothing."""
    if not server.run("SELECT 1 FROM pg_roles WHERE rolname = 'clerk'"):
        server.run(f"CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'")
        ((path,),) = server.run("SHOW hba_file")
        rules = Path(str(path))
        rules.write_text(f"local all clerk scram-sha-256\n{rules.read_text()}")
        server.run("SELECT pg_reload_conf()")
    return "clerk"


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = opening(f"postgresql://me:{PASSWORD}@/ledger?host={tmp_path}", tmp_path)

    assert said.startswith(f"the ledger's database at {tmp_path} is out of reach")
    assert PASSWORD not in said


def test_a_wrong_password_is_refused_and_never_shown(server: Server, user: str, tmp_path: Path) -> None:
    url = as_user(server.fresh(), user, "wrong one")
    with pytest.raises(LedgerUnreachableError) as caught:
        Ledger.open(url, sealer=FakeSealer(), state_dir=tmp_path)

    assert 'password authentication failed for user "clerk"' in str(caught.value)
    assert "wrong one" not in str(caught.value)


def test_a_database_that_is_not_there_is_to_be_made(server: Server, tmp_path: Path) -> None:
    assert "nowhere" in opening(server.at("nowhere"), tmp_path)


def test_a_user_who_may_make_no_tables_is_told_what_is_missing(
    server: Server, user: str, tmp_path: Path
) -> None:
    said = opening(as_user(server.empty(), user), tmp_path)

    assert "permission denied for schema public" in said
    assert "needs CREATE on the schema" in said


def test_the_least_that_a_user_needs_is_a_schema_to_make_tables_in(
    server: Server, user: str, tmp_path: Path
) -> None:
    url = server.empty()
    server.run("GRANT CREATE ON SCHEMA public TO clerk", database=str(make_url(url).database))

    with Ledger.open(as_user(url, user), sealer=FakeSealer(), state_dir=tmp_path) as ledger:
        ledger.runs.start("sync", as_of=NOW, at=NOW)
        assert PASSWORD not in ledger.place
        assert ledger.place.startswith("PostgreSQL 18")


def test_a_database_that_may_only_be_read_is_refused(server: Server, tmp_path: Path) -> None:
    url = server.fresh()
    name = make_url(url).database
    server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    assert "read-only; give the address of the primary" in opening(url, tmp_path)


def test_a_database_of_another_encoding_is_refused(server: Server, tmp_path: Path) -> None:
    server.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")

    assert "keeps text as LATIN1" in opening(server.at("latin"), tmp_path)


def test_a_server_that_is_too_old_is_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "OLDEST", 99)

    assert "too old for a ledger; 99 or newer" in opening(server.fresh(), tmp_path)


def test_a_url_without_a_database_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="name the database"):
        Ledger.open("postgresql://me@host", sealer=FakeSealer(), state_dir=tmp_path)


def test_without_the_driver_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(SettingsError, match=r"cohortd\[postgresql\]"):
        Ledger.open("postgresql://me@host/ledger", sealer=FakeSealer(), state_dir=tmp_path)


def test_a_connection_that_broke_is_made_again_for_the_next_write(server: Server, tmp_path: Path) -> None:
    world = World(tmp_path, server.fresh())
    name = make_url(world.url).database
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    world.ledger.runs.start("sync", as_of=NOW, at=NOW)

    assert len(world.ledger.runs.list(5)) == 1
    world.ledger.close()


def test_the_log_cannot_be_emptied_at_once_either(server: Server, tmp_path: Path) -> None:
    world = World(tmp_path, server.fresh())

    with pytest.raises(LedgerError, match="append-only"), world.ledger._database.write() as connection:
        connection.exec_driver_sql("TRUNCATE removal_log")
    world.ledger.close()


def test_commits_are_durable_whatever_the_database_is_set_to(server: Server, tmp_path: Path) -> None:
    url = server.fresh()
    server.run(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = off")
    world = World(tmp_path, url)

    with world.ledger._database.write() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    world.ledger.close()


def test_what_no_text_of_postgresql_can_hold_is_kept_without_it(server: Server, tmp_path: Path) -> None:
    world = World(tmp_path, server.fresh())
    record = ConsentRecord(
        SubjectKind.CUSTOMER, (("", b"k" * 16),), ConsentStatus.REVOKED, NOW, source="a\0b"
    )
    world.ledger.consent.record([record], received_at=NOW)
    world.ledger.consent.record([record], received_at=NOW)

    assert [kept.source for kept in world.ledger.consent.records()] == ["ab"]
    world.ledger.close()
