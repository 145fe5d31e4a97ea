"""Which audiences everybody belongs to, by small codes."""

import numpy as np
import pandas as pd
import pytest

from cohortd.pipeline.belonging import Belonging, Division, nowhere, together


@pytest.fixture
def belonging() -> Belonging:
    segments = Division(("s1", "s4"), np.array([0, 1, -1], dtype=np.int16))
    rule = Division(("rule-a",), np.array([0, -1, -1], dtype=np.int16))
    other = Division(("rule-b",), np.array([0, -1, 0], dtype=np.int16))
    return Belonging(pd.Index(["ann", "bob", "cem"]), (segments, rule, other))


def test_every_audience_is_named(belonging: Belonging) -> None:
    assert belonging.audiences == ("s1", "s4", "rule-a", "rule-b")


def test_customers_are_found_in_the_order_asked_for_and_strangers_are_nowhere(belonging: Belonging) -> None:
    found = belonging.of(["cem", "who", "ann"])

    assert [division.named().tolist() for division in found] == [
        ["", "", "s1"],
        ["", "", "rule-a"],
        ["rule-b", "", "rule-b"],
    ]
    assert nowhere(found, 3).tolist() == [False, True, False]
    assert together(found, 3) == ["rule-b", "", "s1 rule-a rule-b"]


def test_where_nobody_is_in_any_everybody_is_nowhere() -> None:
    empty = Belonging(pd.Index([], dtype=str), (Division(("s1",), np.array([], dtype=np.int16)),))

    assert nowhere(empty.of(["ann"]), 1).tolist() == [True]
