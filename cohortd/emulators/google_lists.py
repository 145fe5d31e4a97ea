"""The emulated Data Manager's audiences."""

import re
from typing import Any, Final

from google.ads import datamanager_v1 as dm
from google.protobuf import empty_pb2

from cohortd.emulators.google_calls import Problem, RefusedError
from cohortd.emulators.google_filters import matches, parse_filter
from cohortd.emulators.google_state import MAXIMUM_MEMBERSHIP_DAYS, GoogleState
from cohortd.emulators.state import Audience

_PARENT: Final = re.compile(r"accountTypes/GOOGLE_ADS/accounts/(\d+)")
_NAME: Final = re.compile(_PARENT.pattern + r"/userLists/(\d+)")
_DAY_S: Final = 86_400
_PAGE_SIZE: Final = 50
#: Everybody is recognized here, in percent.
_RECOGNIZED: Final = 100
_MAXIMUM_PAGE_SIZE: Final = 1000
_CHANGEABLE: Final = frozenset(
    {"display_name", "description", "membership_status", "integration_code", "membership_duration"}
)


def known_account(state: GoogleState, account: str) -> str:
    """Give the account back, if there is one and we may see it.

    Raises:
        RefusedError: There is none, or we may not: Google does not say which.
    """
    if state.rules.accounts is not None and account not in state.rules.accounts:
        raise RefusedError("PERMISSION_DENIED", Problem("PERMISSION_DENIED"))
    return account


