"""What an error code of Google's means for us; the tables are beside each connector."""

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


class Verdict(IntEnum):
    """What to do about a code; where one answer holds several, the highest counts."""

    #: The row is at fault.
    ROW = 1
    #: The request is at fault, Google does not say which row.
    BATCH = 2
    RETRY = 3
    #: The work runs already.
    STARTED = 4
    QUOTA_MINUTE = 5
    QUOTA_DAY = 6
    #: The name belongs to another audience.
    NAME_TAKEN = 7
    #: Google knows no such request any more.
    FORGOTTEN = 8
    #: There is no such audience any more.
    GONE = 9
    #: Nothing goes on for this audience until a person acts.
    AUDIENCE = 10
    #: The call itself is not known there.
    UNKNOWN_CALL = 11
    #: The access token was refused.
    TOKEN = 12
    #: Nothing goes on for this destination until a person acts.
    DESTINATION = 13


class AlreadyStartedError(RetryableError):
    """The work runs already; an earlier answer was lost."""


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
    """A verdict and what a person must do about it, if one must."""

    verdict: Verdict
    cure: str = ""


RETRY: Final = Rule(Verdict.RETRY)
ROW: Final = Rule(Verdict.ROW)
BATCH: Final = Rule(Verdict.BATCH)

LOOK_UP: Final = "Look the code up in Google's documentation of this API and mend its cause."
ACCESS: Final = (
    "Give the credentials' user access to the account in Google Ads; where that is through a manager "
    "account, name that one as the login account."
)
CREDENTIALS: Final = "Give cohortd working credentials for this API."
LIST: Final = (
    "Look at the audience in Google Ads: it was deleted or closed, is no Customer Match list, or not this "
    "account's own. Undo that in Google Ads; if it is gone for good, have it made anew with "
    "cohortd audiences --renew."
)

#: gRPC status -> what it means where no code, or none that we know, came with it.
STATUSES: Final[Mapping[str, Rule]] = {
    "CANCELLED": RETRY,
    "UNKNOWN": RETRY,
    "DEADLINE_EXCEEDED": RETRY,
    "INTERNAL": RETRY,
    "UNAVAILABLE": RETRY,
    "ABORTED": RETRY,
    "RESOURCE_EXHAUSTED": Rule(Verdict.QUOTA_MINUTE),
    "INVALID_ARGUMENT": BATCH,
    "OUT_OF_RANGE": BATCH,
    "NOT_FOUND": Rule(Verdict.GONE, LIST),
    "ALREADY_EXISTS": Rule(Verdict.NAME_TAKEN),
    "UNIMPLEMENTED": Rule(
        Verdict.UNKNOWN_CALL, "Update cohortd: Google switched this version of its API off."
    ),
    "UNAUTHENTICATED": Rule(Verdict.TOKEN, CREDENTIALS),
    "PERMISSION_DENIED": Rule(Verdict.DESTINATION, ACCESS),
}


def rule_of_status(status: str) -> Rule:
    """What a status alone means; an unknown one is permanent until a person has looked."""
    return STATUSES.get(status, Rule(Verdict.AUDIENCE, LOOK_UP))


def is_dead_token(status: str, message: str) -> bool:
    """Whether a seeming 503 is in truth credentials that nobody can refresh any more."""
    return status == "UNAVAILABLE" and "metadata from plugin failed" in message and "invalid_" in message


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
    return _error(rule, f"{platform} refused: {code}{reference}", refusal.retry_after_s)


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
    if rule.verdict in _WAITS:
        detail += " (a day's quota is used up)" if rule.verdict is Verdict.QUOTA_DAY else ""
        return RetryableError(detail, after_s=retry_after_s or _WAITS[rule.verdict])
    if rule.verdict in _STOPS:
        kind, scope = _STOPS[rule.verdict]
        return kind(detail, cure=rule.cure, scope=scope)
    return NameTakenError(detail) if rule.verdict is Verdict.NAME_TAKEN else RejectedError(detail)


def _rows_detail(platform: str, reasons: Iterable[str]) -> str:
    kinds = sorted(set(reasons))
    return f"{platform} refused {', '.join(kinds[:5])} in named rows"
