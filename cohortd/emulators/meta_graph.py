"""Meta's Graph API as far as custom audiences go: accounts, audiences, members; no wire yet."""

import hashlib
import hmac
import itertools
import math
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

from cohortd.core.times import Clock, format_time
from cohortd.emulators import meta_errors as errors
from cohortd.emulators.meta_errors import GraphError
from cohortd.emulators.meta_nodes import (
    Call,
    MetaRules,
    Reply,
    after_of,
    chosen,
    cursor_of,
    flagged_fields,
    node_of,
    whole_number,
)
from cohortd.emulators.meta_replacing import FAILED, RUNNING, Replacements
from cohortd.emulators.meta_users import (
    Payload,
    Sessions,
    check_replaceable,
    read_payload,
    read_session,
)
from cohortd.emulators.state import Audience, Store

#: Standard customer-file audiences of one ad account.
MAX_AUDIENCES = 500
MAX_PAGE = 200
_DEFAULT_PAGE = 25
_MAX_RETENTION_DAYS = 180
_SOURCES = ("USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED")

#: Method and node or edge -> what a fault schedule calls it.
NAMES = {
    ("GET", "account"): "account.read",
    ("GET", "permissions"): "permissions.read",
    ("GET", "customaudiences"): "audiences.list",
    ("POST", "customaudiences"): "audiences.create",
    ("GET", "audience"): "audiences.read",
    ("POST", "audience"): "audiences.update",
    ("DELETE", "audience"): "audiences.delete",
    ("POST", "users"): "users.add",
    ("DELETE", "users"): "users.remove",
    ("POST", "usersreplace"): "users.replace",
}


