"""What Meta's errors mean to us: the one table from its codes to our three classes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cohortd.core.errors import FatalError, GoneError, NotYetError, RejectedError, RetryableError, SyncError


class Outcome(Enum):
    """What to do next."""

    LATER = "later"
    #: Later, and no other call to the account until then.
    LIMITED = "limited"
    #: Later, and only this batch has to wait: nothing of it was done.
    NOT_YET = "not yet"
    REFUSED = "refused"
    STOP_AUDIENCE = "stop this audience"
    #: The remote audience is not there, or not for us.
    GONE = "gone"
    STOP_DESTINATION = "stop the destination"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one code means."""

    outcome: Outcome
    what: str
    cure: str = ""
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class GraphFault:
    """Meta's error, or an answer that was none, reduced to what may be shown."""

    status: int
    code: int | None = None
    subcode: int | None = None
    is_transient: bool = False
    #: Meta's own words, for matching; shown only through ``scrub``.
    message: str = ""
    trace: str = ""


class AudienceGoneError(GoneError):
    """The remote audience is not there, or not for us."""


LIMITED_AFTER_S = 300.0

_TOKEN = "Make a new system-user access token for the app and give it to cohortd."  # noqa: S105 - a sentence
_PERMISSION = (
    "Give the access token's user ads_management and access to the ad account in Meta Business settings."
)
_TERMS = (
    "Accept the Custom Audience terms for the ad account as a person, at "
    "business.facebook.com/ads/manage/customaudiences/tos."
)
_FLAGGED = (
    "Appeal the flag in Meta's Audience Manager, or rename the segment and have a new remote audience made."
)
_GONE = (
    "Look for the audience in Meta's Audience Manager: if it was deleted, have it made anew with "
    "cohortd audiences --renew; else give the token access to it again."
)

_LATER = Rule(Outcome.LATER, "Meta is not able to answer just now")
_LIMIT = Rule(Outcome.LIMITED, "Meta's limit of calls is reached", after_s=LIMITED_AFTER_S)
_AUTH = Rule(Outcome.STOP_DESTINATION, "Meta does not take the access token", _TOKEN)
_DENIED = Rule(Outcome.STOP_DESTINATION, "Meta does not permit this", _PERMISSION)
_TOS = Rule(Outcome.STOP_DESTINATION, "Meta's Custom Audience terms are not accepted", _TERMS)
_FLAG = Rule(Outcome.STOP_AUDIENCE, "Meta flagged the audience's name or description", _FLAGGED)
_NOT_THERE = Rule(Outcome.GONE, "Meta does not find the audience, or does not show it to us", _GONE)
_TOO_LARGE = Rule(Outcome.REFUSED, "the request is too large for Meta")
_BAD_REQUEST = Rule(Outcome.REFUSED, "Meta does not take the request as it is")
_BUSY = Rule(Outcome.LATER, "the audience's members are being replaced", after_s=900.0)
_TOO_SMALL = Rule(
    Outcome.NOT_YET,
    "Meta does not remove members from an audience this small, so the removals are still open",
    "They go through when it has grown; delete the audience in Meta's Ads Manager if its members must be "
    "out at once",
    after_s=3600.0,
)
_SECRET = Rule(
    Outcome.STOP_DESTINATION,
    "the Meta app demands calls signed with its secret",
    "Set app_secret for this destination.",
)

BY_SUBCODE: dict[tuple[int, int], Rule] = {
    (17, 2446079): _LIMIT,
    (100, 33): _NOT_THERE,
    (100, 1487390): _TOS,
    (100, 1713228): _FLAG,
    (100, 1713230): _FLAG,
    (100, 1713231): _FLAG,
    (200, 1870034): _TOS,
    (200, 1870047): _TOO_SMALL,
    (200, 1870050): Rule(
        Outcome.STOP_DESTINATION,
        "the ad account belongs to no business portfolio",
        "Add the ad account to a business portfolio in Meta Business settings.",
    ),
    (200, 1870090): _TOS,
    (613, 1487742): _LIMIT,
    (2650, 1870145): _BUSY,
    (2650, 1870148): _LATER,
    (2654, 1713092): _DENIED,
    (80003, 2446079): _LIMIT,
}

BY_CODE: dict[int, Rule] = {
    1: _LATER,
    2: _LATER,
    3: _DENIED,
    4: _LIMIT,
    10: _DENIED,
    17: _LIMIT,
    32: _LIMIT,
    100: _BAD_REQUEST,
    102: _AUTH,
    104: _AUTH,
    105: _BAD_REQUEST,
    190: _AUTH,
    194: _BAD_REQUEST,
    270: Rule(
        Outcome.STOP_DESTINATION,
        "the Meta app has development access only",
        "Ask Meta for advanced access to ads_management for the app.",
    ),
    341: _LIMIT,
    368: Rule(Outcome.LIMITED, "Meta has blocked these calls for a while", after_s=3600.0),
    613: _LIMIT,
    803: _NOT_THERE,
    2500: _BAD_REQUEST,
    2635: Rule(
        Outcome.STOP_DESTINATION,
        "Meta no longer serves this version of its API",
        "Set a newer api_version for this destination, or install a newer cohortd.",
    ),
    2650: Rule(
        Outcome.STOP_AUDIENCE,
        "Meta does not take this kind of upload for the audience",
        "It was first fed by another tool in another form: have a new remote audience made for cohortd.",
    ),
    2654: _DENIED,
    2656: Rule(
        Outcome.STOP_AUDIENCE,
        "lookalike audiences are built on this audience",
        "Delete the lookalike audiences in Meta's Audience Manager first.",
    ),
    2663: _TOS,
    5000: _LATER,
    1870034: _TOS,
    1870090: _TOS,
    1870092: Rule(
        Outcome.STOP_DESTINATION,
        "Meta's Business Tools terms are not accepted",
        "Accept the Business Tools terms in Meta Business settings as a person.",
    ),
}

