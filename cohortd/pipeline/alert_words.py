"""What alerts say: one message however much there is to tell, and no longer than services take."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final, TypeVar

from cohortd.alerts import Message, Mood
from cohortd.core.conditions import Condition
from cohortd.core.times import minute_of
from cohortd.ledger import Told

#: So many of a kind are told in full; how many more there are, is counted.
MOST_OF_A_KIND: Final = 5
#: Longer words about one thing are cut, and what comes behind so many is left out: Teams takes 28 kB a
#: message, Slack 35,000 characters.
_LONGEST: Final = 600
_MOST: Final = 20_000
_MORE: Final = "There is more; cohortd status lists it."
Each = TypeVar("Each")


def trouble(found: Sequence[Condition], before: Mapping[str, Told]) -> Message:
    """Say what happened, to what, since when, what to do; a paragraph each."""

    def say(each: Condition) -> str:
        told = before.get(each.key)
        still = f"Still so, since {minute_of(told.since)}. " if told and told.told_at else ""
        return f"{still}{replace(each, detail=_cut(each.detail)).sentence}"

    body = _paragraphs(found, kind=lambda each: each.kind, say=say)
    return Message(_title("needs somebody", [each.subject for each in found]), body, Mood.TROUBLE)


def over(ended: Sequence[Told]) -> Message:
    """Say what is over, and what it was."""

    def say(told: Told) -> str:
        return f"{told.subject}: over. Since {minute_of(told.since)} it was: {_cut(told.detail)}"

    body = _paragraphs(ended, kind=lambda told: told.key.partition(": ")[0], say=say)
    return Message(_title("is over", [told.subject for told in ended]), body, Mood.OVER)


def _title(what: str, subjects: Sequence[str]) -> str:
    names = list(dict.fromkeys(subjects))
    said = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    return _cut(f"cohortd: {said} {what}")


def _paragraphs(found: Iterable[Each], *, kind: Callable[[Each], str], say: Callable[[Each], str]) -> str:
    """Say the first of each kind, kind by kind, and of the others how many they are."""
    kinds: dict[str, list[Each]] = defaultdict(list)
    for each in found:
        kinds[kind(each)].append(each)
    said = []
    for name, group in kinds.items():
        said += [say(each) for each in group[:MOST_OF_A_KIND]]
        more = len(group) - MOST_OF_A_KIND
        if more > 0:
            said.append(f"{name}: and {more:,} more. cohortd status lists what stands now.")
    ends = list(accumulate(len(each) + 2 for each in said))
    fitting = [each for each, end in zip(said, ends, strict=True) if end <= _MOST]
    return "\n\n".join(fitting if len(fitting) == len(said) else [*fitting, _MORE])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\u2026"
