"""Counts, times and codes turned into words; no markup, so that every face can use them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from cohortd.core.consenting import Reason
from cohortd.core.movement import SHOWN_FROM
from cohortd.core.reporting import AudienceReport, RunReport
from cohortd.core.times import parse_time

_REASONS: Final[Mapping[str, str]] = {
    Reason.NO_SEGMENT: "in no segment: not active lately",
    Reason.REVOKED: "took consent back",
    Reason.DENIED: "said no",
    Reason.NO_CONSENT: "gave no consent",
    Reason.NO_IDENTIFIER: "without a contact field this platform can match",
    Reason.IDENTIFIER_REVOKED: "with a contact field of somebody who took consent back",
    Reason.SEGMENT_HELD: "in a segment that is held back",
    Reason.OVER_LIMIT: "over the destination's member limit",
}
_PLATFORMS: Final[Mapping[str, str]] = {
    "google_data_manager": "Data Manager",
    "google_ads": "Google Ads",
    "meta": "Meta",
    "csv_drop": "files for upload by hand",
}
_STATUSES: Final[Mapping[str, str]] = {
    "done": "Done",
    "partial": "Partly done",
    "stopped": "Stopped by a guard",
    "failed": "Failed",
}
#: Runs that send nothing: what they say is what would happen.
_SENDS_NOTHING: Final = frozenset({"plan", "recluster"})
#: What stands where there is no number.
ABSENT: Final = "\N{EN DASH}"
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
#: Below this many seconds, tenths matter.
_BRIEF: Final = 10


def counted(number: int, one: str, many: str = "") -> str:
    """Say how many: ``1 person``, ``1,204 people``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def people(number: int) -> str:
    """Say how many people."""
    return counted(number, "person", "people")


def few(number: int) -> str:
    """Write how many, but not exactly where it is fewer than ten: that may point at somebody."""
    return f"fewer than {SHOWN_FROM}" if 0 < number < SHOWN_FROM else f"{number:,}"


def listed(words: Iterable[str]) -> str:
    """Join words as a sentence does: ``a, b and c``."""
    *most, last = list(words) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def came_and_went(came: int, went: int, *, planned: bool = False) -> str:
    """Say who came and went: ``1,204 people came, 87 left``; planned, who would."""
    come, leave, none = (
        ("would come", "would leave", "nobody would come or leave")
        if planned
        else ("came", "left", "nobody came or left")
    )
    if came and went:
        return f"{people(came)} {come}, {went:,} {leave}"
    if came:
        return f"{people(came)} {come}"
    return f"{people(went)} {leave}" if went else none


def reason_words(reason: str) -> str:
    """Say why customers are left out, to follow a count of one or many: ``gave no consent``."""
    return _REASONS.get(reason) or plain(reason)


def left_out(reasons: Mapping[str, int]) -> list[tuple[int, str]]:
    """Say who is left out and why, most first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return [(number, reason_words(reason)) for reason, number in ordered if number]


def not_accepted(rejected: int, reasons: Mapping[str, int]) -> str:
    """Say how many the platform did not take and why, in its words; empty when it took all."""
    if not rejected:
        return ""
    if len(reasons) == 1:
        return f"{rejected:,} not accepted: {plain(*reasons)}."
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{number:,} {plain(reason)}" for reason, number in ordered]
    return f"{rejected:,} not accepted{': ' if parts else ''}{listed(parts)}."


def platform_name(platform: str) -> str:
    """Name a platform as its users do."""
    return _PLATFORMS.get(platform) or plain(platform)


def status_words(status: str) -> str:
    """Name a run's outcome."""
    return _STATUSES.get(status) or plain(status).capitalize()


def plain(code: str) -> str:
    """Make a code readable: underscores become spaces."""
    return code.replace("_", " ").strip()


