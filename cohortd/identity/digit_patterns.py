"""The regular expressions of telephone metadata, taken apart: digits, choices and counted repeats."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

#: A set of digits is ten bits.
ANY_DIGIT = (1 << 10) - 1

_TOKENS = re.compile(r"\\d|\[[0-9-]+\]|\(\?:|[()|?$0-9]|\{[0-9]+(?:,[0-9]+)?\}")
_SPANS = re.compile(r"([0-9])(?:-([0-9]))?")


class UnknownPatternError(ValueError):
    """The metadata use a form of regular expression that is not known here; ask the library itself."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One digit of a set."""

    digits: int


@dataclass(frozen=True, slots=True)
class End:
    """Where the number must end."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A part, at least and at most so many times."""

    part: "Node"
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Repeated, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple[Sequence, ...]


Node = OneOf | End | Sequence | Choice

_SINGLE: Mapping[str, Node] = {"$": End(), r"\d": OneOf(ANY_DIGIT)}


def parsed(pattern: str) -> Choice:
    """Take *pattern* apart; whether a group captures makes no difference to what is matched.

    Raises:
        UnknownPatternError: It holds anything else than digits, classes, groups, choices, counted
            repeats and ``$``.
    """
    tokens = _TOKENS.findall(pattern)
    if "".join(tokens) != pattern:
        raise UnknownPatternError(pattern)
    reader = _Reader(tokens[::-1])
    found = reader.choice()
    if reader.left:
        raise UnknownPatternError(pattern)
    return found


def longest(node: Node) -> int:
    """How many digits *node* matches at most."""
    match node:
        case OneOf():
            return 1
        case End():
            return 0
        case Sequence(parts):
            return sum(longest(each.part) * each.most for each in parts)
        case Choice(options):
            return max(longest(option) for option in options)


def starters(node: Node) -> int:
    """Which digits a match that is not empty can begin with."""
    match node:
        case OneOf(digits):
            return digits
        case End():
            return 0
        case Sequence(parts):
            found = 0
            for each in parts:
                found |= starters(each.part)
                if each.least and not _may_be_empty(each.part):
                    break
            return found
        case Choice(options):
            return reduce(or_, map(starters, options))


def has_end(node: Node) -> bool:
    """Whether *node* looks for the end of the number anywhere."""
    match node:
        case Sequence(parts):
            return any(has_end(each.part) for each in parts)
        case Choice(options):
            return any(map(has_end, options))
        case _:
            return isinstance(node, End)


def _may_be_empty(node: Node) -> bool:
    match node:
        case OneOf():
            return False
        case End():
            return True
        case Sequence(parts):
            return all(not each.least or _may_be_empty(each.part) for each in parts)
        case Choice(options):
            return any(map(_may_be_empty, options))


class _Reader:
    def __init__(self, reversed_tokens: list[str]) -> None:
        self.left = reversed_tokens

    def choice(self) -> Choice:
        options = [self._sequence()]
        while self._next_is("|"):
            self.left.pop()
            options.append(self._sequence())
        return Choice(tuple(options))

    def _sequence(self) -> Sequence:
        parts = []
        while self.left and self.left[-1] not in {"|", ")"}:
            part = self._part(self.left.pop())
            parts.append(Repeated(part, *self._times()))
        return Sequence(tuple(parts))

    def _part(self, token: str) -> Node:
        if token in {"(", "(?:"}:
            inner = self.choice()
            if not self._next_is(")"):
                raise UnknownPatternError(token)
            self.left.pop()
            return inner
        if token in _SINGLE:
            return _SINGLE[token]
        if token[0] not in "[0123456789":
            raise UnknownPatternError(token)
        return OneOf(_digits(token.strip("[]")))

    def _times(self) -> tuple[int, int]:
        if self._next_is("?"):
            self.left.pop()
            return 0, 1
        if self.left and self.left[-1].startswith("{"):
            bounds = self.left.pop().strip("{}").split(",")
            return int(bounds[0]), int(bounds[-1])
        return 1, 1

    def _next_is(self, token: str) -> bool:
        return bool(self.left) and self.left[-1] == token


def _digits(spans: str) -> int:
    found = 0
    for first, last in _SPANS.findall(spans):
        for digit in range(int(first), int(last or first) + 1):
            found |= 1 << digit
    return found
