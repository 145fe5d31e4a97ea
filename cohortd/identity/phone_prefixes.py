"""What people dial before a number, taken off whole columns."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from cohortd.identity.digit_automata import END, SYMBOLS
from cohortd.identity.phone_digits import Automata, Digits, Integers
from cohortd.identity.phone_metadata import MORE_DECIDES, Dialling, Prefix

_ASCII_ZERO = ord("0")


def without_exit_code(lands: Sequence[Dialling], land: Integers, digits: Digits) -> tuple[Integers, Digits]:
    """Take off what people dial to call abroad: the numbers that have it, and what is left of them."""
    rows, rest = _matched([each.abroad for each in lands], land, digits)
    # No country code begins with 0: then it was something else.
    abroad = rest.digit(0) != 0
    return rows[abroad], rest.only(abroad)


def without_trunk_prefix(
    lands: Sequence[Dialling], general: Automata, land: Integers, digits: Digits
) -> Digits:
    """Take off what people dial within a country, where what is left looks no worse for it."""
    rows, rest = _matched([each.trunk for each in lands], land, digits)
    before = general.accept(land[rows], digits.only(rows))
    after = general.accept(land[rows], rest)
    better = after | ~before
    return digits.with_rows(rows[better], rest.only(better))


def _matched(prefixes: Sequence[Prefix | None], which: Integers, digits: Digits) -> tuple[Integers, Digits]:
    """The numbers that begin with the prefix of their land, and what is left of them."""
    by_first = np.zeros((len(prefixes), SYMBOLS), dtype=np.int64)
    for index, prefix in enumerate(prefixes):
        if prefix is not None:
            by_first[index, :END] = prefix.taken
    taken = by_first[which, digits.digit(0)]
    rows = np.flatnonzero(taken)
    taken, which, digits = taken[rows], which[rows], digits.only(rows)
    written: dict[int, bytes] = {}
    for index, undecided in _by_land(which, np.flatnonzero(taken == MORE_DECIDES)):
        prefix = prefixes[index]
        if prefix is not None:
            _take(prefix, undecided, digits, taken, written)
    there = np.flatnonzero(taken)
    rest = digits.without(taken)
    replaced = np.array(sorted(written), dtype=np.int64)
    rest = rest.with_written(replaced, [written[row] for row in replaced.tolist()])
    return rows[there], rest.only(there)


def _by_land(which: Integers, rows: Integers) -> Iterator[tuple[int, Integers]]:
    ordered = rows[np.argsort(which[rows], kind="stable")]
    lands, begins = np.unique(which[ordered], return_index=True)
    return zip(lands.tolist(), np.split(ordered, begins[1:]), strict=False)


def _take(
    prefix: Prefix, rows: Integers, digits: Digits, taken: Integers, written: dict[int, bytes]
) -> None:
    """Ask the expression once for each beginning that differs where it looks."""
    _, first, inverse = np.unique(
        digits.only(rows).heads(prefix.reach), return_index=True, return_inverse=True
    )
    matches = [prefix.pattern.match(head) for head in digits.only(rows[first]).written(prefix.reach)]
    taken[rows] = np.array([match.end() if match else 0 for match in matches], dtype=np.int64)[inverse]
    if prefix.rule is None:
        return
    replacements = [_replacement(prefix.rule, match) for match in matches]
    for row, number in zip(rows.tolist(), inverse.tolist(), strict=True):
        replacement = replacements[number]
        if replacement is not None:
            rest = int(digits.at[row]) + int(taken[row]), int(digits.at[row]) + int(digits.count[row])
            written[row] = replacement + digits.symbols[slice(*rest)].tobytes()


def _replacement(rule: str, match: re.Match[str] | None) -> bytes | None:
    """What a match is replaced by, as symbols; None where it is only taken off."""
    if match is None or match.groups()[-1] is None:
        return None
    return bytes(ord(digit) - _ASCII_ZERO for digit in match.expand(rule))
