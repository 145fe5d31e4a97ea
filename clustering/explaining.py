"""A shallow decision tree beside the model: rules that people can check, and how far they can be trusted.

The tree decides nothing. It reads raw features and imitates the model; how often it agrees on customers
it was not grown on is its fidelity.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from clustering.conditions import Condition, condition
from clustering.effects import significant
from clustering.measuring import Points, subset
from cohortd.core.modelling import FeatureSpec, Impute

DEPTH: Final = 4
#: Customers a tree is grown on: more change no rule and cost seconds.
_MOST_CUSTOMERS: Final = 20_000
#: A rule about fewer customers is an anecdote.
_LEAST_CUSTOMERS: Final = 10
_LEAST_SHARE: Final = 0.01
_FOLDS: Final = 3
#: Rules told of a segment, those with most of its customers first.
_MOST_RULES: Final = 2
#: A second rule about fewer of a segment says little, as does one that mostly fits others.
_WORTH_TELLING: Final = 0.05
_MOSTLY_HERE: Final = 0.5
_DIGITS: Final = 3

Names = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Rule:
    """What most customers of a segment have in common; all conditions hold together."""

    conditions: tuple[Condition, ...]
    words: str
    #: Which part of those whom the rule fits are in the segment, and of the segment whom it fits.
    share: float
    covers: float


@dataclass(frozen=True, slots=True)
class Explained:
    """One segment by rules; precision and recall are of held-out customers.

    Where the tree finds no place for a small segment both are 0, and the rule is of a tree about it alone.
    """

    segment: str
    precision: float
    recall: float
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The tree of a fit; fidelity is the share of held-out customers it puts where the model does."""

    fidelity: float
    depth: int
    leaves: int
    customers: int
    segments: tuple[Explained, ...]

    def to_json(self) -> dict[str, object]:
        """JSON-ready, segments by id."""
        body = asdict(self)
        body["segments"] = {each["segment"]: each for each in body["segments"]}
        told: dict[str, object] = json.loads(json.dumps(body))  # lists, as it comes back from the ledger
        return told