def share(part: float | None) -> str:
    """Write a share as percent; absent is a dash, and a small one is not rounded down to nothing."""
    if part is None:
        return ABSENT
    percent = part * 100
    if 0 < percent < 0.1:  # noqa: PLR2004 - what one decimal can show
        return "under 0.1%"
    return f"{percent:.1f}%"


def lasting(seconds: float | None) -> str:
    """Write a duration with at most two units: ``4.2 s``, ``3 min 5 s``, ``2 h 14 min``, ``1 d 3 h``."""
    if seconds is None:
        return ABSENT
    if seconds < _BRIEF:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, lower, lower_name in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // lower
            return f"{whole // unit} {name}" + (f" {rest} {lower_name}" if rest else "")
    return f"{whole} s"


def moment(text: str, *, seconds: bool = False) -> str:
    """Write an ISO time for people, in UTC; what is no time stays as it is."""
    try:
        at = parse_time(text)
    except ValueError:
        return text
    return f"{at.day} {at:%b %Y, %H:%M:%S}" if seconds else f"{at.day} {at:%b %Y, %H:%M}"


def instant(text: str) -> str:
    """Write an ISO time for the record: UTC to the second, in text order."""
    try:
        return f"{parse_time(text):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return text


def between(start: str, end: str) -> float | None:
    """Seconds from one ISO time to another; None where either is no time."""
    try:
        return (parse_time(end) - parse_time(start)).total_seconds()
    except ValueError:
        return None


def day(at: datetime) -> str:
    """Write a date for people: ``4 Sep 2017``."""
    return f"{at.day} {at:%b %Y}"


def is_planned(report: RunReport) -> bool:
    """Whether the run's numbers say what would happen, since nothing was sent."""
    return report.kind in _SENDS_NOTHING or report.status == "stopped"


def movement(audience: AudienceReport, *, planned: bool) -> tuple[int, int]:
    """Who came and who went, or with *planned* who would."""
    return (audience.adds, audience.removes) if planned else (audience.added, audience.removed)


def headline(report: RunReport) -> str:
    """Say in one or two sentences what the run did.

    Counts are of additions and removals, not of people: one person may be in several places.
    """
    planned = is_planned(report)
    moves = [movement(audience, planned=planned) for audience in report.audiences]
    came, went = sum(move[0] for move in moves), sum(move[1] for move in moves)
    if report.status == "failed":
        return "The run failed before it was through."
    changes, is_one = _changes(came, went), came + went == 1
    if report.status == "stopped":
        waiting = f"{changes} {'waits' if is_one else 'wait'} for approval"
        return f"A guard stopped the run{': ' + waiting if changes else ' before there was a plan'}."
    if report.kind == "recluster":
        return "The customers were clustered anew. Nothing was sent."
    if not changes:
        return "Nothing would change: every audience is as it should be." if planned else _calm(report)
    where = _places(report.audiences)
    if planned:
        return f"A sync would make {changes} in {where}."
    return f"{changes} {'was' if is_one else 'were'} made in {where}{_rest(report)}."


def _calm(report: RunReport) -> str:
    rest = _rest(report)
    return f"Nobody came or left{rest}." if rest else "Nothing to do: every audience is as it should be."


def _changes(came: int, went: int) -> str:
    parts = [counted(came, "addition")] if came else []
    parts += [counted(went, "removal")] if went else []
    return listed(parts)


def _places(audiences: Iterable[AudienceReport]) -> str:
    told = list(audiences)
    names = sorted({audience.destination for audience in told})
    return f"{counted(len({audience.audience for audience in told}), 'audience')} on {listed(names)}"


def _rest(report: RunReport) -> str:
    pending = sum(audience.pending for audience in report.audiences)
    rejected = sum(audience.rejected for audience in report.audiences)
    ends = [f"{pending:,} still to be confirmed by the platform"] if pending else []
    ends += [f"{rejected:,} not accepted"] if rejected else []
    return f"; {listed(ends)}" if ends else ""
