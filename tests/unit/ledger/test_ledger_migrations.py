"""A ledger of any version comes forward with all that is in it: rows are put in at every step."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from ledger_server import Server
from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, MetaData, insert, select
from test_ledger_opening import engine_of

from cohortd.ledger.migrating import _SCRIPTS
from cohortd.ledger.schema import metadata

#: Tables of which there is one row alone; it has the number 1.
ONE_ROW = {"installation", "leader", "removal_head", "assignment"}
#: Tables whose rows a migration moves to another one.
MOVED = {"assignment": "model_assignment"}
#: What a row that was moved gets anew.
RENUMBERED = {"id"}
#: Texts that must be something in particular.
WORDS = {
    "family": "google",
    "destination": "google",
    "platform": "google_data_manager",
    "state": "confirmed",
}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
    else:
        server: Server = request.getfixturevalue("server")
        yield server.empty()


def _value(column: Any, number: int) -> object:
    """Make a value that no other row has."""
    if column.foreign_keys:
        return number
    if isinstance(column.type, Integer | BigInteger):
        return 0 if column.name == "superseded" else number
    if isinstance(column.type, LargeBinary):
        return bytes([number]) * 32
    if column.name.endswith("_at") or column.name == "at":
        return f"2026-01-{number:02d}T00:00:00.000000Z"
    return WORDS.get(column.name, f"{column.name} {number}")


def _put_in(connection: Connection, number: int) -> Rows:
    """Put a row into every table that there is at this step, and return them."""
    there = MetaData()
    there.reflect(connection)
    put: Rows = {}
    for table in there.sorted_tables:
        first = table.name in ONE_ROW
        if first and connection.execute(select(table)).first():
            continue
        row = {column.name: _value(column, 1 if first else number) for column in table.columns}
        connection.execute(insert(table).values(row))
        put[table.name] = [row]
    return put


def _all(connection: Connection) -> Rows:
    """Every row of the newest tables."""
    return {
        name: [dict(row._mapping) for row in connection.execute(select(table))]
        for name, table in metadata.tables.items()
    }


def _is_there(row: dict[str, Any], found: list[dict[str, Any]]) -> bool:
    """Tell whether a row is there, by the columns that are still there."""
    return any(
        all(row[name] == each[name] for name in row.keys() & each.keys() - RENUMBERED) for each in found
    )


def test_rows_of_every_version_are_there_in_the_newest(url: str) -> None:
    steps = list(ScriptDirectory(str(_SCRIPTS)).walk_revisions())[::-1]
    engine = engine_of(url)
    put: list[tuple[str, str, dict[str, Any]]] = []
    with engine.begin() as connection:
        for number, step in enumerate(steps, start=1):
            with Operations.context(MigrationContext.configure(connection)):
                step.module.upgrade()
            rows = _put_in(connection, number)
            put += [(step.revision, table, row) for table, (row,) in rows.items()]
        there = _all(connection)
    engine.dispose()
    lost = [
        (revision, table)
        for revision, table, row in put
        if not _is_there(row, there[MOVED.get(table, table)])
    ]

    assert lost == []
    assert [step.revision for step in steps] == [f"{number:04d}" for number in range(1, len(steps) + 1)]
    assert len(there["membership"]) == len(there["batch"]) == len(steps)
