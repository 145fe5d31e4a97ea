"""The contact columns of one batch, each normalized over its distinct values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from cohortd.core.identifiers import DIGEST_BYTES, Family, IdentifierKind
from cohortd.identity.cells import Cells, Integers
from cohortd.identity.normalizing import Normalized, here, outcome, outcomes_of
from cohortd.identity.rules import RULES, Rule
from cohortd.identity.steps import Where
from cohortd.identity.text import cleaned

IDENTIFIERS = pa.schema(
    [
        ("row", pa.int64()),
        ("kind", pa.uint8()),
        ("digest", pa.binary(DIGEST_BYTES)),
        ("payload", pa.binary()),
    ]
)
DROPPED = pa.schema([("row", pa.int64()), ("field", pa.string()), ("reason", pa.string())])

COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Column:
    """What became of every cell of one column under one rule."""

    field: str
    rows: Integers
    #: Index into ``results`` for each cell.
    codes: Integers
    results: list[Normalized]

    def usable(self) -> tuple[Integers, list[str]]:
        """Rows and what is sent of them, in the source's order, nothing twice in a row."""
        sent = [result.sent for result in self.results]
        numbers = {text: number for number, text in enumerate(dict.fromkeys(sent)) if text is not None}
        of_result = np.array([numbers.get(text or "", -1) for text in sent], dtype=np.int64)
        of_cell = of_result[self.codes] if sent else self.codes
        kept = np.flatnonzero(of_cell >= 0)
        _, first = np.unique(self.rows[kept] * len(sent) + of_cell[kept], return_index=True)
        chosen = kept[np.sort(first)]
        by_number = {number: text for text, number in numbers.items()}
        return self.rows[chosen], [by_number[number] for number in of_cell[chosen].tolist()]

    def by_row(self, count: int) -> list[str | None]:
        """What is sent of each of *count* rows, the first where there are several."""
        found: list[str | None] = [None] * count
        rows, texts = self.usable()
        for row, text in zip(rows.tolist()[::-1], texts[::-1], strict=True):
            found[row] = text
        return found

    def dropped(self) -> pa.Table:
        """One row for each cell that cannot be sent, with the reason."""
        reasons = pa.array([result.reason for result in self.results], pa.string())
        of_cell = reasons.take(pa.array(self.codes))
        there = of_cell.is_valid()
        return dropped_table(pa.array(self.rows).filter(there), self.field, of_cell.filter(there))


class Contacts:
    """One batch as the rules of one family see it."""

    def __init__(
        self,
        batch: pa.RecordBatch,
        family: Family,
        *,
        default_region: str | None,
        hashed: frozenset[str],
        today: date | None,
    ) -> None:
        """Find out where each row is; nothing else is read yet."""
        self.count: int = batch.num_rows
        self._batch = batch
        self._rules = RULES[family]
        self._hashed = hashed
        self._default = here(default_region, today=today)
        self._region_of_row, self._places = self._regions()

    def column(
        self, field: str, *, read_from: str | None = None, rule: Rule | None = None
    ) -> Column | None:
        """Normalize one column; None where the batch does not have it.

        Args:
            field: Whose rule, unless *rule* is given, and the column unless *read_from* is.
            read_from: The source's column.
            rule: Another rule than the family's.
        """
        name = read_from or field
        cells = self._cells(name)
        if cells is None:
            return None
        rule = rule or self._rules[field]
        hashed = name in self._hashed
        if not rule.regional:
            results = [outcome(rule, text, self._default, hashed=hashed) for text in cells.texts]
            return Column(field, cells.rows, cells.codes, results)
        pairs = cells.codes * len(self._places) + self._region_of_row[cells.rows]
        distinct, codes = np.unique(pairs, return_inverse=True)
        texts, places = np.divmod(distinct, len(self._places))
        results = outcomes_of(
            rule,
            [cells.texts[text] for text in texts.tolist()],
            [self._places[place] for place in places.tolist()],
            hashed=hashed,
        )
        return Column(field, cells.rows, codes.astype(np.int64), results)

    def one(self, field: str, value: str) -> Normalized:
        """Normalize a single value that does not depend on the region."""
        return outcome(self._rules[field], value, self._default, hashed=False)

    def _cells(self, name: str) -> Cells | None:
        return Cells.of(self._batch.column(name)) if name in self._batch.schema.names else None

    def _regions(self) -> tuple[Integers, list[Where]]:
        """Where each row is, as an index into the places.

        A country that is written but not understood is not the default region: the number would
        be read as somebody else's.
        """
        places = [self._default]
        of_row = np.zeros(self.count, dtype=np.int64)
        cells = self._cells(COUNTRY)
        if cells is None or not cells.texts:
            return of_row, places
        hashed = COUNTRY in self._hashed
        of_text = []
        for text in cells.texts:
            if cleaned(text):
                of_text.append(len(places))
                places.append(here(None if hashed else text, today=self._default.today))
            else:
                of_text.append(0)
        of_row[cells.rows] = np.array(of_text, dtype=np.int64)[cells.codes]
        return of_row, places


def dropped_table(rows: pa.Array, field: str, reasons: pa.Array) -> pa.Table:
    """Make rows of the table of what was dropped."""
    return pa.table([rows, pa.repeat(field, len(rows)), reasons], schema=DROPPED)


def contact_points(
    column: Column, kind: IdentifierKind, profiles: Sequence[bytes] | None = None
) -> pa.Table:
    """Make identifiers of e-mails or phones, each with the profile of its row."""
    rows, digests = column.usable()
    payloads = [profiles[row] for row in rows.tolist()] if profiles else [b""] * len(digests)
    return identifiers_table(rows, kind, [bytes.fromhex(digest) for digest in digests], payloads)


def identifiers_table(
    rows: Integers, kind: IdentifierKind, digests: Sequence[bytes], payloads: Sequence[bytes]
) -> pa.Table:
    """Make rows of the table of identifiers."""
    kinds = pa.repeat(pa.scalar(int(kind), pa.uint8()), len(digests))
    columns = [
        pa.array(rows),
        kinds,
        pa.array(digests, pa.binary(DIGEST_BYTES)),
        pa.array(payloads, pa.binary()),
    ]
    return pa.table(columns, schema=IDENTIFIERS)
