"""Where a platform's word about an audience parts from the ledger's, and what to do about it.

No platform tells who is in an audience, and its size is no count of ours: it says how many it
recognized, rounds, hides small numbers and takes days. So nothing is said of sizes below
``SMALLEST``; the ledger's numbers of the last days (``SETTLES_IN``) all count as possible; an audience
is measured by its own past, by the share of our members that the platform used to show; and what a
size says must last (``LASTS_FOR``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from cohortd.core.delivery import Flag, RemoteStatus
from cohortd.core.planning import Target
from cohortd.ledger import Reading, Remote
from cohortd.pipeline.wiring import Pipeline

#: Below this many people platforms round coarsely, or say nothing.
SMALLEST: Final = 1_000
#: Google shows new members after one to two days, Meta within one.
SETTLES_IN: Final = timedelta(days=3)
#: What a size says must have been so for about a day: platforms count anew, and err meanwhile.
LASTS_FOR: Final = timedelta(hours=20)
#: The past by which an audience is measured, and fewest readings of it.
USUAL_IN: Final = timedelta(days=90)
_ENOUGH: Final = 3
#: One member may be several accounts at a platform, of several e-mails; more than this is somebody else.
_PER_MEMBER: Final = 2
_HALF: Final = 0.5
_STRANGERS_CURE: Final = (
    "Look who else writes to it: another tool, or people by hand. cohortd sync --replace sends everybody"
    " anew, and Google's Data Manager and Meta then forget all others."
)
_SHRUNK_CURE: Final = (
    "Look at its history in the ad manager, whether somebody emptied it; cohortd sync --replace sends"
    " everybody anew."
)
_FLAGS: Final[Mapping[Flag, tuple[str, bool]]] = {
    Flag.GONE: ("the platform does not show it any more", True),
    Flag.CLOSED: ("it was closed on the platform: nobody is added", True),
    Flag.UNUSED: ("no campaign has used it for long", False),
    Flag.EXPIRING: ("nobody uses it, and the platform is going to delete it", True),
    Flag.FLAGGED: ("the platform flagged its name or description", True),
    Flag.UNUSABLE: ("the platform calls it unusable", True),
    Flag.FOREIGN: ("it belongs to another account", True),
    Flag.OTHER_FIELDS: ("it takes no contact fields", True),
    Flag.LOW_MATCH: ("the platform recognizes few of its members", False),
    Flag.INVALID_ENTRIES: ("the platform found many invalid entries in the last upload", False),
}


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as the ledger has it."""

    #: A flag, or more_than_sent, shrunk, duration, renamed, edited, unmarked, unread.
    kind: str
    sentence: str
    cure: str = ""
    needs_person: bool = False


def drifts_of(pipeline: Pipeline, *, of_paused: bool = False) -> Mapping[Target, Sequence[Drift]]:
    """Find them by what was read last; where there are none, the target is left out.

    Args:
        of_paused: Also of paused audiences, of which their pause is told already.
    """
    left_out = {"retired"} if of_paused else {"retired", "paused"}
    now = pipeline.clock()
    readings = pipeline.ledger.readings.since(now - USUAL_IN)
    found: dict[Target, Sequence[Drift]] = {}
    for remote in pipeline.ledger.remotes.all():
        destination = pipeline.destinations.get(remote.target.destination)
        if destination is None or remote.state in left_out:
            continue
        drifts = find(remote, readings.get(remote.id, ()), days=destination.membership_days, now=now)
        if drifts:
            found[remote.target] = drifts
    return found


def sentences(drifts: Mapping[Target, Sequence[Drift]]) -> list[str]:
    """Say to people what somebody must look at."""
    return [
        f"{target.audience} on {target.destination}: {drift.sentence}. {drift.cure}".rstrip()
        for target, each in drifts.items()
        for drift in each
        if drift.needs_person
    ]


def find(remote: Remote, readings: Sequence[Reading], *, days: int | None, now: datetime) -> list[Drift]:
    """Compare one audience's readings with what the ledger has.

    Args:
        remote: The audience.
        readings: Oldest first.
        days: For how long a member is to stay by the settings; None for ever.
        now: The time.
    """
    if not readings:
        return []
    newest = readings[-1]
    if now - newest.at > SETTLES_IN:
        return [Drift("unread", f"the platform has not told of it since {newest.at:%Y-%m-%d}")]
    return [
        *_of_flags(newest),
        *_of_sizes(readings),
        *_of_duration(newest.status, days),
        *_of_edits(remote, readings),
    ]


