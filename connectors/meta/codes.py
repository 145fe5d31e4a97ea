"""What each error of Meta's means for us: code and subcode, words, and pages that are no answer.

"Error handling should be done using only the Error Codes" (Meta's error reference): words decide only
where one code means several things.

Sources: developers.facebook.com/documentation/ads-commerce/marketing-api/error-reference,
.../marketing-api/overview/rate-limiting, developers.facebook.com/docs/graph-api/guides/error-handling,
.../marketing-api/reference/custom-audience/users.
"""

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """What to do next."""

    LATER = "later"
    #: Later, and no other call to the account until then.
    LIMITED = "limited"
    #: Later, and only this audience has to wait.
    BUSY = "busy"
    #: Nobody can be taken out: nothing of the batch was done, and only it has to wait.
    TOO_SMALL = "too small"
    #: A session in which members are replaced cannot be gone on with.
    SESSION_ENDED = "session ended"
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

LATER = Rule(Outcome.LATER, "Meta is not able to answer just now")
LIMIT = Rule(Outcome.LIMITED, "Meta's limit of calls is reached", after_s=LIMITED_AFTER_S)
_AUTH = Rule(Outcome.STOP_DESTINATION, "Meta does not take the access token", _TOKEN)
_CHECKPOINT = Rule(
    Outcome.STOP_DESTINATION,
    "Meta wants the token's user to prove who they are",
    "Log in at facebook.com as the token's user and follow what it asks; better use a system user's token.",
)
DENIED = Rule(Outcome.STOP_DESTINATION, "Meta does not permit this", _PERMISSION)
TOS = Rule(Outcome.STOP_DESTINATION, "Meta's Custom Audience terms are not accepted", _TERMS)
_FLAG = Rule(Outcome.STOP_AUDIENCE, "Meta flagged the audience's name or description", _FLAGGED)
NOT_THERE = Rule(Outcome.GONE, "Meta does not find the audience, or does not show it to us", _GONE)
TOO_LARGE = Rule(Outcome.REFUSED, "the request is too large for Meta")
_BAD_REQUEST = Rule(Outcome.REFUSED, "Meta does not take the request as it is")
_BUSY = Rule(Outcome.BUSY, "the audience's members are being replaced", after_s=900.0)
_TOO_SMALL = Rule(
    Outcome.TOO_SMALL,
    "Meta does not remove members from an audience this small, so the removals are still open",
    "They go through when it has grown; with removal_refused: replace (or recreate) cohortd takes out who "
    "revoked consent in another way",
    after_s=3600.0,
)
SECRET = Rule(
    Outcome.STOP_DESTINATION,
    "the Meta app demands calls signed with its secret",
    "Set app_secret for this destination.",
)

_SIGNATURE = Rule(
    Outcome.STOP_DESTINATION,
    "Meta does not take the call's signature",
    "Mend app_secret: it must be that of the app the access token was made for.",
)
_BUSINESS_TOOLS = Rule(
    Outcome.STOP_DESTINATION,
    "Meta's Business Tools terms are not accepted",
    "Accept the Business Tools terms in Meta Business settings as a person.",
)

NO_ACCOUNT = Rule(
    Outcome.STOP_DESTINATION,
    "Meta does not find the ad account, or does not show it to us",
    "Mend ad_account_id, or assign the ad account to the token's system user in Meta Business settings "
    "(Users, System users, Assign assets).",
)

