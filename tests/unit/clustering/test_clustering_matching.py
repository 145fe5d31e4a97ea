import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clustering.matching import match


def labels(*runs: tuple[int, int]) -> np.ndarray:
    return np.concatenate([np.full(count, label) for label, count in runs]).astype(np.intp)


def test_renumbered_groups_are_recognised() -> None:
    before = labels((0, 40), (1, 30), (2, 30))
    after = labels((2, 40), (0, 30), (1, 30))

    assert match(before, after, old=3, new=3).kept == {2: 0, 0: 1, 1: 2}


def test_half_of_a_group_that_left_is_a_split() -> None:
    matching = match(labels((0, 100)), labels((0, 60), (1, 40)), old=1, new=2)

    assert matching.kept == {0: 0}
    assert matching.splits == {1: (0, 1.0)}


def test_a_group_that_went_into_another_is_merged() -> None:
    matching = match(labels((0, 60), (1, 40)), labels((0, 100)), old=2, new=1)

    assert matching.kept == {0: 0}
    assert matching.merges == {1: (0, 1.0)}


def test_new_customers_are_born() -> None:
    matching = match(labels((0, 50), (-1, 50)), labels((0, 50), (1, 50)), old=1, new=2)

    assert matching.births == (1,)
    assert matching.splits == {}


def test_a_group_whose_customers_went_everywhere_has_died() -> None:
    before = labels((0, 100), (1, 100), (2, 100), (3, 30))
    after = labels((0, 100), (1, 100), (2, 100), (0, 10), (1, 10), (2, 10))

    matching = match(before, after, old=4, new=3)

    assert matching.deaths == (3,)
    assert matching.merges == {}


def test_a_small_group_found_whole_inside_its_match_is_the_same() -> None:
    matching = match(labels((0, 20), (-1, 180)), labels((0, 200)), old=1, new=1)

    assert matching.kept == {0: 0}


def test_everything_is_born_where_nothing_was() -> None:
    assert match(labels((-1, 10)), labels((0, 5), (1, 5)), old=0, new=2).births == (0, 1)


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 3)), min_size=1, max_size=60))
def test_every_group_has_exactly_one_fate(pairs) -> None:
    before, after = (np.array(side, dtype=np.intp) for side in zip(*pairs, strict=True))

    matching = match(before, after, old=5, new=4)

    new = [*matching.kept, *matching.splits, *matching.births]
    old = [*matching.kept.values(), *matching.merges, *matching.deaths]
    assert sorted(new) == list(range(4))
    assert sorted(old) == list(range(5))
