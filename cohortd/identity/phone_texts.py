"""Which texts of a column are plainly written numbers, and their digits.

Plainly written: ASCII digits, at most one ``+`` before them, the spaces, dashes and brackets that
libphonenumber passes over wherever they stand, a word before and a usual extension behind. Everything
else, such as a sign that may begin another kind of extension, is not plain.
"""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cohortd.identity.phone_digits import MOST_WRITTEN, Digits, Flags, Integers, Symbols
from cohortd.identity.text import without_float_tail

#: Fewer digits are read by other rules.
_FEWEST_DIGITS: Final = 3
#: libphonenumber reads no longer text.
_LONGEST_TEXT: Final = 250

# What a text holds is counted in one number, a byte a kind: no kind occurs more often in a text that
# is short enough.
_DOT_BITS: Final = 16
_DIGIT, _PLUS, _DOT, _OTHER_PUNCTUATION, _WORD, _FOREIGN = (
    1 << shift for shift in (0, 8, _DOT_BITS, 24, 32, 40)
)

#: A number with words before it, which libphonenumber skips, or an extension behind it, which it cuts off.
_IN_WORDS: Final = re.compile(
    r"[A-Za-z .:]*([+(\[]?[0-9][0-9 ()\[\]./-]*[0-9])(?: ?(?:ext\.?|extension|x) ?[0-9]{1,7})?",
    re.IGNORECASE,
)
#: As long as a digest; the rules for one value look whether it is one.
_LONGEST_IN_WORDS: Final = 63


def _weights() -> Integers:
    found = np.full(256, _FOREIGN, dtype=np.int64)
    found[list(b"0123456789")] = _DIGIT
    found[list(b"+")] = _PLUS
    found[list(b".")] = _DOT
    found[list(b"-()/[]")] = _OTHER_PUNCTUATION
    found[list(b" ")] = 0
    found[list(b":" + string.ascii_letters.encode())] = _WORD
    return found


_WEIGHTS: Final = _weights()
#: What libphonenumber takes for a dash, of what lies beyond ASCII, and what cleaning takes for a space.
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_SPACES: Final = "\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\u3000"
#: So many texts at once are held in the processor's caches.
_PART: Final = 4096
_NO_SYMBOLS: Final[Symbols] = np.zeros(0, dtype=np.uint8)
_NO_ROWS: Final[Integers] = np.zeros(0, dtype=np.int64)
_ZERO: Final = ord("0")


@dataclass(frozen=True, slots=True)
class Written:
    """A column of texts as digits."""

    #: The texts that are plainly written; ``digits`` and ``plus`` are of these alone.
    rows: Integers
    digits: Digits
    #: Whether a plus stands before the digits.
    plus: Flags


@dataclass(frozen=True, slots=True)
class _Part:
    rows: Integers
    symbols: Symbols
    count: Integers
    plus: Flags


def written(texts: Sequence[str]) -> Written:
    """Find the digits of the plainly written texts."""
    parts = [_scanned(texts[start : start + _PART]) for start in range(0, len(texts), _PART)]
    symbols = np.concatenate([_NO_SYMBOLS, *(part.symbols for part in parts)])
    count = np.concatenate([_NO_ROWS, *(part.count for part in parts)])
    plus = np.concatenate([_NO_ROWS, *(part.plus for part in parts)]) > 0
    rows = [part.rows + number * _PART for number, part in enumerate(parts)]
    return Written(np.concatenate([_NO_ROWS, *rows]), Digits.of(symbols, count), plus)


def _scanned(texts: Sequence[str]) -> _Part:
    letters = np.frombuffer(_in_ascii("".join(texts)), dtype=np.uint8)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    starts = np.cumsum(lengths) - lengths
    weights = _WEIGHTS[letters]
    sums = _sums(weights)
    held = sums[starts + lengths] - sums[starts]
    in_words = (held >= _WORD) & (held < _FOREIGN)
    with_dot = (held >> _DOT_BITS == 1) & (held % _DOT < _PLUS)
    if in_words.any() or with_dot.any():
        _blank_words(texts, np.flatnonzero(in_words), weights, starts)
        _blank_tails(texts, np.flatnonzero(with_dot), weights, starts)
        sums = _sums(weights)
        held = sums[starts + lengths] - sums[starts]
    count = held % _PLUS
    plain = (held < _WORD) & (lengths <= _LONGEST_TEXT) & (held % _DOT < 2 * _PLUS)
    plain &= (count >= _FEWEST_DIGITS) & (count <= MOST_WRITTEN)
    plus = plain & (held % _DOT >= _PLUS)
    with_plus = np.flatnonzero(plus)
    at_plus = np.flatnonzero((weights == _PLUS) & np.repeat(plain, lengths))
    led = (sums[at_plus] - sums[starts[with_plus]]) % _PLUS == 0
    plain[with_plus[~led]] = False
    symbols = letters[(weights == _DIGIT) & np.repeat(plain, lengths)] - _ZERO
    return _Part(np.flatnonzero(plain), symbols, count[plain], plus[plain])


def _in_ascii(text: str) -> bytes:
    """One byte a character, whatever the character is."""
    if not text.isascii():
        for sign in _DASHES:
            text = text.replace(sign, "-")
        for space in _SPACES:
            text = text.replace(space, " ")
    return text.encode("ascii", "replace")


def _sums(weights: Integers) -> Integers:
    """What all characters before each place hold."""
    sums = np.zeros(len(weights) + 1, dtype=np.int64)
    np.cumsum(weights, out=sums[1:])
    return sums


def _blank_words(texts: Sequence[str], rows: Integers, weights: Integers, starts: Integers) -> None:
    """Let what stands around the number in each of *rows* count for nothing."""
    for row in rows.tolist():
        short = len(texts[row]) <= _LONGEST_IN_WORDS
        match = _IN_WORDS.fullmatch(texts[row]) if short else None
        if match:
            first = int(starts[row])
            weights[first : first + match.start(1)] = 0
            weights[first + match.end(1) : first + match.end()] = 0


def _blank_tails(texts: Sequence[str], rows: Integers, weights: Integers, starts: Integers) -> None:
    """Let the ``.0`` of a number with digits behind a dot count for nothing."""
    for row in rows.tolist():
        text = texts[row].strip()
        if without_float_tail(text) != text:
            dot = int(starts[row]) + texts[row].index(".")
            weights[dot : int(starts[row]) + len(texts[row])] = 0
