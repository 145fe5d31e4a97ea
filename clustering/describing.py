"""Names and descriptions out of what sets a segment apart."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from clustering.advising import hint
from clustering.measuring import Points
from clustering.phrases import Clause, Kind, clause_for
from clustering.wording import sensitive_words
from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec

#: Deviations from the average customer from which a feature is worth a word.
_TELLING = 0.5
#: A description stays while what it says is still this true: it should not flicker.
_STILL_TRUE = 0.35
_NAME_WORDS = 2
_CLAUSES = 3
_TYPICAL = "Typical customers"
_AVERAGE = "Close to the average customer in everything measured."


def names_for(
    centroids: Mapping[str, Points],
    specs: Sequence[FeatureSpec],
    *,
    known: Mapping[str, str],
    given: Mapping[str, str],
) -> dict[str, str]:
    """Name every segment: what people gave, else the name it has, else one made of its strongest features.

    Args:
        centroids: Segment id -> its centroid in prepared units, in the order of *specs*.
        specs: The features of the centroids.
        known: Names of all segments of the previous model; those are never given to another.
        given: Names people gave, by segment id.

    Raises:
        SettingsError: Two segments would carry one name.
    """
    names = {each: given.get(each) or known.get(each, "") for each in centroids}
    taken = {name.casefold() for name in (*known.values(), *given.values())}
    for each, centroid in centroids.items():
        if not names[each]:
            names[each] = next(name for name in _proposals(centroid, specs) if name.casefold() not in taken)
            taken.add(names[each].casefold())
    _refuse_twins(names)
    return names


def description_of(centroid: Points, specs: Sequence[FeatureSpec]) -> str:
    """One sentence of at most three things that set the segment apart."""
    clauses = [clause for _, clause in _telling(centroid, specs)][:_CLAUSES]
    verbs = [clause.words for clause in clauses if clause.kind is Kind.VERB]
    manners = [clause.words for clause in clauses if clause.kind is Kind.MANNER]
    plain = [clause.words for clause in clauses if clause.kind is Kind.PLAIN]
    if not clauses:
        return _AVERAGE
    if not verbs and manners:
        verbs, manners = [f"shops {manners[0]}"], manners[1:]
    lead, rest = verbs[:2], [*verbs[2:], *manners, *plain]
    if not lead:
        lead, rest = rest[:2], rest[2:]
    sentence = "; ".join(part for part in (" and ".join(lead), ", ".join(rest)) if part)
    return f"{sentence[0].upper()}{sentence[1:]}."


def hint_of(centroid: Points, specs: Sequence[FeatureSpec]) -> str:
    """One sentence of what to say to the segment, and what not."""
    return hint((specs[number].name, bool(centroid[number] > 0)) for number, _ in _telling(centroid, specs))


def still_describes(before: Points, after: Points, specs: Sequence[FeatureSpec]) -> bool:
    """Whether what was told of a segment at *before* still holds at *after*."""
    told = [number for number, _ in _telling(before, specs)][:_CLAUSES]
    if not told:
        return not _telling(after, specs)
    return all(after[number] * np.sign(before[number]) >= _STILL_TRUE for number in told)


def _proposals(centroid: Points, specs: Sequence[FeatureSpec]) -> Iterator[str]:
    """Ever longer names, then numbered ones: the last never run out."""
    words = _name_words(centroid, specs)
    for count in range(min(_NAME_WORDS, len(words)), len(words) + 1):
        yield _titled(words[:count])
    for number in range(2, 1_000_000):
        yield f"{_titled(words[:_NAME_WORDS])} {number}"


def _titled(words: Sequence[str]) -> str:
    name = ", ".join(words) or _TYPICAL
    return f"{name[0].upper()}{name[1:]}"


def _name_words(centroid: Points, specs: Sequence[FeatureSpec]) -> list[str]:
    """The words of the strongest features, one a theme, none sensitive."""
    words: dict[str, None] = {}
    for number, _ in _telling(centroid, specs):
        word = specs[number].high_word if centroid[number] > 0 else specs[number].low_word
        if word and not sensitive_words(word):
            words[word] = None
    return list(words)


def _telling(centroid: Points, specs: Sequence[FeatureSpec]) -> list[tuple[int, Clause]]:
    """The features that set a segment apart, strongest first, one a theme, none sensitive."""
    found: dict[str, tuple[int, Clause]] = {}
    for number in np.argsort(-np.abs(centroid), kind="stable"):
        z = float(centroid[number])
        clause = clause_for(specs[number], z)
        if abs(z) >= _TELLING and not sensitive_words(f"{clause.words} {specs[number].name}"):
            found.setdefault(clause.theme, (int(number), clause))
    return list(found.values())


def _refuse_twins(names: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for each, name in names.items():
        other = seen.setdefault(name.casefold(), each)
        if other != each:
            raise SettingsError(
                f"segments {other} and {each} would both be named {name!r}; name one otherwise"
            )
