"""Custom audiences as objects: our marker in the description, and what their state means."""

import re
from collections.abc import Iterator, Mapping

from cohortd.core.delivery import MARKER, Marked, RemoteSpec, RemoteStatus
from cohortd.core.errors import RejectedError, RetryableError
from connectors.meta.client import GraphClient

#: Meta asks for small pages: larger ones are refused with "reduce the amount of data".
_PAGE = 20
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

STATUS_FIELDS = (
    "id,operation_status,delivery_status,approximate_count_lower_bound,approximate_count_upper_bound"
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
        for each in _all(client, account)
        if (found := _MARKED.search(str(each.get("description", ""))))
    ]


def find(client: GraphClient, account: str, spec: RemoteSpec) -> str | None:
    """The oldest remote audience with the marker; None where there is none."""
    wanted = marker(spec)
    found = [
        str(each["id"])
        for each in _all(client, account)
        if str(each.get("description", "")).endswith(wanted)
    ]
    return min(found, key=lambda remote_id: (len(remote_id), remote_id), default=None)


def retired(node: Mapping[str, object]) -> dict[str, object]:
    """What to change so that nobody takes the audience for one in use; empty where it is done."""
    name, description = str(node.get("name", "")), str(node.get("description", ""))
    if "[cohortd:" not in description:
        return {}
    return {
        "name": name if name.endswith(_RETIRED_NAME) else name + _RETIRED_NAME,
        "description": description.replace("[cohortd:", "[cohortd-retired:"),
    }


def status_of(node: Mapping[str, object]) -> RemoteStatus:
    """Read size and state off the node."""
    operation, delivery = _code(node.get("operation_status")), _code(node.get("delivery_status"))
    words = [OPERATION.get(operation, f"operation status {operation}") if operation is not None else ""]
    if delivery is not None:
        words.append(DELIVERY.get(delivery, f"not usable (delivery status {delivery})"))
    return RemoteStatus(
        size_lower=_bound(node.get("approximate_count_lower_bound")),
        size_upper=_bound(node.get("approximate_count_upper_bound")),
        state="; ".join(word for word in words if word) or "Meta says nothing",
        usable=None if delivery is None else delivery == _READY and operation not in _UNUSABLE,
    )


def _all(client: GraphClient, account: str) -> Iterator[Mapping[str, object]]:
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
