"""Automata over digits: regular languages, put together by any rule, read off one table.

Positions of the patterns are bits, a state is the set of positions that were just read
(Glushkov's construction). Telephone numbers are short, so that the states of one depth are a level,
and equal ones are found from the last level to the first.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cohortd.identity.digit_patterns import (
    ANY_DIGIT,
    Choice,
    End,
    Node,
    OneOf,
    Repeated,
    UnknownPatternError,
    longest,
    parsed,
)
from cohortd.identity.digit_patterns import Sequence as InOrder

#: What stands after the last digit of a number.
END = 10
SYMBOLS = 11

#: The two states that every table begins with, and that nothing leaves.
DEAD = 0
ACCEPTED = 1

Table = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Automaton:
    """A table of the next state by state and symbol."""

    table: Table
    start: int
    #: How many digits it accepts at most.
    longest: int


@dataclass(frozen=True, slots=True)
class Language:
    """What one pattern accepts, as sets of positions."""

    #: Positions at which a match may end.
    last: int
    #: All positions of the pattern.
    whole: int
    longest: int


@dataclass(frozen=True, slots=True)
class _Fragment:
    first: int
    last: int
    may_be_empty: bool


class Positions:
    """Patterns being read side by side."""

    def __init__(self) -> None:
        #: For each digit, the positions that accept it.
        self.accepting = [0] * 10
        self._follow: list[int] = []
        self._known: dict[tuple[str, bool], Language] = {}
        self.first = 0

    def language(self, pattern: str, *, open_ended: bool = False) -> Language:
        """Add a pattern that is to match the whole number, or the beginning of an *open_ended* one.

        Raises:
            UnknownPatternError: See ``digit_patterns.parsed``.
        """
        known = self._known.get((pattern, open_ended))
        if known is None:
            known = self._known[pattern, open_ended] = self._added(parsed(pattern), open_ended=open_ended)
        return known

    def after(self, state: int) -> int:
        """All positions that may be read next."""
        found = 0
        for place in _bits(state):
            found |= self._follow[place]
        return found

    def _added(self, node: Choice, *, open_ended: bool) -> Language:
        before = len(self._follow)
        fragment = self._fragment(node)
        last = fragment.last
        if open_ended:
            rest = self._position(ANY_DIGIT)
            self._link(last | rest, rest)
            last |= rest
        self.first |= fragment.first
        return Language(last, (1 << len(self._follow)) - (1 << before), longest(node))

    def _fragment(self, node: Node) -> _Fragment:
        match node:
            case OneOf(digits):
                place = self._position(digits)
                return _Fragment(place, place, may_be_empty=False)
            case Choice(options):
                found = [self._fragment(option) for option in options]
                return _Fragment(
                    sum(each.first for each in found),
                    sum(each.last for each in found),
                    any(each.may_be_empty for each in found),
                )
            case InOrder(parts):
                return self._in_order(parts)
            case End():
                raise UnknownPatternError("$")

    def _in_order(self, parts: Sequence[Repeated]) -> _Fragment:
        first, last, empty = 0, 0, True
        for each in parts:
            for time in range(each.most):
                found = self._fragment(each.part)
                skippable = found.may_be_empty or time >= each.least
                self._link(last, found.first)
                first |= found.first if empty else 0
                last = found.last | (last if skippable else 0)
                empty = empty and skippable
        return _Fragment(first, last, empty)

    def _position(self, digits: int) -> int:
        place = 1 << len(self._follow)
        self._follow.append(0)
        for digit in range(10):
            if digits >> digit & 1:
                self.accepting[digit] |= place
        return place

    def _link(self, earlier: int, later: int) -> None:
        for place in _bits(earlier):
            self._follow[place] |= later


def automaton(
    positions: Positions,
    most: int,
    accepts: Callable[[int, int], bool],
    trimmed: Callable[[int], int] = lambda state: state,
) -> Automaton:
    """Make the smallest table for what *accepts* says of a state and its number of digits.

    Args:
        positions: The patterns.
        most: Longer numbers are not accepted.
        accepts: Whether a number that ends here is.
        trimmed: A state without the positions that can no longer make a difference.
    """
    levels = _levels(positions, most, trimmed)
    numbers = {(DEAD,) * SYMBOLS: DEAD, (ACCEPTED,) * SYMBOLS: ACCEPTED}
    below: list[int] = []
    for depth in range(most, -1, -1):
        here = []
        for state, following in levels[depth]:
            row = tuple(below[each] if each >= 0 else DEAD for each in following)
            ended = ACCEPTED if state and accepts(state, depth) else DEAD
            here.append(numbers.setdefault((*row, ended), len(numbers)))
        below = here
    return Automaton(np.array(list(numbers), dtype=np.int64), below[0], most)


def _levels(
    positions: Positions, most: int, trimmed: Callable[[int], int]
) -> list[list[tuple[int, list[int]]]]:
    """For each depth its states, each with where its digits lead a level below; -1 for nowhere."""
    levels = []
    states = [0]
    for depth in range(most + 1):
        below: dict[int, int] = {}
        # Most digits lead to the same few places: these are trimmed once.
        reached = {0: -1}
        level = []
        for state in states:
            following = [-1] * 10
            if depth < most:
                possible = positions.after(state) if depth else positions.first
                for digit, accepting in enumerate(positions.accepting):
                    next_state = possible & accepting
                    if next_state not in reached:
                        open_in = trimmed(next_state)
                        reached[next_state] = below.setdefault(open_in, len(below)) if open_in else -1
                    following[digit] = reached[next_state]
            level.append((state, following))
        levels.append(level)
        states = list(below)
    return levels


def _bits(state: int) -> Iterator[int]:
    while state:
        lowest = state & -state
        yield lowest.bit_length() - 1
        state ^= lowest
