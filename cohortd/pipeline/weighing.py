"""What of a comparison is to be done, where, and in which of two ways."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from cohortd.core.modelling import Segment
from cohortd.core.planning import Delta, Target
from cohortd.pipeline import resyncing
from cohortd.pipeline.choosing import Requests, cheaper_replaced
from cohortd.pipeline.holding import hold
from cohortd.pipeline.retiring import left_as_they_are
from cohortd.pipeline.wiring import Pipeline


@dataclass(frozen=True, slots=True)
class Weighed:
    """The difference a target, and what is done about it."""

    #: Of every target, those that are no part of the plan too.
    compared: Mapping[Target, Delta]
    deltas: Mapping[Target, Delta]
    #: Why a target gets no new members.
    held: Mapping[Target, str]
    #: Targets whose segment is gone and whose members stay where they are.
    left: frozenset[Target]
    #: Targets whose members are replaced, since that takes fewer requests.
    replaced: Mapping[Target, Requests]


def weigh(
    pipeline: Pipeline,
    compared: Mapping[Target, Delta],
    segments: Collection[Segment],
    *,
    waiting: Collection[Target],
    may_replace: Callable[[Target], bool],
    compare: Callable[[Collection[Target]], Mapping[Target, Delta]],
) -> Weighed:
    """Say where nothing is done, where nobody is added, and where all are replaced.

    Args:
        waiting: Targets whose members follow new rules of normalization.
        may_replace: Targets that may be replaced where that is cheaper.
        compare: Compares once more, with everybody of these targets sent again.
    """
    left = left_as_they_are(pipeline, segments, compared)
    deltas = _of_plan(pipeline, compared, left)
    held = hold(pipeline, segments, deltas)
    replaced = cheaper_replaced(pipeline, deltas, held=held, waiting=waiting, wanted=may_replace)
    anew = [target for target in replaced if resyncing.is_sent_anew(pipeline, target)]
    if anew:
        deltas = _of_plan(pipeline, compare(anew), left)
    return Weighed(compared, deltas, held, left, replaced)


def _of_plan(
    pipeline: Pipeline, compared: Mapping[Target, Delta], left: Collection[Target]
) -> dict[Target, Delta]:
    """Leave out where nothing can be sent, since the destination is no longer set, or is to be."""
    return {
        target: delta
        for target, delta in compared.items()
        if target.destination in pipeline.destinations and target not in left
    }
