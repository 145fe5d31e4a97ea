"""What took long is not worked out again, and nothing but digests is remembered."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from identified import TODAY

from cohortd.core.identifiers import Family
from cohortd.identity import identify
from cohortd.identity.applying import apply_rule
from cohortd.identity.cells import Placed
from cohortd.identity.outcomes import Outcomes
from cohortd.identity.remembered import Remembered
from cohortd.identity.rules import RULES, Rule
from cohortd.identity.steps import Where

PLACES = [Where("DE", TODAY), Where("US", TODAY)]
NAME = RULES[Family.META]["first_name"]
STATE = RULES[Family.META]["state"]


def _placed(texts: Sequence[str], place: int = 0) -> Placed:
    return Placed(pa.array(texts, pa.large_string()), np.full(len(texts), place, dtype=np.int64), PLACES)


def _plainly(rule: Rule, placed: Placed) -> Outcomes:
    return apply_rule(rule, placed, hashed=False, kernel=None, memory=None)


def _as_lists(outcomes: Outcomes) -> tuple[list[bytes | None], list[str | None]]:
    return outcomes.sent.to_pylist(), outcomes.reasons.to_pylist()


def test_what_is_remembered_is_not_worked_out_again() -> None:
    asked: list[str] = []

    def work(rule: Rule, placed: Placed) -> Outcomes:
        asked.extend(placed.texts.to_pylist())
        return _plainly(rule, placed)

    memory = Remembered(64)
    memory.outcomes(NAME, _placed(["José", "-"]), work)
    memory.outcomes(NAME, _placed(["-", "Ana", "José"]), work)

    assert asked == ["José", "-", "Ana"]


@given(st.lists(st.lists(st.text(max_size=3)), max_size=6), st.sampled_from([1, 2, 8, 256]))
def test_it_gives_what_the_rules_give_however_few_slots_there_are(
    batches: list[list[str]], slots: int
) -> None:
    memory = Remembered(slots)
    for texts in batches:
        readable = [text for text in texts if text.isprintable()]
        for rule in (NAME, STATE):
            for place in range(len(PLACES)):
                placed = _placed(readable, place)

                assert _as_lists(memory.outcomes(rule, placed, _plainly)) == _as_lists(
                    _plainly(rule, placed)
                )


def test_no_value_and_no_plain_digest_of_one_is_in_the_memory() -> None:
    value = "Müllerin-Lübke"
    memory, other = Remembered(4), Remembered(4)
    memory.outcomes(NAME, _placed([value]), _plainly)
    other.outcomes(NAME, _placed([value]), _plainly)
    kept = memory._keys.tobytes()

    assert value.encode()[:4] not in kept
    assert kept != other._keys.tobytes()


@pytest.mark.parametrize("native", [True, False])
def test_a_column_is_the_same_with_and_without_memory(*, native: bool) -> None:
    texts = ["José@Straße.example", "jose@", None, "anna@example.org", "josé@b.example"] * 3
    batch = pa.record_batch({"email": texts, "first_name": texts[::-1], "birth_date": ["1990-01-02"] * 15})
    first, again, without = (
        identify(
            batch,
            Family.META,
            default_region="DE",
            hashed=frozenset(),
            today=TODAY,
            native=native,
            remember=remember,
        )
        for remember in (True, True, False)
    )

    assert first.identifiers.equals(without.identifiers)
    assert again.identifiers.equals(without.identifiers)
    assert first.dropped.equals(without.dropped)
    assert again.dropped.equals(without.dropped)


def test_what_depends_on_the_day_is_not_remembered() -> None:
    dated = [field for field, rule in RULES[Family.META].items() if rule.dated]

    assert dated == ["birth_year", "birth_month", "birth_day"]
    for field in dated:
        memory = Remembered(4)
        apply_rule(
            RULES[Family.META][field], _placed(["1990-01-02"]), hashed=False, kernel=None, memory=memory
        )

        assert not memory._keys.any()