class Graph:
    """Answers calls by the documents."""

    def __init__(self, store: Store, rules: MetaRules, *, clock: Clock) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._sessions: defaultdict[str, Sessions] = defaultdict(Sessions)
        self._replacements: defaultdict[str, Replacements] = defaultdict(Replacements)
        self._calls: defaultdict[str, deque[datetime]] = defaultdict(deque)
        self._own_session_ids = itertools.count(1)

    def name_of(self, call: Call) -> str:
        """What a fault schedule calls it."""
        match call.path:
            case (str(node),) if node.startswith("act_"):
                return NAMES.get((call.method, "account"), "unknown")
            case (_,):
                return NAMES.get((call.method, "audience"), "unknown")
            case (_, str(edge)):
                return NAMES.get((call.method, edge), "unknown")
            case _:
                return "unknown"

    def account_of(self, call: Call) -> str:
        """The ad account a call is about; empty where none is."""
        node = call.path[0] if call.path else ""
        if node.startswith("act_"):
            return node
        audience = self._store.get(node)
        return audience.account if audience else ""

    def answer(self, call: Call, *, share: float = 1.0) -> Reply:
        """Do what a call asks.

        Args:
            call: The call.
            share: How much of an upload's rows to apply; below 1 the call then fails.

        Raises:
            GraphError: As Meta would.
        """
        self._authorize(call)
        account = self.account_of(call)
        percent = self._count(account)
        with self._store.lock:
            self.expire()
            body = self._route(call)(call) if share >= 1 else self._half(call, share=share)
        header = (
            {"X-Business-Use-Case-Usage": errors.usage_header(account, percent=percent)} if account else {}
        )
        return Reply(200, body, header)

    def expire(self) -> None:
        """Forget whoever was last added longer ago than their audience keeps people; most keep them."""
        for audience in self._store.audiences():
            days = int(str(audience.attributes.get("retention_days") or 0))
            if days:
                before = format_time(self._clock() - timedelta(days=days))
                self._store.expire(audience.id, before=before)

    def _route(self, call: Call) -> Callable[[Call], dict[str, object]]:
        routes: dict[str, Callable[[Call], dict[str, object]]] = {
            "account.read": self._read_account,
            "permissions.read": self._read_permissions,
            "audiences.list": self._list,
            "audiences.create": self._create,
            "audiences.read": self._read,
            "audiences.update": self._update,
            "audiences.delete": self._delete,
            "users.add": self._upload,
            "users.remove": self._upload,
            "users.replace": self._replace,
        }
        name = self.name_of(call)
        if name not in routes:
            raise errors.not_there(call.method, "/".join(call.path))
        return routes[name]

    def _authorize(self, call: Call) -> None:
        token = call.params.get("access_token", "")
        if not token or (self._rules.token is not None and token != self._rules.token):
            raise errors.bad_token()
        secret = self._rules.app_secret
        if secret is not None:
            proof = hmac.digest(secret.encode(), token.encode(), hashlib.sha256).hex()
            if not hmac.compare_digest(proof, call.params.get("appsecret_proof", "")):
                raise errors.missing_proof()

    def _count(self, account: str) -> int:
        """Count a call; gives the percentage of the hour's allowance."""
        if not account:
            return 0
        now, calls, allowed = self._clock(), self._calls[account], self._rules.calls_per_hour
        while calls and now - calls[0] >= timedelta(hours=1):
            calls.popleft()
        if len(calls) >= allowed:
            regain = calls[0] + timedelta(hours=1) - now if calls else timedelta(hours=1)
            raise errors.over_quota(account, minutes=math.ceil(regain.total_seconds() / 60))
        calls.append(now)
        return 100 * len(calls) // allowed

    def _account(self, call: Call) -> str:
        account = call.path[0]
        known = self._rules.accounts is None or account in self._rules.accounts
        if not known or not account.removeprefix("act_").isdigit():
            raise errors.not_there(call.method, account)
        return account

    def _audience(self, call: Call) -> Audience:
        audience = self._store.get(call.path[0])
        if audience is None:
            raise errors.not_there(call.method, call.path[0])
        return audience

    def _read_account(self, call: Call) -> dict[str, object]:
        account = self._account(call)
        node = {
            "id": account,
            "name": "Emulated account",
            "account_status": self._rules.account_status,
            "business": {"id": "1", "name": "Emulated business"} if self._rules.owned_by_business else None,
            "tos_accepted": {"custom_audience_tos": 1} if self._rules.terms_accepted else {},
        }
        return {key: value for key, value in chosen(node, call).items() if value is not None}

    def _read_permissions(self, call: Call) -> dict[str, object]:
        if call.path[0] != "me":
            raise errors.not_there(call.method, call.path[0])
        granted = sorted(self._rules.permissions)
        return {"data": [{"permission": each, "status": "granted"} for each in granted]}

    def _list(self, call: Call) -> dict[str, object]:
        limit = whole_number(call, "limit", _DEFAULT_PAGE)
        if limit > MAX_PAGE:
            raise GraphError(
                1, "Please reduce the amount of data you're asking for, then retry your request", status=500
            )
        found = self._store.audiences(self._account(call))
        after = after_of(call)
        rest = [audience for audience in found if int(audience.id) > after]
        page = rest[:limit]
        answer: dict[str, object] = {"data": [chosen(self._node_of(audience), call) for audience in page]}
        if page:
            cursors = {"before": cursor_of(page[0]), "after": cursor_of(page[-1])}
            paging: dict[str, object] = {"cursors": cursors}
            if len(rest) > limit:
                token = call.params["access_token"]
                paging["next"] = (
                    f"https://graph.facebook.com/?access_token={token}&after={cursors['after']}"
                )
            answer["paging"] = paging
        return answer

    def _create(self, call: Call) -> dict[str, object]:
        account = self._account(call)
        self._demand_terms(account)
        name = call.params.get("name", "")
        if not name:
            raise errors.invalid("The parameter name is required")
        if call.params.get("subtype") != "CUSTOM":
            raise errors.invalid("subtype must be CUSTOM for a customer file")
        if call.params.get("customer_file_source") not in _SOURCES:
            raise errors.invalid(f"customer_file_source must be one of {', '.join(_SOURCES)}")
        if len(self._store.audiences(account)) >= MAX_AUDIENCES:
            raise errors.invalid(f"An ad account holds at most {MAX_AUDIENCES} custom audiences")
        attributes: dict[str, object] = {
            "description": call.params.get("description", ""),
            "customer_file_source": call.params["customer_file_source"],
            "retention_days": self._retention(call),
        }
        audience = self._store.create(account, name=name, attributes=attributes)
        return {"id": audience.id}

    def _retention(self, call: Call) -> int:
        days = whole_number(call, "retention_days", 0)
        if days > _MAX_RETENTION_DAYS:
            raise errors.invalid(f"retention_days must be between 1 and {_MAX_RETENTION_DAYS}")
        return days

    def _read(self, call: Call) -> dict[str, object]:
        return chosen(self._node_of(self._audience(call)), call)

    def _update(self, call: Call) -> dict[str, object]:
        audience = self._audience(call)
        if flagged_fields(audience, self._rules):
            raise errors.edit_blocked()
        described = {"description": call.params["description"]} if "description" in call.params else {}
        self._store.update(audience.id, name=call.params.get("name"), attributes=described)
        return {"success": True}

    def _delete(self, call: Call) -> dict[str, object]:
        self._store.delete(self._audience(call).id)
        return {"success": True}

    def _half(self, call: Call, *, share: float) -> dict[str, object]:
        is_replace = self.name_of(call) == "users.replace"
        return self._replace(call, share=share) if is_replace else self._upload(call, share=share)

    def _upload(self, call: Call, *, share: float = 1.0) -> dict[str, object]:
        audience, payload = self._uploaded(call)
        replacements = self._replacements[audience.account]
        if replacements.standing(audience.id, self._clock()) == "running":
            raise errors.replace_running()
        if call.method == "DELETE" and self._is_too_small(audience):
            raise errors.too_small_to_remove()
        session_id, counts, received = self._enter(call, audience, payload)
        replacements.forget(audience.id)
        if counts:
            self._change(call, audience, payload, share=share)
        return _taken(audience, payload, session_id, received, share=share)

    def _replace(self, call: Call, *, share: float = 1.0) -> dict[str, object]:
        audience, payload = self._uploaded(call)
        check_replaceable(payload)
        if not self._rules.replaces_small and self._is_too_small(audience):
            raise errors.too_small_to_remove()
        part = read_session(call.params.get("session"))
        if part is None:
            raise errors.invalid("The parameter session is required")
        if not audience.attributes.get("updated_at"):
            raise errors.replace_running()  # not in its normal state: nothing was uploaded yet
        if self._sessions[audience.account].knows(part.session_id):
            raise errors.invalid("session_id is used by another upload of this ad account")
        is_first, received = self._replacements[audience.account].enter(
            part, payload, audience_id=audience.id, at=self._clock()
        )
        if is_first:
            self._store.remove(audience.id, audience.people.rows())
        self._change(call, audience, payload, share=share)
        return _taken(audience, payload, part.session_id, received, share=share)

    def _uploaded(self, call: Call) -> tuple[Audience, Payload]:
        """Check what holds for every upload of members."""
        audience = self._audience(call)
        self._demand_terms(audience.account)
        if flagged_fields(audience, self._rules):
            raise errors.upload_blocked()
        payload = read_payload(call.params.get("payload"))
        if audience.attributes.get("data_source", _source_of(payload)) != _source_of(payload):
            raise errors.other_data_source()
        return audience, payload

    def _is_too_small(self, audience: Audience) -> bool:
        return self._store.size(audience.id) < self._rules.removal_floor

    def _enter(self, call: Call, audience: Audience, payload: Payload) -> tuple[int, bool, int]:
        part = read_session(call.params.get("session"))
        if part is None:
            return next(self._own_session_ids), True, payload.received
        counts, received = self._sessions[audience.account].enter(
            part, payload, audience_id=audience.id, method=call.method, at=self._clock()
        )
        return part.session_id, counts, received

    def _change(self, call: Call, audience: Audience, payload: Payload, *, share: float) -> None:
        rows = payload.rows[: round(len(payload.rows) * share)]
        if call.method == "DELETE":
            self._store.remove(audience.id, rows, whole_people=self._rules.removes_whole_people)
        else:
            self._store.add(audience.id, rows, at=format_time(self._clock()))
        self._store.update(
            audience.id,
            attributes={"data_source": _source_of(payload), "updated_at": format_time(self._clock())},
        )

    def _demand_terms(self, account: str) -> None:
        if not self._rules.terms_accepted:
            raise errors.terms_not_accepted(account)

    def _node_of(self, audience: Audience) -> dict[str, object]:
        standing = self._replacements[audience.account].standing(audience.id, self._clock())
        return node_of(
            audience,
            size=self._store.size(audience.id),
            rules=self._rules,
            replacing={"none": None, "running": RUNNING, "failed": FAILED}[standing],
        )


def _source_of(payload: Payload) -> str:
    """What kind of upload an audience is fed by: one kind only."""
    return "multi" if payload.is_multi_key else "single"


def _taken(
    audience: Audience, payload: Payload, session_id: int, received: int, *, share: float
) -> dict[str, object]:
    """Answer an upload; one that was applied in part failed."""
    if share < 1:
        raise GraphError(2, "Service temporarily unavailable", status=503, is_transient=True)
    return {
        "audience_id": audience.id,
        "session_id": str(session_id),
        "num_received": received,
        "num_invalid_entries": payload.invalid,
        "invalid_entry_samples": payload.samples,
    }
