"""What an error code of Google's means for us; the tables are beside each connector."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from cohortd.core import errors
from cohortd.core.errors import FatalError, RejectedError, RetryableError, SyncError

#: Google does not say when its day ends; asking once an hour costs nothing.
DAILY_QUOTA_S = 3600.0
#: A quota a minute is full again after one.
MINUTE_QUOTA_S = 60.0
#: What the OAuth server says of credentials that will never work again.
DEAD_TOKEN: Final = re.compile(
    r"\b(invalid_[a-z_]+|unauthorized_client|access_denied|deleted_client|disabled_client)\b"
)


class Verdict(IntEnum):
    """What to do about a code; where one answer holds several, the highest counts."""

    #: The row is at fault.
    ROW = 1
    #: The request is at fault, Google does not say which row.
    BATCH = 2
    RETRY = 3
    #: Another change of this audience is under way; no other audience has to wait.
    BUSY = 4
    #: The work runs already.
    STARTED = 5
    QUOTA_MINUTE = 6
    QUOTA_DAY = 7
    #: The name belongs to another audience.
    NAME_TAKEN = 8
    #: Google knows no such request any more.
    FORGOTTEN = 9
    #: There is no such audience any more.
    GONE = 10
    #: Nothing goes on for this audience until a person acts.
    AUDIENCE = 11
    #: The call itself is not known there.
    UNKNOWN_CALL = 12
    #: The access token was refused.
    TOKEN = 13
    #: Nothing goes on for this destination until a person acts.
    DESTINATION = 14


class AlreadyStartedError(RetryableError):
    """The work runs already; an earlier answer was lost."""


class BusyError(RetryableError):
    """Another change of the same audience is under way."""


class NameTakenError(RejectedError):
    """The name belongs to another audience of the account."""


class GoneError(errors.GoneError):
    """The remote audience is not there any more."""


class UnknownCallError(FatalError):
    """The other side does not know the call; a stand-in, or a version that was switched off."""


class TokenRefusedError(FatalError):
    """Google refused the access token."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code means, its verdict, and what a person must do about it, if one must."""

    verdict: Verdict
    what: str
    cure: str = ""


def retry(what: str) -> Rule:
    """The same request may work in a moment."""
    return Rule(Verdict.RETRY, what)


def busy(what: str) -> Rule:
    """The same request may work when another change of its audience has ended."""
    return Rule(Verdict.BUSY, what)


def row(what: str) -> Rule:
    """The row is at fault."""
    return Rule(Verdict.ROW, what)


def batch(what: str) -> Rule:
    """Something in the batch is at fault, or its size: halving it finds what."""
    return Rule(Verdict.BATCH, what)


def stop_audience(what: str, cure: str) -> Rule:
    """Nothing goes on for the audience until a person acts."""
    return Rule(Verdict.AUDIENCE, what, cure)


def stop_destination(what: str, cure: str) -> Rule:
    """Nothing goes on for the destination until a person acts."""
    return Rule(Verdict.DESTINATION, what, cure)


LOOK_UP: Final = "Look the code up in Google's documentation of this API and mend its cause."
#: Halving the batch would not help, and would end with everybody set aside.
OURS: Final = "This is cohortd's own mistake: install a newer version, or tell its maintainers the code."
ACCESS: Final = (
    "Give the credentials' user access to the account in Google Ads (Admin, Access and security); where "
    "that is through a manager account, set login_account_id to that one's number."
)
CREDENTIALS: Final = "Give cohortd working credentials for this API."
LIST: Final = (
    "Look at the audience in Google Ads: it was deleted or closed, is no Customer Match list, or not this "
    "account's own. Undo that in Google Ads; if it is gone for good, have it made anew with "
    "cohortd audiences --renew."
)
TERMS: Final = "Accept the customer data terms in Google Ads (Admin, Data protection), as an administrator."
NAME: Final = "Choose another name or description for the audience in the settings."
MEMBERSHIP: Final = "Set membership_days to at most 540."
POLITICAL: Final = (
    "Make the EU political advertising declaration for the account's campaigns in Google Ads."
)

