"""Reads CSV and its kin: every cell as bytes, rows of the wrong length counted."""

import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from cohortd.core.errors import SourceError
from cohortd.sources.chunks import Chunk, Lost
from cohortd.sources.locations import SourceFile

_BLOCK_BYTES = 8 * 1024 * 1024
#: The longest row there may be.
_LARGE_BLOCK_BYTES = 128 * 1024 * 1024
_HEADER_BYTES = 1024 * 1024
#: More lines in one cell are rows that an open quote swallowed.
_MOST_LINES_A_CELL = 200
_DELIMITERS = (",", ";", "\t", "|")


def columns(file: SourceFile) -> list[str]:
    """Read the header's names.

    Raises:
        SourceError: There is no header, or it is no UTF-8.
    """
    return _header(file)[0]


def chunks(file: SourceFile, wanted: Sequence[str], *, lost: Lost) -> Iterator[Chunk]:
    """Stream *wanted* columns; rows with too many or too few cells go to *lost*.

    A row must fit into one block. Where one does not, the rest of the file is read in large ones: of a
    consent table no withdrawal may be out of reach because another row has a gigantic cell.
    """
    names, delimiter = _header(file)
    # A quote that is never closed swallows every row to the end of the file, unseen where the
    # swallowing column is the last: so the last one is always read.
    included = list(dict.fromkeys([*wanted, names[-1]]))
    ragged = _Ragged(lost)
    parsing = pa_csv.ParseOptions(
        delimiter=delimiter, newlines_in_values=True, invalid_row_handler=ragged.handle
    )
    conversion = pa_csv.ConvertOptions(
        include_columns=[name for name in included if name in names],
        column_types=dict.fromkeys(included, pa.binary()),
    )
    for block_bytes in (_BLOCK_BYTES, _LARGE_BLOCK_BYTES):
        given = ragged.restart()
        try:
            for batch in _batches(file, block_bytes, parsing, conversion):
                _refuse_open_quote(file, batch.column(names[-1]))
                numbers = ragged.numbers(batch.num_rows)
                fresh = int(np.searchsorted(numbers, given, side="right"))
                yield Chunk(
                    columns={name: batch.column(name).slice(fresh) for name in wanted if name in names},
                    rows=batch.num_rows - fresh,
                    numbers=numbers[fresh:],
                    file=file.name,
                )
        except _TooLongError:
            continue
        return
    raise SourceError(
        f"{file.table}: a row of {file.name} after row {ragged.given:,} is longer than"
        f" {_LARGE_BLOCK_BYTES >> 20} MiB; a cell there is gigantic, or a quote is opened and never closed"
    )


class _TooLongError(Exception):
    """A row does not fit into a block."""


def _batches(
    file: SourceFile, block_bytes: int, parsing: pa_csv.ParseOptions, conversion: pa_csv.ConvertOptions
) -> Iterator[pa.RecordBatch]:
    with file.reading(), file.open() as stream:
        try:
            yield from pa_csv.open_csv(
                stream,
                read_options=pa_csv.ReadOptions(use_threads=False, block_size=block_bytes),
                parse_options=parsing,
                convert_options=conversion,
            )
        except pa.ArrowInvalid as error:
            if "straddling" in str(error):
                raise _TooLongError from None
            if "Empty CSV" not in str(error):  # a header alone, without a line's end
                raise


class _Ragged:
    """Counts rows of the wrong length, and numbers the others by their place in the file."""

    def __init__(self, lost: Lost) -> None:
        self._lost = lost
        self._skipped: list[int] = []
        self._next = 1
        #: The last row that was told of.
        self._told = 0

    def handle(self, row: pa_csv.InvalidRow) -> str:
        number = (row.number or 1) - 1  # the header is row 1
        self._skipped.append(number)
        if number > self._told:
            self._told = number
            # A quote that is not closed makes one row of many.
            rows = 1 + row.text.rstrip("\r\n").count("\n")
            self._lost("wrong_number_of_cells", rows, [number], row.text)
        return "skip"

    @property
    def given(self) -> int:
        """The last row that was numbered."""
        return self._next - 1

    def restart(self) -> int:
        """Begin at the first row again, without telling anything twice; return the last that was given."""
        given, self._next, self._skipped = self.given, 1, []
        return given

    def numbers(self, rows: int) -> npt.NDArray[np.int64]:
        """Number the next *rows* good rows."""
        candidates = np.arange(self._next, self._next + rows + len(self._skipped), dtype=np.int64)
        numbers = np.setdiff1d(candidates, np.array(self._skipped, dtype=np.int64))[:rows]
        if rows:
            self._next = int(numbers[-1]) + 1
            self._skipped = [number for number in self._skipped if number >= self._next]
        return numbers


def _header(file: SourceFile) -> tuple[list[str], str]:
    with file.reading(), file.open() as stream:
        start = stream.read(_HEADER_BYTES)
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise SourceError(f"{file.table}: {file.name} is UTF-16; save it as UTF-8")
    # The cut may fall into a letter or a row, but hardly into the first row.
    first_lines = start.decode("utf-8-sig", "replace").lstrip("\r\n")
    header_text = first_lines.split("\n", 1)[0]
    if not header_text.strip():
        raise SourceError(f"{file.table}: {file.name} is empty; not even a header is there")
    if "\ufffd" in header_text:
        raise SourceError(f"{file.table}: the header of {file.name} is not UTF-8; save it as UTF-8")
    delimiter = _delimiter(file, header_text)
    try:
        return next(csv.reader(io.StringIO(first_lines, newline=""), delimiter=delimiter)), delimiter
    except csv.Error:
        raise SourceError(f"{file.table}: the header of {file.name} is not readable as CSV") from None


def _delimiter(file: SourceFile, header: str) -> str:
    if ".tsv" in file.name.lower():
        return "\t"
    return max(_DELIMITERS, key=header.count)


def _refuse_open_quote(file: SourceFile, last: pa.Array) -> None:
    longest = pc.max(pc.count_substring(last, "\n")).as_py()
    if longest is not None and longest > _MOST_LINES_A_CELL:
        raise SourceError(
            f"{file.table}: a cell of {file.name} runs over {longest} lines;"
            " a quote is opened there and never closed"
        )
