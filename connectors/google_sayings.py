"""What both Google APIs may say: their part of the table of errors."""

from google.auth import exceptions as auth_errors

from connectors.google_access import auth_error
from connectors.google_errors import STATUSES, Refusal, Rule, Verdict, error_of, rule_of_status
from connectors.sayings import Saying, Section

#: OAuth's codes of a token that cannot be refreshed.
DEAD = (
    "invalid_grant",
    "invalid_client",
    "invalid_scope",
    "unauthorized_client",
    "access_denied",
    "deleted_client",
    "disabled_client",
)


#: Refusals that the connectors deal with themselves.
_INSTEAD = {
    "INVALID_FILTER": "reads the whole list instead",
    "query_error.*": "reads the whole list instead",
}


def saying_of(code: str, rule: Rule, *, platform: str) -> Saying:
    """The row of a code in one of Google's tables."""
    rows = {0: code} if rule.verdict is Verdict.ROW else {}
    refusal = Refusal({code: rule}, rows)
    return Saying(
        code,
        rule.what,
        error_of(refusal, platform=platform),
        of_poll=rule.verdict is Verdict.FORGOTTEN,
        instead=_INSTEAD.get(code, ""),
    )


def sections() -> list[Section]:
    """What does not depend on the API."""
    rules = {status: STATUSES[status] for status in STATUSES} | {"any other": rule_of_status("any other")}
    return [
        Section(
            "Statuses",
            "The gRPC status of a call (`error.status` over REST), where no code that we know is with it.",
            [saying_of(status, rule, platform="Google") for status, rule in rules.items()],
        ),
        Section(
            "Credentials",
            "What the token service answers, before a call or (disguised as `UNAVAILABLE`) inside one.",
            _of_credentials(),
        ),
    ]


def _of_credentials() -> list[Saying]:
    dead = [
        Saying(
            code,
            "Google no longer takes the credentials",
            auth_error(auth_errors.RefreshError(code), scope="of the API"),
        )
        for code in DEAD
    ]
    passing = auth_errors.RefreshError("internal_failure", retryable=True)
    return [
        *dead,
        Saying("any, marked retryable", "the token service is in trouble", auth_error(passing, scope="")),
        Saying(
            "no connection",
            "the token service did not answer",
            auth_error(auth_errors.TransportError("x"), scope=""),
        ),
        Saying(
            "none to be found",
            "there are no credentials",
            auth_error(auth_errors.DefaultCredentialsError("x"), scope=""),
        ),
    ]
