"""From Meta's errors to ours, by the tables in ``codes``."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cohortd.core.errors import (
    FatalError,
    GoneError,
    RejectedError,
    RetryableError,
    SessionEndedError,
    SyncError,
    TooSmallError,
)
from connectors.meta.codes import (
    BY_CODE,
    BY_STATUS,
    BY_SUBCODE,
    DENIED,
    LATER,
    LIMIT,
    LIMITED_AFTER_S,
    NO_ACCOUNT,
    NOT_META,
    NOT_THERE,
    SECRET,
    TOO_LARGE,
    TOS,
    UNKNOWN,
    Outcome,
    Rule,
)


@dataclass(frozen=True, slots=True)
class GraphFault:
    """Meta's error, or an answer that was none, reduced to what may be shown."""

    status: int
    code: int | None = None
    subcode: int | None = None
    is_transient: bool = False
    #: Whether the call was about the ad account, not about an audience of it.
    of_account: bool = False
    #: Meta's own words, for matching; shown only through ``scrub``.
    message: str = ""
    trace: str = ""


Scope = Literal["destination", "audience"]


class AudienceGoneError(GoneError):
    """The remote audience is not there, or not for us."""


#: Why a session in which members are replaced has ended, by Meta's subcode.
_HOW: Mapping[int, Literal["over", "late", "unknown"]] = {
    1870147: "unknown",
    1870158: "late",
    1870159: "over",
}
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
    told = BY_SUBCODE.get((fault.code, fault.subcode or 0)) or _rule_by_words(fault)
    rule = told or BY_CODE.get(fault.code) or _rule_for_range(fault)
    if rule is NOT_THERE and fault.of_account:
        return NO_ACCOUNT
    may_be_passing = told is None and rule.outcome is not Outcome.LIMITED
    return LATER if fault.is_transient and may_be_passing else rule


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
        case Outcome.LATER | Outcome.LIMITED | Outcome.BUSY | Outcome.SESSION_ENDED | Outcome.TOO_SMALL:
            return _later(rule, fault, detail, after_s)
        case Outcome.REFUSED:
            return RejectedError(detail)
        case Outcome.GONE:
            return AudienceGoneError(detail, cure=rule.cure, scope="audience")
        case Outcome.STOP_AUDIENCE:
            return FatalError(detail, cure=rule.cure, scope="audience")
        case Outcome.STOP_DESTINATION:
            return FatalError(detail, cure=rule.cure)


def _later(rule: Rule, fault: GraphFault, detail: str, after_s: float | None) -> RetryableError:
    if rule.outcome is Outcome.SESSION_ENDED:
        return SessionEndedError(detail, how=_HOW[fault.subcode or 0])
    if rule.outcome is Outcome.TOO_SMALL:
        return TooSmallError(f"{detail}. {rule.cure}", after_s=rule.after_s or LIMITED_AFTER_S)
    told_s = after_s if rule.outcome is Outcome.LIMITED else None
    scope: Scope = "audience" if rule.outcome is Outcome.BUSY else "destination"
    return RetryableError(detail, after_s=told_s or rule.after_s, scope=scope)


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
        return TOO_LARGE
    if fault.code == 100 and "appsecret_proof" in words:  # noqa: PLR2004 - Meta's code
        return SECRET
    if "custom audience" in words and "terms" in words:
        return TOS
    return None


def _rule_for_range(fault: GraphFault) -> Rule:
    assert fault.code is not None
    if 200 <= fault.code <= 299:  # noqa: PLR2004 - Meta's range of permission errors
        return DENIED
    if 80000 <= fault.code <= 80014:  # noqa: PLR2004 - Meta's range of business limits
        return LIMIT
    if fault.code < 0 or fault.status >= 500:  # noqa: PLR2004 - server errors
        return LATER
    return UNKNOWN


def _rule_for_status(status: int) -> Rule:
    return BY_STATUS.get(status) or (LATER if status >= 500 else NOT_META)  # noqa: PLR2004 - server errors
