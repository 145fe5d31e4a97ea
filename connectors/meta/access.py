"""The access check: what of an ad account can be seen before anything is sent to it.

Sources: developers.facebook.com/documentation/ads-commerce/marketing-api/audiences (terms, permission,
business portfolio), .../marketing-api/reference/ad-account (states of an account).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from cohortd.core.delivery import AccessCheck
from cohortd.core.errors import RejectedError, SyncError
from connectors.access import failed
from connectors.meta.audiences import MOST_AUDIENCES, listed
from connectors.meta.client import GraphClient

_PERMISSION: Final = "ads_management"
_TERMS_CURE: Final = (
    "Accept the Custom Audience terms as a person, at "
    "business.facebook.com/ads/manage/customaudiences/tos/?act={account}."
)
_PERMISSION_CURE: Final = (
    f"Make a new access token with {_PERMISSION}: Meta Business settings, Users, System users, Generate "
    "new token."
)
#: account_status -> what it is, and what to do about it; in all others uploads are possible.
_SHUT: Final[Mapping[int, tuple[str, str]]] = {
    2: ("disabled", "Ask for a review in Meta's Account Quality."),
    3: ("unsettled", "Settle the open payment under Billing in Meta Ads Manager."),
    7: ("under review", "Wait for Meta's risk review, or ask about it in Meta's Account Quality."),
    100: ("about to be closed", "Re-activate it under Payment settings in Meta Ads Manager."),
    101: ("closed", "Re-activate it under Payment settings in Meta Ads Manager, or use another one."),
}


def access_lines(client: GraphClient, account: str) -> list[AccessCheck]:
    """Try everything that can be tried without changing anything; a line each."""
    return [*_account(client, account), *_permission(client), *_audiences(client, account)]


def accepts_terms(client: GraphClient, account: str) -> bool | None:
    """Tell whether the terms are accepted; None where Meta does not say."""
    try:
        told = client.call("GET", account, params={"fields": "tos_accepted"}).get("tos_accepted")
    except RejectedError:
        return None
    return told.get("custom_audience_tos") == 1 if isinstance(told, dict) else None


def _account(client: GraphClient, account: str) -> Iterator[AccessCheck]:
    subject = f"Meta account {account}"
    try:
        node = _node(client, account)
    except SyncError as error:
        yield failed(subject, error)
        return
    status = node.get("account_status")
    shut = _SHUT.get(status) if isinstance(status, int) else None
    if shut is not None:
        yield AccessCheck(subject, ok=False, detail=f"the account is {shut[0]}", cure=shut[1])
    else:
        owned = (
            "" if node.get("business") else "; no business portfolio is shown, and it must belong to one"
        )
        yield AccessCheck(subject, ok=True, detail=f"the access token opens it{owned}")
    yield _terms(account, node.get("tos_accepted"))


def _node(client: GraphClient, account: str) -> Mapping[str, object]:
    """Read the account; a stand-in may know only what the audiences' documents name."""
    fields = "name,account_status,tos_accepted"
    try:
        return client.call("GET", account, params={"fields": f"{fields},business"})
    except RejectedError:
        return client.call("GET", account, params={"fields": fields})


def _terms(account: str, accepted: object) -> AccessCheck:
    subject = "Meta's Custom Audience terms"
    if isinstance(accepted, dict) and accepted.get("custom_audience_tos") == 1:
        return AccessCheck(subject, ok=True, detail="accepted")
    cure = _TERMS_CURE.format(account=account.removeprefix("act_"))
    return AccessCheck(subject, ok=False, detail="not accepted for this account", cure=cure)


def _permission(client: GraphClient) -> Iterator[AccessCheck]:
    """Say whether the token has the permission; nothing where Meta does not tell."""
    try:
        told = client.call("GET", "me", "permissions").get("data")
    except SyncError:
        return  # a kind of token that has none to be asked for, or a stand-in
    granted = {
        each.get("permission")
        for each in (told if isinstance(told, list) else [])
        if isinstance(each, dict) and each.get("status") == "granted"
    }
    if not granted:
        return
    subject = f"Meta permission {_PERMISSION}"
    if _PERMISSION in granted:
        yield AccessCheck(subject, ok=True, detail="granted to the access token")
    else:
        detail = "not granted to the access token"
        yield AccessCheck(subject, ok=False, detail=detail, cure=_PERMISSION_CURE)


def _audiences(client: GraphClient, account: str) -> Iterator[AccessCheck]:
    subject = f"Meta audiences of {account}"
    try:
        count = sum(1 for _ in listed(client, account))
    except SyncError as error:
        yield failed(subject, error)
        return
    room = f"{count:,} of at most {MOST_AUDIENCES}"
    full = "; delete some that nobody uses before another is needed" if count >= MOST_AUDIENCES else ""
    yield AccessCheck(subject, ok=True, detail=f"can be listed: {room}{full}")
