"""The Data Manager's part of the table of errors."""

from collections.abc import Iterator

from google.ads import datamanager_v1 as dm

from cohortd.core.delivery import Action, Receipt
from connectors.google_data_manager import statuses
from connectors.google_data_manager.codes import COMMON, OF_GOOGLE, OF_ROWS, REASONS
from connectors.google_data_manager.errors import HTTP, PLATFORM
from connectors.google_errors import Rule, Verdict, rule_of_status
from connectors.google_sayings import saying_of
from connectors.sayings import Saying, Section

_STATUS = dm.RequestStatusPerDestination.RequestStatus
_STATES = {
    "REQUEST_STATUS_UNKNOWN": "Google does not say yet",
    "PROCESSING": "Google works on it",
    "SUCCESS": "all rows were processed",
    "PARTIAL_SUCCESS": "some rows were left out, by no reason that is counted",
    "FAILED": "every row was left out, by no reason that is counted",
}
_DAY = Rule(Verdict.QUOTA_DAY, "a day's quota is used up")


def sections() -> list[Section]:
    """The Data Manager's part of the table."""
    return [
        Section(
            "Error reasons",
            "`reason` of `ErrorInfo` and of every field violation; nothing of the request was processed. "
            "One at `audience_members[i]` is that row's fault, even where it names an audience or request. "
            "Where `RetryInfo` names a time, that is waited. A quota met while an audience is made or a "
            "request is asked after holds up only that.",
            [saying_of(reason, rule, platform=PLATFORM) for reason, rule in reasons()],
        ),
        Section(
            "Pages",
            "An answer over REST without a readable error, by its HTTP status.",
            [
                saying_of(f"HTTP {number}", rule_of_status(status), platform=PLATFORM)
                for number, status in HTTP.items()
            ],
        ),
        Section(
            "States of a request",
            "`request_status`, once for every destination of a request; where rows were left out, the "
            "processing errors decide.",
            [
                Saying(name, words, receipt(name, Action.ADD), of_poll=True)
                for name, words in _STATES.items()
            ],
        ),
        Section(
            "Processing errors",
            "`error_info` of a state: counts by reason, never which rows.",
            [saying for action in Action for saying in _processing(action)],
        ),
    ]


def reasons() -> Iterator[tuple[str, Rule]]:
    """Every reason of the table; a quota's by the limit it names."""
    for reason, rule in {**REASONS, **COMMON}.items():
        if reason == "RESOURCE_EXHAUSTED":
            yield f"{reason}, `quota_limit` …PerMinutePerProject", rule
            yield f"{reason}, `quota_limit` …PerDayPerProject", _DAY
        else:
            yield reason, rule


def receipt(status: str, action: Action, *, reason: str = "") -> Receipt:
    """What a batch of two rows becomes when Google's state of it is such."""
    answer = dm.RetrieveRequestStatusResponse.pb()()
    part = answer.request_status_per_destination.add(request_status=_STATUS[status])
    if reason:
        name = f"PROCESSING_ERROR_REASON_{reason}"
        number = dm.ProcessingErrorReason[name] if name in dm.ProcessingErrorReason.__members__ else 9999
        part.error_info.error_counts.add(record_count=1, reason=number)
    pending = statuses.Pending(action, ("request",))
    return statuses.receipt_of(pending, [dm.RetrieveRequestStatusResponse.wrap(answer)], request="request")


def _processing(action: Action) -> Iterator[Saying]:
    said = {**OF_ROWS, **OF_GOOGLE, "any other": "Google failed in a way cohortd does not know"}
    direction = "of an add" if action is Action.ADD else "of a removal"
    for reason, words in said.items():
        yield Saying(
            f"{reason}, {direction}", words, receipt("PARTIAL_SUCCESS", action, reason=reason), of_poll=True
        )
