"""The emulated Google Ads API: user lists, offline user data jobs and the queries about them.

The messages of v26 serve every version: what is used of them reads the same on the wire.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from google.ads.googleads.v26.services.types import google_ads_service as search_types
from google.ads.googleads.v26.services.types import offline_user_data_job_service as job_types
from google.ads.googleads.v26.services.types import user_list_service as list_types

from cohortd.emulators.google_calls import Problem, RefusedError, Words
from cohortd.emulators.google_gaql import Query, chosen, parse
from cohortd.emulators.google_jobs import LIST_NAME, Jobs, known_customer, partial_failure
from cohortd.emulators.google_state import MAXIMUM_MEMBERSHIP_DAYS, GoogleState
from cohortd.emulators.google_wire import enum_number
from cohortd.emulators.state import Audience


def _problem(code: str, row: int | None) -> Problem:
    return Problem(code) if row is None else Problem(code, "operations", row)


def _warn(answer: Any, code: str, row: int) -> None:
    if "warning" in answer.DESCRIPTOR.fields_by_name:
        answer.warning.CopyFrom(partial_failure([_problem(code, row)]))


WORDS: Final = Words(
    quota="quota_error.RESOURCE_TEMPORARILY_EXHAUSTED",
    token_expired="authentication_error.OAUTH_TOKEN_EXPIRED",  # noqa: S106 - a code
    internal="internal_error.INTERNAL_ERROR",
    problem=_problem,
    warn=_warn,
)


#: How the Data Manager names what a list takes -> how Google Ads does.
_KEY_TYPES: Final = {
    "CONTACT_ID": "CONTACT_INFO",
    "MOBILE_ID": "MOBILE_ADVERTISING_ID",
    "USER_ID": "CRM_ID",
}


class GoogleAds:
    """The three services that audiences need."""

    def __init__(self, state: GoogleState) -> None:
        self._state = state
        self._jobs = Jobs(state)

    def methods(self) -> Mapping[str, tuple[str, type, Callable[[Any], Any]]]:
        """Service/Method -> the call's name, the request's wrapper class and who answers it."""
        service, jobs = "OfflineUserDataJobService", self._jobs
        return {
            "UserListService/MutateUserLists": (
                "ads.user_lists.mutate",
                list_types.MutateUserListsRequest,
                self.mutate,
            ),
            f"{service}/CreateOfflineUserDataJob": (
                "ads.jobs.create",
                job_types.CreateOfflineUserDataJobRequest,
                jobs.create,
            ),
            f"{service}/AddOfflineUserDataJobOperations": (
                "ads.jobs.add",
                job_types.AddOfflineUserDataJobOperationsRequest,
                jobs.add_operations,
            ),
            f"{service}/RunOfflineUserDataJob": (
                "ads.jobs.run",
                job_types.RunOfflineUserDataJobRequest,
                jobs.run,
            ),
            "GoogleAdsService/Search": ("ads.search", search_types.SearchGoogleAdsRequest, self.search),
            "GoogleAdsService/SearchStream": (
                "ads.search_stream",
                search_types.SearchGoogleAdsStreamRequest,
                self.search_stream,
            ),
        }

    def mutate(self, request: Any) -> Any:
        """Make, change or forget audiences."""
        customer = known_customer(self._state, request.customer_id)
        answer = list_types.MutateUserListsResponse.pb()()
        for index, operation in enumerate(request.operations):
            match operation.WhichOneof("operation"):
                case "create":
                    name = self._create(customer, operation.create, index, dry=request.validate_only)
                case "update":
                    name = self._update(operation, index, dry=request.validate_only)
                case _:
                    audience = self._audience(operation.remove, index)
                    name = operation.remove
                    if not request.validate_only:
                        self._state.store.delete(audience.id)
            if not request.validate_only:
                answer.results.add().resource_name = name
        return answer

    def search(self, request: Any) -> Any:
        """Answer a query, all of it in one page."""
        answer = search_types.SearchGoogleAdsResponse.pb()()
        answer.results.extend(self._rows(request))
        return answer

    def search_stream(self, request: Any) -> Any:
        """Answer a query in one message."""
        answer = search_types.SearchGoogleAdsStreamResponse.pb()()
        answer.results.extend(self._rows(request))
        return answer

    def _rows(self, request: Any) -> list[Any]:
        customer = known_customer(self._state, request.customer_id)
        query = parse(request.query)
        self._state.settle()
        return [chosen(row, query) for row in self._all(customer, query) if query.holds(row)][: query.limit]

    def _all(self, customer: str, query: Query) -> Iterator[Any]:
        if query.resource == "customer":
            row = search_types.GoogleAdsRow.pb()()
            row.customer.resource_name, row.customer.id = f"customers/{customer}", int(customer)
            row.customer.status = enum_number(row.customer, "status", self._state.rules.account_status)
            accepted = self._state.rules.terms_accepted
            row.customer.conversion_tracking_setting.accepted_customer_data_terms = accepted
            yield row
        elif query.resource == "user_list":
            for audience in self._state.store.audiences(customer):
                row = search_types.GoogleAdsRow.pb()()
                self._show(audience, row.user_list)
                yield row
        else:
            yield from self._jobs.rows(customer)

    def _show(self, audience: Audience, shown: Any) -> None:
        shown.resource_name = f"customers/{audience.account}/userLists/{audience.id}"
        shown.id, shown.name = int(audience.id), audience.name
        shown.description = str(audience.attributes.get("description", ""))
        shown.integration_code = str(audience.attributes.get("integration_code", ""))
        shown.membership_life_span = int(str(audience.attributes.get("membership_days", 540)))
        state = "CLOSED" if audience.attributes.get("closed") else "OPEN"
        shown.membership_status = enum_number(shown, "membership_status", state)
        reason = str(audience.attributes.get("access_reason", "OWNED"))
        shown.access_reason = enum_number(shown, "access_reason", reason)
        why = str(audience.attributes.get("closing_reason", "UNSPECIFIED"))
        shown.closing_reason = enum_number(shown, "closing_reason", why)
        shown.type_ = enum_number(shown, "type_", "CRM_BASED")
        key_types = shown.crm_based_user_list
        key_type = _KEY_TYPES[str(audience.attributes.get("key_type", "CONTACT_ID"))]
        key_types.upload_key_type = enum_number(key_types, "upload_key_type", key_type)
        if audience.attributes.get("computed"):
            size = len(audience.people)
            shown.size_for_search = shown.size_for_display = size
            shown.match_rate_percentage = 100  # everybody is recognized here
            usable = size >= self._state.rules.minimum_served
            shown.eligible_for_search = shown.eligible_for_display = usable

    def _create(self, customer: str, wanted: Any, index: int, *, dry: bool) -> str:
        if wanted.WhichOneof("user_list") != "crm_based_user_list":
            raise RefusedError(
                "INVALID_ARGUMENT", Problem("user_list_error.CONCRETE_TYPE_REQUIRED", "operations", index)
            )
        self._check(wanted, index, taken=self._state.is_name_taken(customer, wanted.name))
        if not wanted.name:
            raise RefusedError(
                "INVALID_ARGUMENT", Problem("user_list_error.INVALID_NAME", "operations", index)
            )
        if dry:
            return ""
        attributes = {
            "description": wanted.description,
            "integration_code": wanted.integration_code,
            "membership_days": wanted.membership_life_span or MAXIMUM_MEMBERSHIP_DAYS,
            "closed": wanted.membership_status == enum_number(wanted, "membership_status", "CLOSED"),
        }
        audience = self._state.store.create(customer, name=wanted.name, attributes=attributes)
        return f"customers/{customer}/userLists/{audience.id}"

    def _update(self, operation: Any, index: int, *, dry: bool) -> str:
        wanted = operation.update
        audience = self._audience(wanted.resource_name, index)
        paths = set(operation.update_mask.paths)
        taken = "name" in paths and self._state.is_name_taken(
            audience.account, wanted.name, but=audience.id
        )
        self._check(wanted, index, taken=taken)
        closed = wanted.membership_status == enum_number(wanted, "membership_status", "CLOSED")
        values = {
            "description": wanted.description,
            "integration_code": wanted.integration_code,
            "membership_life_span": wanted.membership_life_span,
            "membership_status": closed,
        }
        names = {"membership_status": "closed", "membership_life_span": "membership_days"}
        changed = {names.get(path, path): value for path, value in values.items() if path in paths}
        if not dry:
            name = wanted.name if "name" in paths else None
            self._state.store.update(audience.id, name=name, attributes=changed)
        return str(wanted.resource_name)

    def _check(self, wanted: Any, index: int, *, taken: bool) -> None:
        if wanted.membership_life_span > MAXIMUM_MEMBERSHIP_DAYS:
            raise RefusedError("INVALID_ARGUMENT", Problem("range_error.TOO_HIGH", "operations", index))
        if taken:
            raise RefusedError(
                "INVALID_ARGUMENT", Problem("user_list_error.NAME_ALREADY_USED", "operations", index)
            )

    def _audience(self, resource_name: str, index: int) -> Audience:
        found = LIST_NAME.fullmatch(resource_name)
        audience = self._state.audience(found[1], found[2]) if found else None
        if audience is None:
            raise RefusedError("NOT_FOUND", Problem("mutate_error.RESOURCE_NOT_FOUND", "operations", index))
        return audience
