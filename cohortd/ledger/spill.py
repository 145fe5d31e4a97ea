"""Rows on disk, sorted into cells, so that what belongs together is read back together."""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cohortd.core.errors import LedgerError
from cohortd.ledger.keys import WORD, Places, Words, heads
from cohortd.ledger.rows import Payloads, filled, take

Bytes: TypeAlias = NDArray[np.uint8]
Cells: TypeAlias = NDArray[np.uint16] | NDArray[np.uint32]

#: Rows in memory before they are sorted and written.
FLUSH_ROWS: Final = 500_000
_SIZE: Final = np.dtype(np.uint32)


@dataclass(frozen=True, slots=True)
class _Part:
    """What was written at once: column after column, each in the order of the cells."""

    #: Cell -> its first row; one more at the end.
    starts: Places
    #: Where in the file each column begins.
    words: tuple[int, ...]
    byte: int
    #: Where the payloads' sizes and bytes begin, and cell -> its first byte; None for no payloads.
    payloads: tuple[int, int, Places] | None


@dataclass(frozen=True, slots=True)
class _Span:
    """Some cells of a part."""

    part: _Part
    first: int
    rows: int
    #: Where their payloads are, and how long they are together.
    text: tuple[int, int]

    @classmethod
    def of(cls, part: _Part, low: int, high: int) -> "_Span":
        first, stop = _between(part.starts, low, high)
        text = (0, 0)
        if part.payloads is not None:
            _, data, offsets = part.payloads
            start, end = _between(offsets, low, high)
            text = (data + start, end - start)
        return cls(part, first, stop - first, text)

    def column(self, start: int, size: int) -> tuple[int, int]:
        """Return where a column's rows of *size* bytes are, and how many bytes they take."""
        return start + self.first * size, self.rows * size


@dataclass(frozen=True, slots=True, repr=False)
class Block:
    """Rows as columns: keys, one byte each, and payloads."""

    words: tuple[Words, ...]
    byte: Bytes
    payload: Payloads = None


class Spill:
    """Columns of rows in a file that has no name: nothing is left of it, however the process ends.

    A row belongs to a cell, a number below 65,536 or little more. Any run of cells can be read back; the
    rows of one come in the order in which they were added.
    """

    def __init__(self, folder: Path, widths: tuple[int, ...]) -> None:
        """Make a file in *folder* for keys of so many words each."""
        self._file = TemporaryFile(dir=folder, prefix="cohortd-spill-")  # noqa: SIM115 - closed by close
        self._widths = widths
        self._waiting: list[tuple[Cells, Block]] = []
        self._rows = 0
        self._parts: list[_Part] = []
        self._end = 0

    def close(self) -> None:
        """Give the space back."""
        self._file.close()

    def add(self, cells: Cells, rows: Block) -> None:
        """Keep some rows."""
        if not len(cells):
            return
        self._waiting.append((cells, rows))
        self._rows += len(cells)
        if self._rows >= FLUSH_ROWS:
            self._flush()

    def count(self, low: int, high: int) -> int:
        """Count the rows of the cells from *low* to before *high*."""
        self._flush()
        return sum(_Span.of(part, low, high).rows for part in self._parts)

    def read(self, low: int, high: int) -> Block:
        """Return the rows of the cells from *low* to before *high*."""
        self._flush()
        spans = [span for span in (_Span.of(part, low, high) for part in self._parts) if span.rows]
        count = sum(span.rows for span in spans)
        words = tuple(np.empty((count, width), dtype=np.uint64) for width in self._widths)
        for number, into in enumerate(words):
            size = into.shape[1] * WORD
            self._fill(into.data, [span.column(span.part.words[number], size) for span in spans])
        byte = np.empty(count, dtype=np.uint8)
        self._fill(byte.data, [span.column(span.part.byte, 1) for span in spans])
        return Block(words, byte, self._payloads(spans, count))

    def _flush(self) -> None:
        if not self._waiting:
            return
        cells = np.concatenate([cells for cells, _ in self._waiting])
        blocks = [rows for _, rows in self._waiting]
        order = np.argsort(cells, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(cells))]).astype(np.int64)
        words = [
            self._write(np.concatenate([rows.words[number] for rows in blocks])[order].data)
            for number in range(len(self._widths))
        ]
        byte = self._write(np.concatenate([rows.byte for rows in blocks])[order].data)
        self._parts.append(_Part(starts, tuple(words), byte, self._write_payloads(blocks, order, starts)))
        self._waiting.clear()
        self._rows = 0

    def _write_payloads(
        self, blocks: list[Block], order: Places, starts: Places
    ) -> tuple[int, int, Places] | None:
        if all(rows.payload is None for rows in blocks):
            return None
        whole = pa.concat_arrays([filled(rows.payload, len(rows.byte)) for rows in blocks])
        ordered = take(whole, order)
        if ordered is None:
            return None
        offsets = np.frombuffer(ordered.buffers()[1], dtype=np.int64)[: len(order) + 1]
        sizes = self._write(np.diff(offsets).astype(_SIZE).data)
        data = self._write(memoryview(ordered.buffers()[2])[: int(offsets[-1])])
        return sizes, data, offsets[starts]

    def _write(self, values: memoryview) -> int:
        """Append to the file; return where."""
        start, view = self._end, values.cast("B")
        while view:
            try:
                written = os.pwrite(self._file.fileno(), view, self._end)
            except OSError as error:
                raise LedgerError(
                    f"there is no room beside the ledger for what is to be compared: {error.strerror}"
                ) from None
            view = view[written:]
            self._end += written
        return start

    def _payloads(self, spans: list[_Span], count: int) -> Payloads:
        if all(span.part.payloads is None for span in spans):
            return None
        sizes = np.zeros(count, dtype=_SIZE)
        at = 0
        for span in spans:
            if span.part.payloads is not None:
                some = sizes[at : at + span.rows].data
                self._fill(some, [span.column(span.part.payloads[0], _SIZE.itemsize)])
            at += span.rows
        data = np.empty(sum(span.text[1] for span in spans), dtype=np.uint8)
        self._fill(data.data, [span.text for span in spans])
        ends = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        return pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), count, [None, pa.py_buffer(ends), pa.py_buffer(data)]
        )

    def _fill(self, into: memoryview, pieces: list[tuple[int, int]]) -> None:
        """Read pieces (start, bytes) of the file one after another."""
        if not into.nbytes:
            return
        view = into.cast("B")
        for start, size in pieces:
            done = 0
            while done < size:
                read = os.preadv(self._file.fileno(), [view[done:size]], start + done)
                if not read:
                    raise LedgerError("what is to be compared was cut off beside the ledger")
                done += read
            view = view[size:]


def cells_of(keys: Words, first: int) -> Cells:
    """Return the cells of keys from cell *first* on: one for each first byte."""
    byte = heads(keys) >> np.uint64(56)
    if first + 255 < 1 << 16:
        return byte.astype(np.uint16) + np.uint16(first)
    return byte.astype(np.uint32) + np.uint32(first)


def _between(starts: Places, low: int, high: int) -> tuple[int, int]:
    last = len(starts) - 1
    return int(starts[min(low, last)]), int(starts[min(high, last)])
