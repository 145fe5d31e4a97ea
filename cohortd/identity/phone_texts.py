"""Which texts of a column are plainly written numbers, and their digits.

Plainly written: ASCII digits, at most one ``+`` before them, and the punctuation that libphonenumber
passes over wherever it stands. Letters and signs that can begin an extension are not plain.
"""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cohortd.identity.phone_digits import MOST_WRITTEN, Digits, Flags, Integers
from cohortd.identity.text import without_float_tail

#: Fewer digits are read by other rules.
_FEWEST_DIGITS: Final = 3
#: libphonenumber reads no longer text.
_LONGEST_TEXT: Final = 250

# What a text holds is counted in one number, a byte a kind: no kind occurs more often in a text that
# is short enough.
_DIGIT, _PLUS, _DOT, _OTHER_PUNCTUATION, _WORD, _FOREIGN = (1 << shift for shift in (0, 8, 16, 24, 32, 40))

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
_SECOND_PLUS: Final = 2 * _PLUS
_ZERO: Final = ord("0")


@dataclass(frozen=True, slots=True)
class Written:
    """A column of texts as digits."""

    #: The texts that are plainly written; ``digits`` and ``plus`` are of these alone.
    rows: Integers
    digits: Digits
    #: Whether a plus stands before the digits.
    plus: Flags


def written(texts: Sequence[str]) -> Written:
    """Find the digits of the plainly written texts."""
    texts = [without_float_tail(t) if t.endswith("0") and "." in t else t for t in texts]
    # One byte a character, whatever the character is.
    letters = np.frombuffer("".join(texts).encode("ascii", "replace"), dtype=np.uint8)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    weights = _WEIGHTS[letters]
    ends = np.cumsum(lengths)
    starts = ends - lengths
    sums = _sums(weights)
    held = sums[ends] - sums[starts]
    if _leave_numbers(texts, np.flatnonzero((held >= _WORD) & (held < _FOREIGN)), weights, starts):
        sums = _sums(weights)
        held = sums[ends] - sums[starts]
    count = held % _PLUS
    plain = (held < _WORD) & (lengths <= _LONGEST_TEXT)
    plain &= (count >= _FEWEST_DIGITS) & (count <= MOST_WRITTEN)
    plain &= held % _DOT < _SECOND_PLUS
    _without_spaced_tails(texts, plain, held)
    with_plus = np.flatnonzero(plain & (held % _DOT >= _PLUS))
    at_plus = np.flatnonzero((weights == _PLUS) & np.repeat(plain, lengths))
    led = (sums[at_plus] - sums[starts[with_plus]]) % _PLUS == 0
    plain[with_plus[~led]] = False
    plus = np.zeros(len(texts), dtype=np.bool_)
    plus[with_plus] = True
    symbols = letters[(weights == _DIGIT) & np.repeat(plain, lengths)] - _ZERO
    return Written(np.flatnonzero(plain), Digits.of(symbols, count[plain]), plus[plain])


def _sums(weights: Integers) -> Integers:
    """What all characters before each place hold."""
    sums = np.zeros(len(weights) + 1, dtype=np.int64)
    np.cumsum(weights, out=sums[1:])
    return sums


def _leave_numbers(texts: Sequence[str], rows: Integers, weights: Integers, starts: Integers) -> bool:
    """Blank the words around numbers; false where there are none."""
    found = False
    for row in rows.tolist():
        short = len(texts[row]) <= _LONGEST_IN_WORDS
        match = _IN_WORDS.fullmatch(texts[row]) if short else None
        if match:
            first, start = int(starts[row]), match.start(1)
            weights[first : first + start] = 0
            weights[first + match.end(1) : first + match.end()] = 0
            found = True
    return found


def _without_spaced_tails(texts: Sequence[str], plain: Flags, held: Integers) -> None:
    """Leave a number with a tail of zeros and spaces around it to the rules for one value."""
    only_a_dot = plain & (held >> 16 == 1) & (held % _DOT < _PLUS)
    for row in np.flatnonzero(only_a_dot).tolist():
        text = texts[row].strip(" ")
        plain[row] = without_float_tail(text) == text
