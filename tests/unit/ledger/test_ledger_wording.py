"""How statements of the ledger are put into PostgreSQL's words."""

import pytest

from cohortd.ledger.dialects.wording import in_postgresql


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("SELECT 1 FROM a WHERE b = ? AND c = :c", "SELECT 1 FROM a WHERE b = %s AND c = %(c)s"),
        ("SELECT (n - 1) % :size", "SELECT (n - 1) %% %(size)s"),
        ("SELECT '? :a % x' FROM a", "SELECT '? :a %% x' FROM a"),
        ("SELECT 'it''s ?', ?", "SELECT 'it''s ?', %s"),
        ("FROM a CROSS JOIN b c ON c.d = a.d", "FROM a JOIN b c ON c.d = a.d"),
        ("FROM a CROSS JOIN temp.b c\n  ON c.d = a.d", "FROM a JOIN pg_temp.b c ON c.d = a.d"),
        ("FROM a CROSS JOIN b c WHERE c.d = a.d", "FROM a CROSS JOIN b c WHERE c.d = a.d"),
        (
            "IN (SELECT value FROM json_each(:of))",
            "IN (SELECT value FROM json_array_elements_text(CAST(%(of)s AS json)) AS listed(value))",
        ),
        (
            "FROM json_each(?) j CROSS JOIN a s ON s.b = j.value",
            "FROM json_array_elements_text(CAST(%s AS json)) AS j(value) JOIN a s ON s.b = j.value",
        ),
        ("s.b = unhex(substr(j.value, 4))", "s.b = decode(substr(j.value, 4), 'hex')"),
        (
            "CREATE TABLE scratch.a (b INTEGER, c BLOB, PRIMARY KEY (b)) WITHOUT ROWID",
            "CREATE TABLE pg_temp.a (b BIGINT, c BYTEA, PRIMARY KEY (b))",
        ),
        ("SELECT CAST(j.value AS INTEGER)", "SELECT CAST(j.value AS BIGINT)"),
    ],
)
def test_what_only_sqlite_understands_is_said_otherwise(written: str, said: str) -> None:
    assert in_postgresql(written) == said
