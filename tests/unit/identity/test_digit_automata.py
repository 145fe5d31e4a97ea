import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortd.identity.digit_automata import Positions, automaton
from cohortd.identity.digit_patterns import UnknownPatternError, longest, parsed
from cohortd.identity.phone_digits import Automata, Digits

atoms = st.one_of(st.sampled_from(["0", "1", "2", r"\d", "[01]", "[1-9]", "[02-4]"]))
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:%s|%s)".__mod__),
        st.tuples(inner, inner, inner).map("(%s|%s%s)".__mod__),
        inner.map("(?:{})?".format),
        inner.map("(?:{}){{2}}".format),
        inner.map("(?:{}){{0,2}}".format),
    ),
    max_leaves=6,
)


def accepted(pattern: str, texts: list[str]) -> list[bool]:
    positions = Positions()
    language = positions.language(pattern)
    found = automaton(positions, language.longest, lambda state, _: bool(state & language.last))
    symbols = np.frombuffer("".join(texts).encode(), dtype=np.uint8) - ord("0")
    digits = Digits.of(symbols, np.array([len(text) for text in texts], dtype=np.int64))
    return Automata.of([found]).accept(np.zeros(len(texts), dtype=np.int64), digits).tolist()


@given(pattern=patterns, texts=st.lists(st.text("01234", min_size=1, max_size=10), min_size=1))
@settings(deadline=None)
def test_an_automaton_accepts_what_the_expression_matches(pattern: str, texts: list[str]) -> None:
    assert accepted(pattern, texts) == [re.fullmatch(pattern, text) is not None for text in texts]


def test_several_automata_share_one_table() -> None:
    positions = [Positions(), Positions()]
    languages = [each.language(pattern) for each, pattern in zip(positions, ["12?", "2[13]"], strict=True)]
    found = [
        automaton(each, 2, lambda state, _, last=language.last: bool(state & last))
        for each, language in zip(positions, languages, strict=True)
    ]
    digits = Digits.of(np.array([1, 1, 2, 2, 1, 2, 1], dtype=np.uint8), np.array([1, 2, 2, 2]))

    assert Automata.of(found).accept(np.array([0, 0, 1, 0]), digits).tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    "pattern", ["1+", "1*", "a", ".", "1{2,}", "(?=1)", "(1", "1)", r"\s", "[^1]", r"(1)\1"]
)
def test_another_form_of_expression_is_refused(pattern: str) -> None:
    with pytest.raises(UnknownPatternError):
        parsed(pattern)


def test_the_longest_match_counts_every_repeat() -> None:
    assert longest(parsed(r"0?(?:1\d{2,3}|2)(?:34){2}$")) == 9