class UserLists:
    """UserListService."""

    def __init__(self, state: GoogleState) -> None:
        self._state = state

    def create(self, request: Any) -> Any:
        """Make an audience."""
        account = self._account_of(request.parent)
        user_list = request.user_list
        problems = list(
            _list_problems(user_list, name_taken=self._state.is_name_taken(account, user_list.display_name))
        )
        if not user_list.ingested_user_list_info.upload_key_types:
            problems.append(
                Problem("REQUIRED_FIELD_MISSING", "user_list.ingested_user_list_info.upload_key_types")
            )
        if not user_list.display_name:
            problems.append(Problem("REQUIRED_FIELD_MISSING", "user_list.display_name"))
        if problems:
            raise _refused(problems)
        if request.validate_only:
            return dm.UserList.pb()()
        days = user_list.membership_duration.seconds // _DAY_S or MAXIMUM_MEMBERSHIP_DAYS
        attributes = {
            "description": user_list.description,
            "integration_code": user_list.integration_code,
            "membership_days": days,
            "closed": user_list.membership_status == dm.UserList.MembershipStatus.CLOSED,
        }
        return self._shown(
            self._state.store.create(account, name=user_list.display_name, attributes=attributes)
        )

    def get(self, request: Any) -> Any:
        """Show an audience."""
        self._state.settle()
        return self._shown(self._audience(request.name))

    def page(self, request: Any) -> Any:
        """Show a page of audiences."""
        self._state.settle()
        account = self._account_of(request.parent)
        terms = parse_filter(request.filter)
        shown = [self._shown(each) for each in self._state.store.audiences(account)]
        found = [each for each in shown if matches(each, terms)]
        if request.page_token and not request.page_token.isdigit():
            raise RefusedError("INVALID_ARGUMENT", Problem("INVALID_PAGE_TOKEN", "page_token"))
        start = int(request.page_token or 0)
        end = start + min(request.page_size or _PAGE_SIZE, _MAXIMUM_PAGE_SIZE)
        answer = dm.ListUserListsResponse.pb()()
        answer.user_lists.extend(found[start:end])
        answer.next_page_token = str(end) if end < len(found) else ""
        return answer

    def update(self, request: Any) -> Any:
        """Change what the mask names."""
        wanted = request.user_list
        audience = self._audience(wanted.name)
        paths = set(request.update_mask.paths) or {field.name for field, _value in wanted.ListFields()} - {
            "name"
        }
        if paths - _CHANGEABLE:
            raise RefusedError("INVALID_ARGUMENT", Problem("INVALID_UPDATE_MASK", "update_mask"))
        taken = self._state.is_name_taken(audience.account, wanted.display_name, but=audience.id)
        problems = _list_problems(wanted, name_taken="display_name" in paths and taken)
        if problems:
            raise _refused(problems)
        if not request.validate_only:
            self._change(audience, wanted, paths)
        return self._shown(audience)

    def delete(self, request: Any) -> Any:
        """Forget an audience."""
        audience = self._audience(request.name)
        if not request.validate_only:
            self._state.store.delete(audience.id)
        return empty_pb2.Empty()

    def _change(self, audience: Audience, wanted: Any, paths: set[str]) -> None:
        values = {
            "description": wanted.description,
            "integration_code": wanted.integration_code,
            "membership_status": wanted.membership_status == dm.UserList.MembershipStatus.CLOSED,
            "membership_duration": wanted.membership_duration.seconds // _DAY_S,
        }
        names = {"membership_status": "closed", "membership_duration": "membership_days"}
        changed = {names.get(path, path): values[path] for path in paths - {"display_name"}}
        name = wanted.display_name if "display_name" in paths else None
        self._state.store.update(audience.id, name=name, attributes=changed)

    def _account_of(self, parent: str) -> str:
        found = _PARENT.fullmatch(parent)
        if found is None:
            raise RefusedError("INVALID_ARGUMENT", Problem("INVALID_RESOURCE_NAME", "parent"))
        return known_account(self._state, found[1])

    def _audience(self, name: str) -> Audience:
        found = _NAME.fullmatch(name)
        if found is None:
            raise RefusedError("INVALID_ARGUMENT", Problem("INVALID_RESOURCE_NAME", "name"))
        audience = self._state.audience(known_account(self._state, found[1]), found[2])
        if audience is None:
            raise RefusedError("NOT_FOUND", Problem("NOT_FOUND"))
        return audience

    def _shown(self, audience: Audience) -> Any:
        shown = dm.UserList.pb()()
        shown.name = f"accountTypes/GOOGLE_ADS/accounts/{audience.account}/userLists/{audience.id}"
        shown.id = int(audience.id)
        shown.display_name = audience.name
        shown.description = str(audience.attributes.get("description", ""))
        shown.integration_code = str(audience.attributes.get("integration_code", ""))
        closed = audience.attributes.get("closed")
        states = dm.UserList.MembershipStatus
        shown.membership_status = states.CLOSED if closed else states.OPEN
        why = str(audience.attributes.get("closing_reason", "CLOSING_REASON_UNSPECIFIED"))
        shown.closing_reason = dm.UserList.ClosingReason[why]
        days = audience.attributes.get("membership_days", MAXIMUM_MEMBERSHIP_DAYS)
        shown.membership_duration.seconds = int(str(days)) * _DAY_S
        reason = str(audience.attributes.get("access_reason", "OWNED"))
        shown.access_reason = dm.UserList.AccessReason[reason]
        key_type = str(audience.attributes.get("key_type", "CONTACT_ID"))
        key_types = shown.ingested_user_list_info.upload_key_types
        key_types.append(dm.IngestedUserListInfo.UploadKeyType[key_type])
        if audience.attributes.get("computed"):
            self._fill_sizes(shown, len(audience.people))
        return shown

    def _fill_sizes(self, shown: Any, size: int) -> None:
        shown.ingested_user_list_info.contact_id_info.match_rate_percentage = _RECOGNIZED
        for network in ("display_network", "search_network", "youtube", "gmail"):
            setattr(shown.size_info, f"{network}_members_count", size)
        usable = size >= self._state.rules.minimum_served
        shown.target_network_info.eligible_for_search = usable
        shown.target_network_info.eligible_for_display = usable


def _list_problems(user_list: Any, *, name_taken: bool) -> list[Problem]:
    problems = []
    seconds = user_list.membership_duration.seconds
    if seconds % _DAY_S or user_list.membership_duration.nanos or seconds < 0:
        problems.append(Problem("INVALID_ARGUMENT", "user_list.membership_duration"))
    elif seconds > MAXIMUM_MEMBERSHIP_DAYS * _DAY_S:
        problems.append(Problem("MEMBERSHIP_DURATION_TOO_LONG", "user_list.membership_duration"))
    if name_taken:
        problems.append(Problem("DISPLAY_NAME_ALREADY_USED", "user_list.display_name"))
    return problems


def _refused(problems: list[Problem]) -> RefusedError:
    taken = any(problem.code == "DISPLAY_NAME_ALREADY_USED" for problem in problems)
    return RefusedError("ALREADY_EXISTS" if taken else "INVALID_ARGUMENT", *problems)
