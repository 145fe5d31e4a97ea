"""Statements as PostgreSQL takes them: the ledger writes them once, in SQLite's words.

Only what the ledger uses is known here. Whatever else SQLite alone understands must not be written; the
ledger's tests run every statement on both.
"""

import re
from functools import lru_cache
from typing import Final

#: Nothing inside quotes is touched.
_QUOTED: Final = re.compile(r"('(?:[^']|'')*')")
_LIST: Final = re.compile(r"\bjson_each\((%s|%\(\w+\)s)\)(?: ([a-z])\b)?")
_REPLACED: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"%", "%%"),
        (r"\?", "%s"),
        (r":([a-z_]+)", r"%(\1)s"),
        # SQLite keeps the order, a few keys first and then one look-up each; PostgreSQL finds it.
        (r"\bCROSS JOIN ([\w.]+ \w+)\s+ON\b", r"JOIN \1 ON"),
        (r"\bunhex\(((?:[^()]|\([^()]*\))*)\)", r"decode(\1, 'hex')"),
        # Both are the connection's own there.
        (r"\b(?:temp|scratch)\.(?=[a-z])", "pg_temp."),
        (r"\) WITHOUT ROWID", ")"),
        (r"\bBLOB\b", "BYTEA"),
        (r"\bINTEGER\b", "BIGINT"),
    )
)


@lru_cache(maxsize=1024)
def in_postgresql(statement: str) -> str:
    """Put a statement into PostgreSQL's words and psycopg's placeholders."""
    parts = _QUOTED.split(statement)
    parts[0::2] = [_reword(part) for part in parts[0::2]]
    parts[1::2] = [part.replace("%", "%%") for part in parts[1::2]]
    return "".join(parts)


def _reword(text: str) -> str:
    for pattern, words in _REPLACED:
        text = pattern.sub(words, text)
    return _LIST.sub(_elements, text)


def _elements(found: re.Match[str]) -> str:
    return f"json_array_elements_text(CAST({found[1]} AS json)) AS {found[2] or 'listed'}(value)"
