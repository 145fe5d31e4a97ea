"""Whether sending everybody anew takes fewer requests than the difference.

It does where most of an audience leaves, as after a clustering that cut everything anew: everybody who
stays is sent, and the platform forgets the others, instead of being told each of them. The same people
come and leave either way, so the guards look at the same numbers.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cohortd.core.modelling import Segment
from cohortd.core.planning import Delta, Target
from cohortd.pipeline.wiring import Destination, Pipeline, Resyncing

#: In one session of Meta's; it has 90 minutes, and revocations have to wait for its end.
_MOST_PARTS: Final = 60
#: A session makes revocations wait for its end, and an audience of one batch would save a request at
#: every sync.
_LEAST_SAVED: Final = {Resyncing.SWEEP: 1, Resyncing.SESSION: 2}


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests the two ways take."""

    difference: int
    everybody: int

    @property
    def saved(self) -> int:
        """How many fewer the second one takes."""
        return self.difference - self.everybody


def cheaper_replaced(
    pipeline: Pipeline,
    deltas: Mapping[Target, Delta],
    *,
    held: Collection[Target],
    waiting: Collection[Target],
    wanted: Callable[[Target], bool],
) -> dict[Target, Requests]:
    """Choose the targets to replace, where the settings let it and nothing stands against it.

    Args:
        held: Targets that get no new members; nobody would be sent anew there.
        waiting: Targets whose members have other digests, which follow over days: the platform would
            forget the old ones at once.
        wanted: Whether a sync is about a target.
    """
    resyncs = pipeline.ledger.resyncs
    open_yet = resyncs.unsettled(pipeline.clock()).union(resyncs.targets())
    chosen = {}
    for target, delta in deltas.items():
        destination = pipeline.destinations[target.destination]
        if not destination.replaces_when_cheaper or not (delta.removes and delta.eligible):
            continue
        if target in held or target in waiting or target in open_yet or not wanted(target):
            continue
        requests = _requests(destination, delta)
        if requests is not None and requests.saved >= _LEAST_SAVED[destination.resyncing]:
            chosen[target] = requests
    return chosen


def choice_notes(chosen: Mapping[Target, Requests], segments: Iterable[Segment]) -> list[str]:
    """Say what was chosen, for people."""
    names = {segment.id: segment.name for segment in segments}
    return [
        f"{names.get(target.audience, target.audience)} on {target.destination}: everybody who stays is"
        f" sent anew and the platform forgets the others; that takes {_counted(requests.everybody)}"
        f" instead of {requests.difference:,}"
        for target, requests in sorted(
            chosen.items(), key=lambda item: (item[0].destination, item[0].audience)
        )
    ]


def _requests(destination: Destination, delta: Delta) -> Requests | None:
    size = destination.connector.limits.rows_per_batch
    adds, refreshes = _parts(delta.adds, size), _parts(delta.refreshes, size)
    difference = adds + refreshes + _parts(delta.removes, size)
    everybody = _parts(delta.eligible, size)
    match destination.resyncing:
        case Resyncing.SWEEP:
            return Requests(difference, everybody + 1)  # and one to forget the others
        case Resyncing.SESSION if everybody <= _MOST_PARTS:
            return Requests(difference, everybody)
        case _:
            return None


def _counted(requests: int) -> str:
    return "1 request" if requests == 1 else f"{requests:,} requests"


def _parts(members: int, size: int) -> int:
    return -(-members // size)
