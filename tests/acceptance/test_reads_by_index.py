"""What must be quick among millions of members finds its rows by key; it never reads a whole table."""

from collections.abc import Iterator
from contextlib import contextmanager

import pysqlite3
from shop import Shop
from sqlalchemy import Engine, event

#: Tables that grow with members, with what was sent, or with what people said.
LARGE = {
    *("membership", "past_membership", "co_owner", "batch_item", "consent_record", "suppression"),
    *("withdrawal", "removal_log", "removal_clock"),
}

Statement = tuple[str, object]


@contextmanager
def _heard() -> Iterator[list[Statement]]:
    heard: list[Statement] = []

    def hear(_connection, _cursor, statement, parameters, _context, is_many) -> None:
        if not is_many and statement.lstrip().upper().startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            heard.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def _whole_reads(shop: Shop, heard: list[Statement]) -> dict[str, str]:
    """Statement -> the step by which SQLite would read all of a large table."""
    found = {}
    ledger = pysqlite3.connect(shop.database)
    for statement, parameters in dict(heard).items():
        try:
            steps = ledger.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        except pysqlite3.OperationalError:  # of a table that lived as long as its connection
            continue
        for *_, step in steps:
            if step.startswith("SCAN ") and _table(statement, step.split()[1]) in LARGE:
                found[statement] = step
    ledger.close()
    return found


def _table(statement: str, name: str) -> str:
    """Find which table an alias stands for."""
    words = statement.replace(",", " ").replace("(", " ").replace(")", " ").split()
    for at, word in enumerate(words[1:], 1):
        if word == name and words[at - 1] in LARGE:
            return words[at - 1]
    return name


def test_no_table_that_grows_is_read_whole(synced: Shop) -> None:
    calls = [
        ("revoke", "--customer", "C0003"),
        ("revoke", "--customer", "nobody"),
        ("revoke", "--email", "nobody@shop.example"),
        ("trace", "--customer", "C0004"),
        ("erase", "--customer", "C0005"),
        ("status",),
    ]

    for call in calls:
        with _heard() as heard:
            answer = synced.call(*call, "--json")

        assert answer.json, answer.err
        assert len(heard) > 3
        assert _whole_reads(synced, heard) == {}, call
