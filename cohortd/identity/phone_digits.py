"""The digits of many telephone numbers as views into one array."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from cohortd.identity.digit_automata import ACCEPTED, DEAD, END, SYMBOLS, Automaton, Table

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Symbols = npt.NDArray[np.uint8]

#: Longer ones are no telephone numbers, whatever is dialled before them.
MOST_WRITTEN: Final = 40
#: So many ends stand at the end of the symbols, so that no view reads past them.
_PADDING: Final = np.full(MOST_WRITTEN + 2, END, dtype=np.uint8)

#: ``DEAD`` and ``ACCEPTED``.
_SHARED_STATES: Final[Table] = np.repeat(np.array([[DEAD], [ACCEPTED]]), SYMBOLS, axis=1)
#: Accepts nothing.
NO_NUMBERS: Final = Automaton(_SHARED_STATES, DEAD, 0)


@dataclass(frozen=True, slots=True)
class Digits:
    """Numbers, each a stretch of symbols with at least one end behind it."""

    symbols: Symbols
    #: Where each number begins in ``symbols``.
    at: Integers
    #: How many digits it has.
    count: Integers

    @classmethod
    def of(cls, symbols: Symbols, count: Integers) -> Self:
        """Give each number its stretch of *symbols*, which has no ends yet."""
        total = len(symbols)
        at = np.cumsum(count) - count
        spread = np.full(total + len(count) + len(_PADDING), END, dtype=np.uint8)
        number = np.repeat(np.arange(len(count)), count)
        spread[np.arange(total) + number] = symbols
        return cls(spread, at + np.arange(len(count)), count)

    def only(self, rows: Integers | Flags) -> Self:
        """Keep some numbers."""
        return type(self)(self.symbols, self.at[rows], self.count[rows])

    def without(self, first: Integers) -> Self:
        """Drop the first digits of each."""
        return type(self)(self.symbols, self.at + first, self.count - first)

    def with_rows(self, rows: Integers, other: Self) -> Self:
        """Put *other*, whose symbols begin with these, in the place of some numbers."""
        at, count = self.at.copy(), self.count.copy()
        at[rows], count[rows] = other.at, other.count
        return type(self)(other.symbols, at, count)

    def with_written(self, rows: Integers, numbers: Sequence[bytes]) -> Self:
        """Put other digits in the place of some numbers."""
        if not numbers:
            return self
        written = np.frombuffer(bytes([END]).join(numbers), dtype=np.uint8)
        count = np.array([len(number) for number in numbers], dtype=np.int64)
        begin = len(self.symbols) + np.cumsum(count + 1) - (count + 1)
        symbols = np.concatenate([self.symbols, written, _PADDING])
        return self.with_rows(rows, type(self)(symbols, begin, count))

    def digit(self, place: int) -> Integers:
        """The digit of each at *place*, ``END`` where it has so many not."""
        found = self.symbols[np.minimum(self.at + place, len(self.symbols) - 1)]
        return np.where(place < self.count, found, END).astype(np.int64)

    def heads(self, reach: int) -> Integers:
        """The first digits of each as one number; all that begin alike get the same."""
        found = np.zeros(len(self.at), dtype=np.int64)
        for place in range(reach):
            found = found * SYMBOLS + self.digit(place)
        return found

    def written(self, reach: int) -> list[str]:
        """The first digits of each as text."""
        letters = np.zeros((len(self.at), reach), dtype=np.uint8)
        for place in range(reach):
            letters[:, place] = np.where(place < self.count, self.digit(place) + ord("0"), ord(" "))
        text = letters.tobytes().decode("ascii")
        return [text[start : start + reach].rstrip() for start in range(0, len(text), reach)]


@dataclass(frozen=True, slots=True)
class Automata:
    """Several automata in one table, so that numbers of all kinds are read at once."""

    table: Table
    starts: Integers
    longest: int

    @classmethod
    def of(cls, automata: Sequence[Automaton]) -> Self:
        """Join them; states are multiplied by the number of symbols."""
        table = [_SHARED_STATES]
        starts = []
        states = len(_SHARED_STATES)
        for each in automata:
            shift = states - len(_SHARED_STATES)
            table.append(_shifted(each.table[len(_SHARED_STATES) :], shift))
            starts.append(int(_shifted(np.array(each.start), shift)))
            states += len(table[-1])
        return cls(
            np.concatenate(table).ravel() * SYMBOLS,
            np.array(starts, dtype=np.int64) * SYMBOLS,
            max((each.longest for each in automata), default=0),
        )

    def accept(self, which: Integers, digits: Digits) -> Flags:
        """Whether each number is accepted by the automaton with that index."""
        state = self.starts[which]
        place = digits.at.copy()
        for _ in range(min(self.longest, int(digits.count.max(initial=0))) + 1):
            state = self.table[state + digits.symbols[place]]
            place += 1
        accepted: Flags = state == ACCEPTED * SYMBOLS
        return accepted


def _shifted(states: Table, shift: int) -> Table:
    """Number states anew, but for those that all automata share."""
    return np.where(states > ACCEPTED, states + shift, states)
