"""Opens a table, whatever it is kept in, and finds our columns among its own."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

from cohortd.core.errors import SettingsError
from cohortd.sources import delimited, documents, parquet, sql
from cohortd.sources.chunks import Chunk, Graver, Lost
from cohortd.sources.locations import SourceFile, files_of
from cohortd.sources.table import TableSource, Tally

#: A file with hundreds of columns should not fill the screen.
_MOST_SHOWN = 40
#: Many digits, a number, an e-mail address, bytes that are no text: the first row of a table without a
#: header, or of a file that is none, and no name.
_DATA = re.compile(r"@|(?:\d.*){4}|^[\d.,+-]+$|[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]", re.DOTALL)


def columns_of(source: TableSource) -> list[str]:
    """List the table's own column names, of all its files together.

    Raises:
        SettingsError: There is no such file, or the settings do not say enough.
        SourceError: It cannot be read.
    """
    if source.url or source.query:
        return sql.columns(source)
    return list(dict.fromkeys(name for file in files_of(source) for name in _columns(file)))


def chosen(source: TableSource, *, needed: Sequence[str], optional: Sequence[str]) -> dict[str, str]:
    """Map our names to their columns, as far as they are there.

    Raises:
        SettingsError: A needed or explicitly mapped column is not there; says which are.
    """
    theirs = columns_of(source)
    ours = [*needed, *optional]
    if source.columns is None:
        mapping = {name: name for name in ours if name in theirs}
    else:
        mapping = {name: source.columns[name] for name in ours if name in source.columns}
        for name, column in mapping.items():
            if column not in theirs:
                raise SettingsError(_missing(source, name, column, theirs=theirs))
    for name in needed:
        if name not in mapping:
            raise SettingsError(_missing(source, name, name, theirs=theirs))
    return mapping


def chunks(
    source: TableSource,
    mapping: Mapping[str, str],
    tally: Tally,
    *,
    needed: Sequence[str],
    graver: Graver = lambda _text: "",
) -> Iterator[Chunk]:
    """Stream the mapped columns of every file in turn.

    Args:
        graver: Looks at the text of rows that cannot be read, and may count them under another reason.

    Raises:
        SettingsError: One of the files lacks a needed column, or has a column twice.
    """
    wanted = list(dict.fromkeys(mapping.values()))
    if source.url or source.query:
        yield from sql.chunks(source, wanted)
        return
    for file in files_of(source):
        if file.format != "json":
            _check_columns(file, wanted, needed=[mapping[name] for name in needed])
        yield from _chunks(file, wanted, _lost(tally, file, graver))


def _columns(file: SourceFile) -> list[str]:
    match file.format:
        case "parquet":
            return parquet.columns(file)
        case "json":
            return documents.columns(file)
        case _:
            return delimited.columns(file)


def _chunks(file: SourceFile, wanted: Sequence[str], lost: Lost) -> Iterator[Chunk]:
    match file.format:
        case "parquet":
            return parquet.chunks(file, wanted)
        case "json":
            return documents.chunks(file, wanted, lost=lost)
        case _:
            return delimited.chunks(file, wanted, lost=lost)


def _lost(tally: Tally, file: SourceFile, graver: Graver) -> Lost:
    def count(reason: str, rows: int, numbers: list[int], text: str) -> None:
        tally.read += rows
        tally.drop(graver(text) or reason, rows, rows=numbers, file=file.name)

    return count


def _check_columns(file: SourceFile, wanted: Sequence[str], *, needed: Sequence[str]) -> None:
    """Of several files each must have what cannot be absent; the rest may come and go."""
    names = _columns(file)
    for name in wanted:
        if name in needed and name not in names:
            raise SettingsError(
                f"{file.table}: {file.name} has no column {name!r}; it has {_listed(names)}"
            )
        if names.count(name) > 1:
            raise SettingsError(f"{file.table}: {file.name} has more than one column named {name!r}")


def _missing(source: TableSource, name: str, column: str, *, theirs: Sequence[str]) -> str:
    folded = {each.casefold().strip(): each for each in theirs}
    wanted = column.casefold()
    nearest = [wanted] if wanted in folded else difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    hint = f" Did you mean {folded[nearest[0]]!r}?" if nearest and not _is_data(theirs) else ""
    return (
        f"sources.{source.name}: there is no column {column!r} for {name}.{hint}"
        f" It has: {_listed(theirs)}. Map it in sources.{source.name}.columns."
    )


def _listed(theirs: Sequence[str]) -> str:
    """List the names; of a table without a header they would be somebody's data, so none is told."""
    if _is_data(theirs):
        return f"{len(theirs)} columns, named as if the first row were data: is there a header"
    return ", ".join(theirs[:_MOST_SHOWN]) + (", …" if len(theirs) > _MOST_SHOWN else "") or "no columns"


def _is_data(names: Sequence[str]) -> bool:
    return any(_DATA.search(name) for name in names)