def usual_share(readings: Sequence[Reading]) -> float | None:
    """Give the share of our members that a platform used to show; None where there is no past yet."""
    shares = [
        size / reading.confirmed
        for reading in readings
        if reading.confirmed >= SMALLEST and (size := middle(reading.status)) is not None
    ]
    return median(shares) if len(shares) >= _ENOUGH else None


def middle(status: RemoteStatus) -> float | None:
    """Give one number for a size that is a range; None where the platform hides it."""
    if status.size_lower is None or status.size_upper is None:
        return None
    return (status.size_lower + status.size_upper) / 2


def _of_flags(reading: Reading) -> list[Drift]:
    status = reading.status
    found = []
    for flag in status.flags:
        if flag not in _FLAGS or (flag is Flag.CLOSED and not reading.held):
            continue  # too small is no drift; closing what is empty is what one does with it
        sentence, needs_person = _FLAGS[flag]
        on = f" on {status.deleted_at}" if flag is Flag.EXPIRING and status.deleted_at else ""
        found.append(Drift(flag.value, f"{sentence}{on}", status.cure, needs_person))
    return found


def _of_sizes(readings: Sequence[Reading]) -> list[Drift]:
    earlier = [reading for reading in readings if reading.at <= readings[-1].at - LASTS_FOR]
    then = {drift.kind for drift in _of_last_size(earlier)} if earlier else set()
    return [drift for drift in _of_last_size(readings) if drift.kind in then]


def _of_last_size(readings: Sequence[Reading]) -> list[Drift]:
    newest = readings[-1]
    lower, upper = newest.status.size_lower, newest.status.size_upper
    if lower is None or upper is None:
        return []
    settled = newest.at - SETTLES_IN
    before = [reading for reading in readings if reading.at < settled]
    # The last one before counts too: what it says held until the next.
    lately = [*before[-1:], *(reading for reading in readings if reading.at >= settled)]
    most, fewest = max(each.held for each in lately), min(each.confirmed for each in lately)
    # Without a reading from before nobody knows what was there three days ago.
    if before and lower > _PER_MEMBER * most + SMALLEST:
        told = f"at least {lower:,} people are in it, and at most {most:,} were sent lately"
        return [Drift("more_than_sent", told, _STRANGERS_CURE, needs_person=True)]
    usual = usual_share(before)
    expected = fewest * usual if usual is not None else 0.0
    if expected >= SMALLEST and upper < _HALF * expected:
        told = f"at most {upper:,} people are in it, where {expected:,.0f} are usual for {fewest:,} members"
        return [Drift("shrunk", told, _SHRUNK_CURE, needs_person=True)]
    return []


def _of_duration(status: RemoteStatus, days: int | None) -> list[Drift]:
    """Whoever is forgotten sooner than we send them again is lost for a while."""
    kept = status.membership_days
    if not kept or (days is not None and kept >= days):
        return []
    wanted = f"{days:,} days" if days is not None else "for ever"
    return [
        Drift(
            "duration",
            f"the platform keeps members for {kept:,} days, and by the settings it is {wanted}",
            f"Set its membership duration in the ad manager to what the settings say, or the settings to"
            f" {kept:,} days, so that members are sent again in time.",
            needs_person=True,
        )
    ]


def _of_edits(remote: Remote, readings: Sequence[Reading]) -> list[Drift]:
    status = readings[-1].status
    found = []
    if status.name is not None and not re.fullmatch(rf"{re.escape(remote.name)}( \(\d+\))?", status.name):
        found.append(
            Drift("renamed", f"it is called {status.name!r} on the platform, and here {remote.name!r}")
        )
    if status.marked is False:
        told = "our marker was taken off it: should the ledger be lost, nobody would know it as ours"
        found.append(Drift("unmarked", told))
    elif _was_edited([each.status.description for each in readings]):
        found.append(Drift("edited", "its description was changed on the platform"))
    return found


def _was_edited(descriptions: Sequence[str | None]) -> bool:
    """Whether it was another one before: nobody here changes it once it was made."""
    told = [each for each in descriptions if each is not None]
    return descriptions[-1] is not None and told[0] != told[-1]
