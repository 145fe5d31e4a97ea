"""How Meta shows accounts and audiences, and what the emulated platform is strict about."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from cohortd.emulators import meta_errors as errors
from cohortd.emulators.state import Audience

FLAGGED_WORDS = ("arthritis", "diabetes", "cancer", "credit score", "high income", "low income", "bankrupt")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaRules:
    """What the emulated platform is strict about; the defaults are a healthy, fully approved account."""

    #: The only good token; None takes any.
    token: str | None = None
    #: Demands calls signed with it.
    app_secret: str | None = field(default=None, repr=False)
    #: The accounts that exist (``act_1``); None for any.
    accounts: frozenset[str] | None = None
    terms_accepted: bool = True
    #: What the token may do.
    permissions: frozenset[str] = frozenset({"ads_management", "ads_read"})
    #: Meta's number of the accounts' state: 1 is active.
    account_status: int = 1
    #: Whether the accounts belong to a business portfolio.
    owned_by_business: bool = True
    flagged_words: tuple[str, ...] = FLAGGED_WORDS
    #: Removals are refused while an audience has fewer people; 0 never refuses.
    removal_floor: int = 0
    #: Whether members may be replaced in an audience that is too small to remove from: undocumented.
    replaces_small: bool = True
    #: Fewer people are not delivered to, and not counted in public.
    delivery_floor: int = 100
    #: Whether a removal takes the whole person away or only the identifiers it names. Meta's documents
    #: allow both readings (a row may be removed by "some or all" of its keys).
    removes_whole_people: bool = False
    calls_per_hour: int = 190_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call: ``path`` without version, ``params`` from the query and the form."""

    method: str
    path: tuple[str, ...]
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    body: Mapping[str, object] | str
    headers: Mapping[str, str] = field(default_factory=dict)


def flagged_fields(audience: Audience, rules: MetaRules) -> list[str]:
    """The fields that hold a word Meta flags."""
    fields = {"name": audience.name, "description": str(audience.attributes.get("description", ""))}
    return [
        name for name, text in fields.items() if any(word in text.lower() for word in rules.flagged_words)
    ]


def operation_of(audience: Audience, *, flagged: bool, replacing: int | None) -> int:
    """The code of ``operation_status``; a test may have set one."""
    told = audience.attributes.get("operation")
    if isinstance(told, int):
        return told
    if flagged:
        return 471
    if replacing is not None:
        return replacing
    return 200 if audience.attributes.get("updated_at") else 410


def node_of(
    audience: Audience, *, size: int, rules: MetaRules, replacing: int | None = None
) -> dict[str, object]:
    """An audience with all its fields.

    Args:
        replacing: The code of a replacement that runs or failed, if one did.
    """
    flagged = flagged_fields(audience, rules)
    lower, upper = _bounds(size, floor=rules.delivery_floor)
    updated = audience.attributes.get("updated_at")
    operation = operation_of(audience, flagged=bool(flagged), replacing=replacing)
    delivery = 400 if flagged else 200 if size >= rules.delivery_floor else 300
    return {
        "id": audience.id,
        "account_id": str(audience.attributes.get("owner", audience.account.removeprefix("act_"))),
        "name": audience.name,
        "description": audience.attributes.get("description", ""),
        "subtype": "CUSTOM",
        "customer_file_source": audience.attributes.get("customer_file_source"),
        "retention_days": audience.attributes.get("retention_days"),
        "operation_status": {"code": operation, "description": ""},
        "delivery_status": {"code": delivery, "description": ""},
        "approximate_count_lower_bound": lower,
        "approximate_count_upper_bound": upper,
        "time_content_updated": updated,
        "delete_time": audience.attributes.get("delete_time", 0),
        "fields_violating_integrity_policy": flagged,
    }


def chosen(node: Mapping[str, object], call: Call) -> dict[str, object]:
    """The node's fields that a call asks for."""
    wanted = [name for name in call.params.get("fields", "id").split(",") if name]
    for name in wanted:
        if name not in node:
            raise errors.invalid(f"Tried accessing nonexisting field ({name})")
    return {name: node[name] for name in dict.fromkeys(["id", *wanted])}


def whole_number(call: Call, name: str, default: int) -> int:
    """A positive whole number among the parameters."""
    text = call.params.get(name, str(default))
    if not text.isdigit() or (name in call.params and int(text) < 1):
        raise errors.invalid(f"{name} must be a positive integer")
    return int(text)


def cursor_of(audience: Audience) -> str:
    """The opaque place after an audience."""
    return base64.urlsafe_b64encode(audience.id.encode()).decode()


def after_of(call: Call) -> int:
    """The id after which a page begins."""
    try:
        return int(base64.urlsafe_b64decode(call.params.get("after", "") or "MA=="))
    except ValueError:
        raise errors.invalid("The after cursor specified is invalid") from None


def _bounds(size: int, *, floor: int) -> tuple[int, int]:
    """Two digits that count, as the ad manager shows them; -1 where the audience is too small to tell."""
    if size < floor:
        return -1, -1
    step = 10 ** max(0, len(str(size)) - 2)
    return size // step * step, -(-size // step) * step
