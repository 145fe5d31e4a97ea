"""Reads the result of a query, streamed; nothing is ever written."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from cohortd.core.errors import SettingsError, SourceError
from cohortd.sources.chunks import Chunk
from cohortd.sources.objects import text_column
from cohortd.sources.table import TableSource

ROWS_A_CHUNK = 65_536
#: What a driver may say that names a table or a column and no value.
_HARMLESS = re.compile(r"no such (?:table|column): [\w.]+|(?:relation|column) \"[\w.]+\" does not exist")


def columns(source: TableSource) -> list[str]:
    """Ask the query for its names."""
    with _result(source) as result:
        return [str(name) for name in result.keys()]  # noqa: SIM118 - a result is no dict


def chunks(source: TableSource, wanted: Sequence[str]) -> Iterator[Chunk]:
    """Stream *wanted* columns."""
    first = 1
    with _result(source) as result:
        names = list(result.keys())
        places = {name: names.index(name) for name in wanted if name in names}
        for rows in result.partitions(ROWS_A_CHUNK):
            numbers = np.arange(first, first + len(rows), dtype=np.int64)
            first += len(rows)
            found = {name: text_column([row[place] for row in rows]) for name, place in places.items()}
            yield Chunk(found, len(rows), numbers)


@contextmanager
def _result(source: TableSource) -> Iterator[sa.CursorResult[tuple[object, ...]]]:
    engine = _engine(source)
    try:
        with engine.connect() as connection:
            # As written: a colon or a percent sign in a query is no parameter.
            options = {"stream_results": True, "yield_per": ROWS_A_CHUNK, "no_parameters": True}
            yield connection.exec_driver_sql(source.query or "", execution_options=options)
    except (SQLAlchemyError, UnicodeDecodeError) as error:
        # Drivers quote values, hosts and passwords.
        raise SourceError(
            f"{source.name}: the query failed ({_said(error)}); check sources.{source.name}.url and query"
        ) from None
    finally:
        engine.dispose()


def _engine(source: TableSource) -> sa.Engine:
    where = f"sources.{source.name}"
    if not source.url or not source.query:
        raise SettingsError(f"{where}: an SQL source needs both url and query")
    try:
        url = sa.make_url(source.url)
        _refuse_missing_sqlite(url, where)
        return sa.create_engine(url, poolclass=sa.NullPool)
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise SettingsError(
            f"{where}.url is no SQLAlchemy URL such as postgresql+psycopg://host/db"
        ) from None
    except ImportError as error:
        raise SettingsError(
            f"{where}.url needs the Python package {error.name!r}, which is not installed"
        ) from None


def _refuse_missing_sqlite(url: sa.URL, where: str) -> None:
    """Stop before sqlite makes an empty database of a mistyped name."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    if is_file and not str(url.database).startswith("file:") and not Path(str(url.database)).is_file():
        raise SettingsError(f"{where}.url: there is no database file {url.database}")


def _said(error: BaseException) -> str:
    found = _HARMLESS.search(str(getattr(error, "orig", "")))
    return found[0] if found else type(error).__name__
