"""Which group of today is which segment of yesterday, told by the customers they share."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from clustering.measuring import Labels, Points

#: A pair is the same segment at this Jaccard index, or when half of either lies in the other.
_SAME_JACCARD = 0.3
_SAME_CONTAINED = 0.5
#: A new group is a split when this share of it had one parent, and that share of the parent came.
_SPLIT_FROM_PARENT = 0.5
_SPLIT_OF_PARENT = 0.25
_MERGED_INTO = 0.5
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Matching:
    """What became of every group: rows of the new fit against rows of the old one."""

    #: New row -> the old row whose identity it carries on.
    kept: dict[int, int]
    #: New row -> (old parent row, share of the new group that was the parent's).
    splits: dict[int, tuple[int, float]]
    births: tuple[int, ...]
    #: Old row -> (new row most of it went to, share of the old group that went).
    merges: dict[int, tuple[int, float]]
    deaths: tuple[int, ...]


def match(
    before: Labels,
    after: Labels,
    *,
    old: int,
    new: int,
    alike: NDArray[np.bool_] | None = None,
    fixed: Mapping[int, int] | None = None,
) -> Matching:
    """Carry identities over by overlap: Jaccard, assigned for the greatest sum.

    Args:
        before: Old row of each customer, -1 where it had none.
        after: New row of the same customers.
        old: How many old rows there are.
        new: How many new rows there are.
        alike: Which old row (first index) may go on as which new one; left out, any as any.
        fixed: New row -> the old row that it goes on whatever its customers do.
    """
    if not old:
        return Matching({}, {}, tuple(range(new)), {}, ())
    shared = _contingency(before, after, old=old, new=new)
    old_sizes, new_sizes = shared.sum(axis=1), shared.sum(axis=0)
    of_old = shared / np.maximum(old_sizes, 1)[:, None]
    of_new = shared / np.maximum(new_sizes, 1)[None, :]
    jaccard = shared / np.maximum(old_sizes[:, None] + new_sizes[None, :] - shared, 1)
    may = np.ones(shared.shape) if alike is None else alike.astype(np.float64)
    fixed = dict(fixed or {})
    may[list(fixed.values()), :], may[:, list(fixed)] = 0.0, 0.0
    kept = _same(jaccard * may, np.maximum(of_old, of_new) * may) | fixed
    fresh = [row for row in range(new) if row not in kept]
    gone = [row for row in range(old) if row not in kept.values()]
    splits = _splits(fresh, of_old, of_new)
    merges = {
        row: (int(of_old[row].argmax()), float(of_old[row].max()))
        for row in gone
        if of_old[row].max() >= _MERGED_INTO
    }
    return Matching(
        kept=kept,
        splits=splits,
        births=tuple(row for row in fresh if row not in splits),
        merges=merges,
        deaths=tuple(row for row in gone if row not in merges),
    )


def _splits(fresh: list[int], of_old: Points, of_new: Points) -> dict[int, tuple[int, float]]:
    found = {}
    for row in fresh:
        parent = int(of_new[:, row].argmax())
        share = float(of_new[parent, row])
        if share >= _SPLIT_FROM_PARENT and of_old[parent, row] >= _SPLIT_OF_PARENT:
            found[row] = (parent, share)
    return found


def _contingency(before: Labels, after: Labels, *, old: int, new: int) -> NDArray[np.int64]:
    known = before != _NOBODY
    counts = np.bincount(before[known] * new + after[known], minlength=old * new)
    return counts.reshape(old, new).astype(np.int64)


def _same(jaccard: Points, contained: Points) -> dict[int, int]:
    rows, columns = linear_sum_assignment(jaccard, maximize=True)
    return {
        int(column): int(row)
        for row, column in zip(rows, columns, strict=True)
        if jaccard[row, column] >= _SAME_JACCARD or contained[row, column] >= _SAME_CONTAINED
    }
