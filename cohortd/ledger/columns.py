"""What the ledger's tables are made of."""

from typing import Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData()
#: Ids and Unix seconds outgrow PostgreSQL's own INTEGER; SQLite's holds them.
INTEGER: Final = Integer().with_variant(BigInteger(), "postgresql")
#: Times and names sort by their bytes, whatever a database's language is.
TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

_Part: TypeAlias = Column[int] | Column[str] | Column[bytes] | CheckConstraint


def table(name: str, *parts: _Part, rowid: bool = True) -> Table:
    """Make a table, strictly typed on SQLite."""
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=rowid)


def number(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    """A whole number."""
    return Column(
        name, INTEGER, nullable=null, server_default=None if default is None else text(str(default))
    )


def words(name: str, *, null: bool = False) -> Column[str]:
    """A text; empty where nothing is said, unless it may be absent."""
    return Column(name, TEXT, nullable=null, server_default=None if null else text("''"))


def blob(name: str) -> Column[bytes]:
    """Bytes, always there."""
    return Column(name, LargeBinary, nullable=False)


def index_some(name: str, *columns: Column[int] | Column[str], where: str, unique: bool = False) -> None:
    """Index the rows of a condition."""
    Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def row_id(name: str = "id") -> Column[int]:
    """The number of a row."""
    return Column(name, INTEGER, primary_key=True)