#: gRPC status -> what it means where no code, or none that we know, came with it.
STATUSES: Final[Mapping[str, Rule]] = {
    "CANCELLED": retry("the call was broken off"),
    "UNKNOWN": retry("Google does not say what went wrong"),
    "DEADLINE_EXCEEDED": retry("Google did not answer in time"),
    "INTERNAL": retry("Google failed inside"),
    "UNAVAILABLE": retry("Google was not there"),
    "ABORTED": retry("another change was under way"),
    "RESOURCE_EXHAUSTED": Rule(Verdict.QUOTA_MINUTE, "a quota is used up"),
    "INVALID_ARGUMENT": batch("Google does not take the request, and does not say why"),
    "OUT_OF_RANGE": batch("a value is out of its range"),
    "NOT_FOUND": Rule(Verdict.GONE, "there is no such audience", LIST),
    "ALREADY_EXISTS": Rule(Verdict.NAME_TAKEN, "the name belongs to another audience"),
    "UNIMPLEMENTED": Rule(
        Verdict.UNKNOWN_CALL,
        "Google does not know the call",
        "Update cohortd: Google switched this version of its API off.",
    ),
    "UNAUTHENTICATED": Rule(Verdict.TOKEN, "Google does not take the access token", CREDENTIALS),
    "PERMISSION_DENIED": stop_destination("the credentials may not do this", ACCESS),
    "FAILED_PRECONDITION": stop_audience("something else has to be done first", LOOK_UP),
    "DATA_LOSS": stop_audience("Google lost data", LOOK_UP),
}


def rule_of_status(status: str) -> Rule:
    """What a status alone means; an unknown one is permanent until a person has looked."""
    return STATUSES.get(status, stop_audience("Google refuses for a reason cohortd does not know", LOOK_UP))


def is_dead_token(status: str, message: str) -> bool:
    """Whether a seeming 503 is in truth credentials that nobody can refresh any more."""
    is_plugin = status == "UNAVAILABLE" and "metadata from plugin failed" in message
    return is_plugin and DEAD_TOKEN.search(message) is not None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an answer of Google's boils down to; no text of the vendor's is kept."""

    #: Code -> its rule; several where Google named several.
    rules: Mapping[str, Rule]
    #: Index into the batch's members -> reason.
    rows: Mapping[int, str]
    #: Seconds that Google asked us to wait.
    retry_after_s: float | None = None
    #: Google's id of the exchange, for its support.
    request_id: str = ""


def strongest(rules: Mapping[str, Rule]) -> tuple[str, Rule]:
    """Choose the code that decides: the highest verdict, the first named among equals."""
    code = max(rules, key=lambda each: rules[each].verdict)
    return code, rules[code]


def error_of(refusal: Refusal, *, platform: str) -> SyncError:
    """Turn a refusal into the error that says what to do next."""
    code, rule = strongest(refusal.rules)
    if refusal.rows and rule.verdict <= Verdict.BATCH:
        return RejectedError(_rows_detail(platform, refusal.rows.values()), rows=refusal.rows)
    reference = f", Google's request {refusal.request_id}" if refusal.request_id else ""
    return _error(rule, f"{platform} refused: {rule.what} ({code}{reference})", refusal.retry_after_s)


#: Seconds to wait where Google does not say.
_WAITS: Mapping[Verdict, float | None] = {
    Verdict.RETRY: None,
    Verdict.QUOTA_MINUTE: MINUTE_QUOTA_S,
    Verdict.QUOTA_DAY: DAILY_QUOTA_S,
}


_STOPS: Mapping[Verdict, tuple[type[FatalError], Literal["destination", "audience"]]] = {
    Verdict.GONE: (GoneError, "audience"),
    Verdict.AUDIENCE: (FatalError, "audience"),
    Verdict.UNKNOWN_CALL: (UnknownCallError, "destination"),
    Verdict.TOKEN: (TokenRefusedError, "destination"),
    Verdict.DESTINATION: (FatalError, "destination"),
}


def _error(rule: Rule, detail: str, retry_after_s: float | None) -> SyncError:
    if rule.verdict is Verdict.STARTED:
        return AlreadyStartedError(detail)
    if rule.verdict is Verdict.BUSY:
        return BusyError(detail, after_s=retry_after_s, scope="audience")
    if rule.verdict in _WAITS:
        return RetryableError(detail, after_s=retry_after_s or _WAITS[rule.verdict])
    if rule.verdict in _STOPS:
        kind, scope = _STOPS[rule.verdict]
        return kind(detail, cure=rule.cure, scope=scope)
    return NameTakenError(detail) if rule.verdict is Verdict.NAME_TAKEN else RejectedError(detail)


def _rows_detail(platform: str, reasons: Iterable[str]) -> str:
    kinds = sorted(set(reasons))
    return f"{platform} refused {', '.join(kinds[:5])} in named rows"
