"""The contact columns of one batch, each normalized and hashed as a whole."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from cohortd.core.identifiers import Family
from cohortd.identity.applying import apply_rule
from cohortd.identity.cells import Cells, Integers, Placed, integers
from cohortd.identity.kernel import Kernel
from cohortd.identity.normalizing import here
from cohortd.identity.outcomes import Outcomes
from cohortd.identity.remembered import Remembered
from cohortd.identity.rules import RULES, Rule
from cohortd.identity.steps import Where
from cohortd.identity.text import cleaned

COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Column:
    """What became of every cell of one column under one rule."""

    field: str
    rows: Integers
    outcomes: Outcomes
    #: Index into the outcomes for each cell; None where each has its own.
    codes: Integers | None

    def usable(self) -> tuple[Integers, pa.Array]:
        """Rows and what is sent of them, in the source's order, nothing twice in a row."""
        rows, sent = self.rows, self._of_cell(self.outcomes.sent)
        if sent.null_count:
            rows, sent = rows[np.asarray(sent.is_valid())], sent.drop_null()
        if np.all(rows[1:] > rows[:-1]):
            return rows, sent
        encoded = sent.dictionary_encode()
        _, first = np.unique(rows * len(encoded.dictionary) + integers(encoded.indices), return_index=True)
        first.sort()
        return rows[first], sent.take(pa.array(first))

    def by_row(self, count: int) -> Integers:
        """For each of *count* rows which outcome is sent, the first where there are several; else -1."""
        codes = np.arange(len(self.rows)) if self.codes is None else self.codes
        usable = np.asarray(self.outcomes.sent.is_valid())[codes]
        found = np.full(count, -1, dtype=np.int64)
        found[self.rows[usable][::-1]] = codes[usable][::-1]
        return found

    def dropped(self) -> tuple[Integers, pa.Array]:
        """Rows of the cells that cannot be sent, and the reasons."""
        if self.outcomes.reasons.null_count == len(self.outcomes.reasons):
            return self.rows[:0], self.outcomes.reasons[:0]
        of_cell = self._of_cell(self.outcomes.reasons)
        return self.rows[np.asarray(of_cell.is_valid())], of_cell.drop_null()

    def _of_cell(self, of_outcome: pa.Array) -> pa.Array:
        return of_outcome if self.codes is None else of_outcome.take(pa.array(self.codes))


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
        kernel: Kernel | None,
        memory: Remembered | None,
    ) -> None:
        """Find out where each row is; nothing else is read yet."""
        self.count: int = batch.num_rows
        self.kernel = kernel
        self._memory = memory
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
        placed, codes = self._placed(cells, regional=rule.regional), None
        if not (rule.unique and (hashed or (rule.swift and self.kernel))):
            placed, codes = placed.distinct()
        results = apply_rule(rule, placed, hashed=hashed, kernel=self.kernel, memory=self._memory)
        return Column(field, cells.rows, results, codes)

    def derived(self, column: Column, field: str, texts: pa.Array) -> Column:
        """Normalize what was made of a column's outcomes, a text or null for each of them."""
        encoded = texts.dictionary_encode()
        nowhere = np.zeros(len(encoded.dictionary), dtype=np.int64)
        placed = Placed(encoded.dictionary, nowhere, [self._default])
        rule = self._rules[field]
        results = apply_rule(rule, placed, hashed=False, kernel=self.kernel, memory=self._memory)
        of_text = Outcomes(results.sent.take(encoded.indices), results.reasons.take(encoded.indices))
        return Column(field, column.rows, of_text, column.codes)

    def _cells(self, name: str) -> Cells | None:
        return Cells.of(self._batch.column(name)) if name in self._batch.schema.names else None

    def _placed(self, cells: Cells, *, regional: bool) -> Placed:
        if regional:
            return Placed(cells.texts, self._region_of_row[cells.rows], self._places)
        return Placed(cells.texts, np.zeros(len(cells.rows), dtype=np.int64), [self._default])

    def _regions(self) -> tuple[Integers, list[Where]]:
        """Where each row is, as an index into the places.

        A country that is written but not understood is not the default region: the number would
        be read as somebody else's.
        """
        numbers = {self._default: 0}
        of_row = np.zeros(self.count, dtype=np.int64)
        cells = self._cells(COUNTRY)
        if cells is None:
            return of_row, list(numbers)
        hashed = COUNTRY in self._hashed
        once, codes = self._placed(cells, regional=False).distinct()
        of_text = []
        for text in once.texts.to_pylist():
            place = self._default
            if cleaned(text):
                place = here(None if hashed else text, today=self._default.today)
            of_text.append(numbers.setdefault(place, len(numbers)))
        of_row[cells.rows] = np.array(of_text, dtype=np.int64)[codes]
        return of_row, list(numbers)
