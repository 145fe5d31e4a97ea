"""Reads JSON: one object a line, or one array of objects."""

import io
import itertools
import json
from collections.abc import Iterator, Sequence

import numpy as np

from cohortd.core.errors import SourceError
from cohortd.sources.chunks import Chunk, Lost
from cohortd.sources.locations import SourceFile
from cohortd.sources.objects import text_column

ROWS_A_CHUNK = 65_536
#: JSON has no header: names are those of the first rows.
_ROWS_FOR_NAMES = 10_000
_BUFFER_BYTES = 1024 * 1024

Row = dict[str, object] | None


def columns(file: SourceFile) -> list[str]:
    """Collect the names that the first rows use.

    Raises:
        SourceError: None of them is an object.
    """
    names: dict[str, None] = {}
    seen = objects = 0
    with file.reading(), file.open() as stream:
        for row in itertools.islice(_rows(file, io.BufferedReader(stream, _BUFFER_BYTES)), _ROWS_FOR_NAMES):
            names.update(dict.fromkeys(row or ()))
            seen, objects = seen + 1, objects + (row is not None)
    if seen and not objects:
        raise _no_objects(file)
    return list(names)


def chunks(file: SourceFile, wanted: Sequence[str], *, lost: Lost) -> Iterator[Chunk]:
    """Stream *wanted* names; lines that are no JSON object go to *lost*."""
    with file.reading(), file.open() as stream:
        numbered = enumerate(_rows(file, io.BufferedReader(stream, _BUFFER_BYTES)), start=1)
        while part := list(itertools.islice(numbered, ROWS_A_CHUNK)):
            bad = [number for number, row in part if row is None]
            lost("unparsable_json", len(bad), bad, "")
            good = [(number, row) for number, row in part if row is not None]
            yield Chunk(
                columns={name: text_column([row.get(name) for _, row in good]) for name in wanted},
                rows=len(good),
                numbers=np.array([number for number, _ in good], dtype=np.int64),
                file=file.name,
            )


def _rows(file: SourceFile, stream: io.BufferedReader) -> Iterator[Row]:
    if stream.peek(3)[:3] == b"\xef\xbb\xbf":
        stream.read(3)
    lines = (line for line in stream if line.strip())
    first = next(lines, b"")
    if not first.lstrip().startswith(b"["):
        yield from (_row(line) for line in itertools.chain([first] if first else [], lines))
        return
    document = _parsed(first + b"".join(lines))
    if not isinstance(document, list):
        raise _no_objects(file)
    yield from (row if isinstance(row, dict) else None for row in document)


def _no_objects(file: SourceFile) -> SourceError:
    return SourceError(f"{file.table}: {file.name} is no JSON array of objects, nor one object a line")


def _row(line: bytes) -> Row:
    parsed = _parsed(line)
    return parsed if isinstance(parsed, dict) else None


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # undecodable bytes are a ValueError too
        return None