def explain(sample: pd.DataFrame, labels: Sequence[str], specs: Sequence[FeatureSpec]) -> Explanation:
    """Grow a tree of at most four questions over raw features, and measure it on held-out customers.

    The same input gives the same tree.

    Args:
        sample: Raw features, one row a customer; NaN counts as the feature's imputation says.
        labels: The segment each is assigned to.
        specs: The features that may be asked for.
    """
    names = np.asarray(labels, dtype=np.str_)
    rows = subset(names, _MOST_CUSTOMERS, seed=0)
    values, names = _filled(sample.iloc[rows], specs), names[rows]
    least = max(_LEAST_CUSTOMERS, round(_LEAST_SHARE * len(names)))
    guessed = _held_out(values, names, least=least)
    tree = _grown(values, names, least=least)
    leaves = list(_leaves(tree, whole=_whole(values)))
    return Explanation(
        fidelity=round(float((guessed == names).mean()), 4),
        depth=int(tree.get_depth()),
        leaves=len(leaves),
        customers=len(names),
        segments=tuple(
            _explained(str(each), leaves, values, names, guessed=guessed, specs=specs)
            for each in np.unique(names)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A box among the raw features: feature number -> above, at most."""

    segment: str
    bounds: dict[int, tuple[float, float]]

    def fits(self, values: Points) -> NDArray[np.bool_]:
        inside = np.ones(len(values), dtype=np.bool_)
        for column, (above, at_most) in self.bounds.items():
            inside &= (values[:, column] > above) & (values[:, column] <= at_most)
        return inside


def _filled(sample: pd.DataFrame, specs: Sequence[FeatureSpec]) -> Points:
    columns = []
    for spec in specs:
        raw = (
            sample[spec.name].to_numpy(dtype=float)
            if spec.name in sample.columns
            else np.zeros(len(sample))
        )
        present = raw[np.isfinite(raw)]
        fill = float(np.median(present)) if spec.impute is Impute.MEDIAN and len(present) else 0.0
        columns.append(np.where(np.isfinite(raw), raw, fill))
    return np.stack(columns, axis=1)


def _grown(values: Points, names: Names, *, least: int) -> DecisionTreeClassifier:
    tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=least, random_state=0)
    return tree.fit(values, names)


def _held_out(values: Points, names: Names, *, least: int) -> Names:
    """What a tree grown on the other two thirds says of each third; whoever cannot be split is one fold."""
    order = np.random.default_rng(0).permutation(len(names))
    folds = [order[number::_FOLDS] for number in range(_FOLDS)]
    guessed = names.copy()
    if len(names) < _FOLDS * 2:
        return guessed
    for fold in folds:
        others = np.setdiff1d(order, fold)
        guessed[fold] = _grown(values[others], names[others], least=least).predict(values[fold])
    return guessed


def _leaves(tree: DecisionTreeClassifier, *, whole: NDArray[np.bool_]) -> Iterator[_Leaf]:
    """The boxes of a tree; branches that all end in one segment are one box.

    Args:
        tree: A grown one.
        whole: Features that are whole numbers: there 7.5 orders are 7.
    """
    grown = tree.tree_
    ends = grown.value[:, 0, :].argmax(axis=1)

    def outcomes(node: int) -> set[int]:
        left, right = int(grown.children_left[node]), int(grown.children_right[node])
        return {int(ends[node])} if left < 0 else outcomes(left) | outcomes(right)

    def walk(node: int, bounds: dict[int, tuple[float, float]]) -> Iterator[_Leaf]:
        if len(outcomes(node)) == 1:
            yield _Leaf(str(tree.classes_[next(iter(outcomes(node)))]), bounds)
            return
        column, threshold = int(grown.feature[node]), float(grown.threshold[node])
        at = _told(float(np.floor(threshold)) if whole[column] else threshold)
        above, at_most = bounds.get(column, (-np.inf, np.inf))
        yield from walk(int(grown.children_left[node]), {**bounds, column: (above, min(at_most, at))})
        yield from walk(int(grown.children_right[node]), {**bounds, column: (max(above, at), at_most)})

    yield from walk(0, {})


def _whole(values: Points) -> NDArray[np.bool_]:
    return np.asarray((values % 1 == 0).all(axis=0))


def _told(threshold: float) -> float:
    """A threshold as it is told; a rule is measured as it reads, not as it was found."""
    return significant(threshold, _DIGITS)


def _explained(
    segment: str,
    leaves: Sequence[_Leaf],
    values: Points,
    names: Names,
    *,
    guessed: Names,
    specs: Sequence[FeatureSpec],
) -> Explained:
    inside, said = names == segment, guessed == segment
    hits = int((inside & said).sum())
    own = [leaf for leaf in leaves if leaf.segment == segment]
    most = _MOST_RULES if own else 1
    own = own or _leaves_of_one(values, inside)
    told = [_rule(leaf, values, inside, specs) for leaf in own if leaf.bounds]
    told.sort(key=lambda rule: (-rule.covers * rule.share, rule.words))
    return Explained(
        segment=segment,
        precision=round(hits / max(int(said.sum()), 1), 4),
        recall=round(hits / max(int(inside.sum()), 1), 4),
        rules=tuple(rule for place, rule in enumerate(told[:most]) if not place or _is_worth(rule)),
    )


def _is_worth(second: Rule) -> bool:
    return second.covers >= _WORTH_TELLING and second.share >= _MOSTLY_HERE


def _leaves_of_one(values: Points, inside: NDArray[np.bool_]) -> list[_Leaf]:
    """The boxes of a tree that asks about one segment alone: where others are larger, theirs drown it."""
    tree = DecisionTreeClassifier(
        max_depth=DEPTH - 1, min_samples_leaf=_LEAST_CUSTOMERS, class_weight="balanced", random_state=0
    )
    return list(_leaves(tree.fit(values, inside.astype(np.str_)), whole=_whole(values)))


def _rule(leaf: _Leaf, values: Points, inside: NDArray[np.bool_], specs: Sequence[FeatureSpec]) -> Rule:
    fits = leaf.fits(values)
    both, whole = int((fits & inside).sum()), _whole(values)
    conditions = tuple(
        condition(
            specs[column],
            above=None if np.isinf(above) else above,
            at_most=None if np.isinf(at_most) else at_most,
            whole=bool(whole[column]),
        )
        for column, (above, at_most) in leaf.bounds.items()
    )
    return Rule(
        conditions=conditions,
        words=_listed([each.words for each in conditions]),
        share=round(both / max(int(fits.sum()), 1), 4),
        covers=round(both / max(int(inside.sum()), 1), 4),
    )


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