#: Answers without a readable error of Meta's, by HTTP status: a proxy, a gateway, an HTML page.
BY_STATUS: dict[int, Rule] = {
    200: Rule(Outcome.LATER, "the answer is not Meta's"),
    408: _LATER,
    413: _TOO_LARGE,
    414: _TOO_LARGE,
    425: _LATER,
    429: _LIMIT,
}

_UNKNOWN = Rule(
    Outcome.STOP_DESTINATION,
    "Meta refuses for a reason cohortd does not know",
    "Look the code up in Meta's error reference and tell the maintainers.",
)
_NOT_META = Rule(
    Outcome.STOP_DESTINATION,
    "something between cohortd and Meta answered instead",
    "Check the destination's endpoint and any proxy on the way.",
)

_LEAKY = (
    re.compile(r"\S+://\S+"),
    re.compile(r"\S+@\S+"),
    re.compile(r"[0-9a-fA-F]{16,}"),
    re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    re.compile(r"[\w|.-]{40,}"),
)
_LONGEST = 200
_SHORTEST_PRIVATE = 3


def rule_for(fault: GraphFault) -> Rule:
    """Find what a fault means; the most exact rule wins."""
    if fault.code is None:
        return _rule_for_status(fault.status)
    told = _rule_by_words(fault) or BY_SUBCODE.get((fault.code, fault.subcode or 0))
    if told is not None:
        return told
    rule = BY_CODE.get(fault.code) or _rule_for_range(fault)
    return _LATER if fault.is_transient and rule.outcome is not Outcome.LIMITED else rule


def translate(fault: GraphFault, *, after_s: float | None = None, private: Iterable[str] = ()) -> SyncError:
    """Turn Meta's fault into our error.

    Args:
        fault: What Meta said.
        after_s: Seconds the usage headers ask for; goes before the rule's own.
        private: Values that were sent and must not come back in words.
    """
    rule = rule_for(fault)
    detail = f"{rule.what} ({_cited(fault, private)})"
    match rule.outcome:
        case Outcome.LATER | Outcome.LIMITED:
            told_s = after_s if rule.outcome is Outcome.LIMITED else None
            return RetryableError(detail, after_s=told_s or rule.after_s)
        case Outcome.NOT_YET:
            return NotYetError(f"{detail}. {rule.cure}", after_s=rule.after_s or LIMITED_AFTER_S)
        case Outcome.REFUSED:
            return RejectedError(detail)
        case Outcome.GONE:
            return AudienceGoneError(detail, cure=rule.cure, scope="audience")
        case Outcome.STOP_AUDIENCE:
            return FatalError(detail, cure=rule.cure, scope="audience")
        case Outcome.STOP_DESTINATION:
            return FatalError(detail, cure=rule.cure)


def scrub(text: str, private: Iterable[str] = ()) -> str:
    """Cut everything out of a foreign text that could be a secret or personal."""
    for value in private:
        if len(value) >= _SHORTEST_PRIVATE:
            text = text.replace(value, "…")
    for pattern in _LEAKY:
        text = pattern.sub("…", text)
    return " ".join(text.split())[:_LONGEST]


def _cited(fault: GraphFault, private: Iterable[str]) -> str:
    if fault.code is None:
        return f"HTTP {fault.status}"
    code = f"{fault.code}/{fault.subcode}" if fault.subcode else str(fault.code)
    said = f": {scrub(fault.message, private)}" if fault.message else ""
    trace = f"; fbtrace_id {scrub(fault.trace)}" if fault.trace else ""
    return f"Meta's error {code}{said}{trace}"


def _rule_by_words(fault: GraphFault) -> Rule | None:
    """Cases in which one code means several things."""
    words = fault.message.lower()
    if fault.code == 1 and "reduce the amount of data" in words:
        return _TOO_LARGE
    if fault.code == 100 and "appsecret_proof" in words:  # noqa: PLR2004 - Meta's code
        return _SECRET
    if "custom audience" in words and "terms" in words:
        return _TOS
    return None


def _rule_for_range(fault: GraphFault) -> Rule:
    assert fault.code is not None
    if 200 <= fault.code <= 299:  # noqa: PLR2004 - Meta's range of permission errors
        return _DENIED
    if 80000 <= fault.code <= 80014:  # noqa: PLR2004 - Meta's range of business limits
        return _LIMIT
    if fault.code < 0 or fault.status >= 500:  # noqa: PLR2004 - server errors
        return _LATER
    return _UNKNOWN


def _rule_for_status(status: int) -> Rule:
    return BY_STATUS.get(status) or (_LATER if status >= 500 else _NOT_META)  # noqa: PLR2004 - server errors
