"""Three of the mutants; all of them: ``python -m tests.evidence mutants``."""

from dataclasses import replace

import pytest

from tests.evidence.mutants import mutate
from tests.evidence.mutations import EVERYDAY, MUTATIONS
from tests.evidence.points import nothing
from tests.evidence.records import ROOT, BrokenLawError


def test_three_breaks_of_the_protocol_are_noticed() -> None:
    outcome = mutate(runs=None, seed=1, progress=nothing, mutations=[MUTATIONS[i] for i in EVERYDAY])

    assert outcome.counts["caught"] == len(EVERYDAY)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_text_that_a_mutant_breaks_is_there(mutation: object) -> None:
    assert mutation.before in (ROOT / mutation.path).read_text(encoding="utf-8")
    assert all((ROOT / path).exists() for path in mutation.tests)


def test_a_mutant_whose_text_is_gone_is_an_error() -> None:
    gone = replace(MUTATIONS[0], before="no such text")

    with pytest.raises(BrokenLawError, match="not there"):
        mutate(runs=None, seed=1, progress=nothing, mutations=[gone])