BY_SUBCODE: dict[tuple[int, int], Rule] = {
    (1, 99): LATER,
    (17, 2446079): LIMIT,
    (100, 33): NOT_THERE,
    (100, 1487390): TOS,
    (100, 1713228): _FLAG,
    (100, 1713230): _FLAG,
    (100, 1713231): _FLAG,
    (190, 458): Rule(
        Outcome.STOP_DESTINATION,
        "the token's user took the app off",
        "Give the app access again in Meta Business settings, and make a new system-user access token.",
    ),
    (190, 459): _CHECKPOINT,
    (190, 460): Rule(Outcome.STOP_DESTINATION, "the token's user changed their password", _TOKEN),
    (190, 463): Rule(Outcome.STOP_DESTINATION, "the access token has expired", _TOKEN),
    (190, 464): _CHECKPOINT,
    (190, 467): Rule(Outcome.STOP_DESTINATION, "the access token was withdrawn", _TOKEN),
    (190, 492): Rule(Outcome.STOP_DESTINATION, "the token's user lost their role", _PERMISSION),
    (200, 1870034): TOS,
    (200, 1870047): _TOO_SMALL,
    (200, 1870050): Rule(
        Outcome.STOP_DESTINATION,
        "the ad account belongs to no business portfolio",
        "Add the ad account to a business portfolio in Meta Business settings.",
    ),
    (200, 1870090): TOS,
    (200, 1870092): _BUSINESS_TOOLS,
    (613, 1487742): LIMIT,
    (2650, 1870144): Rule(
        Outcome.STOP_AUDIENCE,
        "the audience holds 100 million people or more",
        "Split the segment, or have its members forgotten sooner (retention_days).",
    ),
    (2650, 1870145): _BUSY,
    (2650, 1870147): Rule(Outcome.SESSION_ENDED, "a replacement of the members lacks its first batch"),
    (2650, 1870148): LATER,
    (2650, 1870158): Rule(Outcome.SESSION_ENDED, "a replacement of the members took more than 90 minutes"),
    (2650, 1870159): Rule(Outcome.SESSION_ENDED, "a replacement of the members is over"),
    (2654, 1713092): DENIED,
    (80003, 2446079): LIMIT,
}

BY_CODE: dict[int, Rule] = {
    1: LATER,
    2: LATER,
    3: DENIED,
    4: LIMIT,
    10: DENIED,
    17: LIMIT,
    32: LIMIT,
    100: _BAD_REQUEST,
    102: _AUTH,
    104: _SIGNATURE,
    105: _BAD_REQUEST,
    190: _AUTH,
    194: _BAD_REQUEST,
    200: DENIED,
    270: Rule(
        Outcome.STOP_DESTINATION,
        "the Meta app has development access only",
        "Ask Meta for advanced access to ads_management for the app.",
    ),
    294: DENIED,
    341: LIMIT,
    368: Rule(Outcome.LIMITED, "Meta has blocked these calls for a while", after_s=3600.0),
    613: LIMIT,
    803: NOT_THERE,
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
    2654: DENIED,
    2656: Rule(
        Outcome.STOP_AUDIENCE,
        "lookalike audiences are built on this audience",
        "Delete the lookalike audiences in Meta's Audience Manager first.",
    ),
    2663: TOS,
    5000: LATER,
    80000: LIMIT,
    80001: LIMIT,
    80002: LIMIT,
    80003: LIMIT,
    80004: LIMIT,
    80005: LIMIT,
    80006: LIMIT,
    80008: LIMIT,
    80009: LIMIT,
    80014: LIMIT,
    1870034: TOS,
    1870090: TOS,
    1870092: _BUSINESS_TOOLS,
}

#: Answers without a readable error of Meta's, by HTTP status: a proxy, a gateway, an HTML page.
BY_STATUS: dict[int, Rule] = {
    200: Rule(Outcome.LATER, "the answer is not Meta's"),
    408: LATER,
    413: TOO_LARGE,
    414: TOO_LARGE,
    425: LATER,
    429: LIMIT,
}

UNKNOWN = Rule(
    Outcome.STOP_DESTINATION,
    "Meta refuses for a reason cohortd does not know",
    "Look the code up in Meta's error reference and tell the maintainers.",
)
NOT_META = Rule(
    Outcome.STOP_DESTINATION,
    "something between cohortd and Meta answered instead",
    "Check the destination's endpoint and any proxy on the way.",
)
