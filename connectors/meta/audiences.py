"""Custom audiences as objects: our marker in the description, and what their state means.

Sources: developers.facebook.com/documentation/ads-commerce/marketing-api/reference/custom-audience
(fields, both status codes; an audience unused for two years is deleted 90 days later),
.../audiences/guides/custom-audiences (500 customer-file audiences an ad account).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from cohortd.core.delivery import MARKER, Flag, Marked, RemoteSpec, RemoteStatus
from cohortd.core.errors import FatalError, RejectedError, RetryableError
from connectors.meta.client import GraphClient

#: Meta asks for small pages: larger ones are refused with "reduce the amount of data".
_PAGE = 20
#: Customer-file audiences of one ad account.
MOST_AUDIENCES: Final = 500
_LONGEST_RETENTION_DAYS: Final = 180
_RETIRED_NAME = " (retired)"
_MARKED = re.compile(rf"\[({MARKER}:[^\]]+)\]$")

#: operation_status and delivery_status codes worth a word of their own.
OPERATION = {
    0: "",
    100: "expiring: unused for two years, will be deleted",
    200: "normal",
    400: "warning",
    410: "nothing uploaded yet",
    411: "low match rate",
    412: "many invalid entries in the last upload",
    414: "members are being replaced",
    415: "replacing the members failed",
    421: "a state of its pixel",
    422: "a state of its pixel",
    423: "a state of its pixel",
    431: "a state of lookalike audiences",
    432: "a state of lookalike audiences",
    433: "a state of lookalike audiences",
    434: "a state of lookalike audiences",
    441: "populating: usable, and still growing",
    442: "not filled beforehand",
    450: "unused for 30 days or out of date",
    470: "the account that made it is inactive",
    471: "flagged for its name or description",
    500: "error, see Meta's Audience Manager",
}
DELIVERY = {200: "ready", 300: "too small or inactive"}
_READY = 200
_UNUSABLE = (415, 470, 471, 500)

_SMALL: Final = 300
_FLAGS: Final[Mapping[int, Flag]] = {
    100: Flag.EXPIRING,
    411: Flag.LOW_MATCH,
    412: Flag.INVALID_ENTRIES,
    415: Flag.UNUSABLE,
    450: Flag.UNUSED,
    470: Flag.UNUSABLE,
    471: Flag.FLAGGED,
    500: Flag.UNUSABLE,
}
_CURES: Final[Mapping[Flag, str]] = {
    Flag.EXPIRING: "Use it in an ad set, or Meta deletes it.",
    Flag.LOW_MATCH: "Map more contact fields of the customers, names and countries among them: see the"
    " account of the data in cohortd check.",
    Flag.INVALID_ENTRIES: "See the rejected members and their reasons in the run's report.",
    Flag.UNUSED: "Use it in an ad set, if it is to stay up to date.",
    Flag.FLAGGED: "Appeal the flag in Meta's Audience Manager, or delete the audience there, choose a name"
    " without personal attributes, and have it made anew with cohortd audiences --renew.",
    Flag.UNUSABLE: "Look at the audience in Meta's Audience Manager, which says why and what to do.",
    Flag.FOREIGN: "It is another ad account's, and nothing is written to it: have its owner take our marker"
    " out of its description.",
}
STATUS_FIELDS = (
    "id,operation_status,delivery_status,approximate_count_lower_bound,approximate_count_upper_bound"
)
#: All that is worth reading; a stand-in may know only what is above.
ALL_FIELDS: Final = (
    f"{STATUS_FIELDS},name,description,account_id,retention_days,delete_time,"
    "fields_violating_integrity_policy"
)


def marker(spec: RemoteSpec) -> str:
    """The text by which a remote audience is known as ours."""
    return f"[{spec.marker}]"


def described(spec: RemoteSpec) -> str:
    """The description of a new remote audience, ending in the marker."""
    return f"{spec.description} {marker(spec)}".strip()


def marked(client: GraphClient, account: str) -> list[Marked]:
    """The remote audiences that any cohortd made."""
    return [
        Marked(str(each["id"]), str(each.get("name", "")), found[1])
        for each in listed(client, account)
        if (found := _MARKED.search(str(each.get("description", ""))))
    ]


def find(client: GraphClient, account: str, spec: RemoteSpec) -> str | None:
    """The oldest remote audience with the marker; None where there is none."""
    wanted = marker(spec)
    found = [
        str(each["id"])
        for each in listed(client, account)
        if str(each.get("description", "")).endswith(wanted)
    ]
    return min(found, key=lambda remote_id: (len(remote_id), remote_id), default=None)


def retired(node: Mapping[str, object]) -> dict[str, object]:
    """What to change so that nobody takes the audience for one in use; empty where it is done."""
    name, description = str(node.get("name", "")), str(node.get("description", ""))
    changes: dict[str, object] = {}
    if not name.endswith(_RETIRED_NAME):
        changes["name"] = name + _RETIRED_NAME
    if "[cohortd:" in description:
        changes["description"] = description.replace("[cohortd:", "[cohortd-retired:")
    return changes


def read(client: GraphClient, account: str, remote_id: str) -> RemoteStatus:
    """Ask for all that is worth reading, or where that is refused for the least."""
    try:
        node = client.call("GET", remote_id, params={"fields": ALL_FIELDS})
    except RejectedError:
        node = client.call("GET", remote_id, params={"fields": STATUS_FIELDS})
    return status_of(node, account=account)


def change(client: GraphClient, remote_id: str, changes: Mapping[str, object]) -> None:
    """Change what is named of an audience.

    Raises:
        RetryableError: Meta did not say that it was done.
    """
    demand_done(client.call("POST", remote_id, params=changes), remote_id)


def demand_done(answer: Mapping[str, object], remote_id: str) -> None:
    """Refuse an answer to a change that says nothing, as a proxy's or a cut-off one does.

    Raises:
        RetryableError: Nobody knows whether it was done; asking again does no harm.
    """
    if answer.get("success") is not True and answer.get("id") != remote_id:
        raise RetryableError("Meta did not say that the audience was changed")


def full(client: GraphClient, account: str, spec: RemoteSpec, error: RejectedError) -> FatalError | None:
    """Say that no audience fits in any more, where that may be why one was refused."""
    count = sum(1 for _ in listed(client, account))
    if count < MOST_AUDIENCES:
        return None
    return FatalError(
        f"audience {spec.audience} was not made: the ad account has {count:,} custom audiences, and Meta"
        f" allows {MOST_AUDIENCES} ({error})",
        cure="Delete custom audiences that nobody uses in Meta's Audience Manager.",
        scope="audience",
    )


def status_of(node: Mapping[str, object], *, account: str = "") -> RemoteStatus:
    """Read size and state off the node."""
    operation, delivery = _code(node.get("operation_status")), _code(node.get("delivery_status"))
    words = [OPERATION.get(operation, f"operation status {operation}") if operation is not None else ""]
    if delivery is not None:
        words.append(DELIVERY.get(delivery, f"not usable (delivery status {delivery})"))
    flags = _flags(node, operation, delivery, account)
    return RemoteStatus(
        size_lower=_bound(node.get("approximate_count_lower_bound")),
        size_upper=_bound(node.get("approximate_count_upper_bound")),
        state="; ".join(word for word in words if word) or "Meta says nothing",
        usable=None if delivery is None else delivery == _READY and operation not in _UNUSABLE,
        flags=flags,
        cure=" ".join(_CURES[flag] for flag in flags if flag in _CURES),
        name=_text(node.get("name")),
        description=_text(node.get("description")),
        marked=_is_marked(node),
        membership_days=_days(node.get("retention_days")),
        deleted_at=_moment(node.get("delete_time")),
    )


def _flags(
    node: Mapping[str, object], operation: int | None, delivery: int | None, account: str
) -> tuple[Flag, ...]:
    flags = []
    if operation is not None and operation in _FLAGS:
        flags.append(_FLAGS[operation])
    if node.get("fields_violating_integrity_policy") and Flag.FLAGGED not in flags:
        flags.append(Flag.FLAGGED)
    if delivery == _SMALL:
        flags.append(Flag.TOO_SMALL)
    elif delivery is not None and delivery != _READY and not flags:
        flags.append(Flag.UNUSABLE)
    owner = _text(node.get("account_id"))
    if account and owner and owner != account.removeprefix("act_"):
        flags.append(Flag.FOREIGN)
    return tuple(flags)


def _is_marked(node: Mapping[str, object]) -> bool | None:
    described = node.get("description")
    return _MARKED.search(described) is not None if isinstance(described, str) else None


def _days(value: object) -> int | None:
    """For how long members are kept, where it is not for ever: a person may choose up to 180 days."""
    return value if isinstance(value, int) and 0 < value <= _LONGEST_RETENTION_DAYS else None


def _moment(value: object) -> str:
    """Meta writes Unix seconds, 0 for never."""
    is_time = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}" if is_time and isinstance(value, int) else ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def listed(client: GraphClient, account: str) -> Iterator[Mapping[str, object]]:
    """Every custom audience of the account, page by page."""
    params: dict[str, object] = {"fields": "id,name,description", "limit": _PAGE}
    while True:
        page = _page(client, account, params)
        nodes = page.get("data")
        if not isinstance(nodes, list):
            # Taken for "none yet", it would make every audience a second time.
            raise RetryableError("Meta's list of audiences is not a list")
        yield from (node for node in nodes if isinstance(node, dict))
        after = _next_cursor(page.get("paging"))
        if after is None or after == params.get("after"):
            return
        params["after"] = after


def _page(client: GraphClient, account: str, params: dict[str, object]) -> dict[str, object]:
    """One page; a smaller one where Meta finds it too large, down to a single audience."""
    while True:
        try:
            return client.call("GET", account, "customaudiences", params=params)
        except RejectedError:
            limit = int(str(params["limit"]))
            if limit == 1:
                raise
            params["limit"] = limit // 2


def _next_cursor(paging: object) -> str | None:
    """The cursor, never the ready-made next URL: that one holds the token."""
    match paging:
        case {"next": str(), "cursors": {"after": str(after)}}:
            return after
        case _:
            return None


def _code(status: object) -> int | None:
    match status:
        case {"code": int(code)}:
            return code
        case _:
            return None


def _bound(value: object) -> int | None:
    """Meta writes -1 where it does not tell the size."""
    return value if isinstance(value, int) and value >= 0 else None
