"""The account's audiences: found by our marker, made, shown and closed.

Our marker is ``integration_code``. Names are unique in an account and belong to people: a homonym
without our marker is never adopted, our name then gets a number. Filters are asked for and every
result is looked at all the same, since a stand-in may not know filters.
"""

from collections.abc import Iterator
from typing import Any, Final

from google.ads import datamanager_v1 as dm
from google.protobuf import duration_pb2, field_mask_pb2

from cohortd.core.delivery import MARKER, Marked, RemoteSpec, RemoteStatus
from cohortd.core.errors import FatalError, RejectedError, RetryableError
from connectors.google_access import MAXIMUM_MEMBERSHIP_DAYS, marker_of
from connectors.google_data_manager.client import DataManagerClient
from connectors.google_enums import enum_name
from connectors.google_errors import GoneError, NameTakenError, UnknownCallError

PAGE_SIZE: Final = 1000
_NAMES_TRIED: Final = 10
_DAY_S: Final = 86_400
_CLOSED: Final = dm.UserList.MembershipStatus.CLOSED
_OPEN: Final = dm.UserList.MembershipStatus.OPEN
_OURS: Final = (dm.UserList.AccessReason.OWNED, dm.UserList.AccessReason.ACCESS_REASON_UNSPECIFIED)


class Audiences:
    """User lists of one account."""

    def __init__(self, client: DataManagerClient) -> None:
        self._client = client

    def ensure(self, spec: RemoteSpec) -> str:
        """Find ours, open it if it was closed, else make it; return its id."""
        marker = marker_of(spec)
        found = self._find(
            marker, filter_text=f'integration_code = "{_quoted(marker)}" AND access_reason = OWNED'
        )
        if found is None:
            made = _id_of(self._create(spec, marker))
            if not made:
                raise RetryableError("Google made an audience without saying its id")
            return made
        if found.membership_status == _CLOSED:
            self._set_status(found.name or self._name(_id_of(found)), _OPEN)
        return _id_of(found)

    def marked(self) -> list[Marked]:
        """List the account's own audiences that any cohortd made."""
        try:
            return [
                Marked(_id_of(each), each.display_name, each.integration_code)
                for each in self._pages("")
                if each.integration_code.startswith(f"{MARKER}:") and each.access_reason in _OURS
            ]
        except (GoneError, UnknownCallError) as error:
            self._forgive_a_stand_in(error)
            return []

    def close(self, remote_id: str) -> None:
        """Let nobody in any more; one that is gone is as good as closed."""
        try:
            self._set_status(self._name(remote_id), _CLOSED)
        except GoneError:
            return
        except (RejectedError, UnknownCallError) as error:
            raise FatalError(
                str(error), cure="Close the audience in Google Ads.", scope="audience"
            ) from None

    def show(self, remote_id: str) -> RemoteStatus:
        """Read one audience."""
        request = dm.GetUserListRequest(name=self._name(remote_id))
        return status_of(self._client.user_lists("get_user_list", request))

    def probe(self) -> None:
        """Read one page, to see whether we may; a stand-in need not list."""
        request = dm.ListUserListsRequest(parent=self._client.parent, page_size=1)
        try:
            self._client.user_lists("list_user_lists", request)
        except UnknownCallError as error:
            self._forgive_a_stand_in(error)

    def rehearse(self) -> None:
        """Have Google check the making of an audience without making it: terms, eligibility, access."""
        spec = RemoteSpec("check", "cohortd check", "Never made: only to see whether it could be.")
        request = self._create_request(spec, marker_of(spec), spec.name)
        request.validate_only = True
        try:
            self._client.user_lists("create_user_list", request)
        except NameTakenError:
            return

    def _create(self, spec: RemoteSpec, marker: str) -> Any:
        for number in range(1, _NAMES_TRIED + 1):
            name = spec.name if number == 1 else f"{spec.name} ({number})"
            try:
                return self._client.user_lists("create_user_list", self._create_request(spec, marker, name))
            except NameTakenError:
                found = self._find(marker, filter_text="") if number == 1 else None
                if found is not None:
                    return found
        raise FatalError(
            f"the name of audience {spec.audience} is taken in this account, and so are variants of it",
            cure="Give the audience another name in the settings.",
            scope="audience",
        )

    def _create_request(self, spec: RemoteSpec, marker: str, name: str) -> Any:
        days = spec.membership_days or MAXIMUM_MEMBERSHIP_DAYS
        contact = dm.ContactIdInfo(data_source_type=dm.DataSourceType.DATA_SOURCE_TYPE_FIRST_PARTY)
        info = dm.IngestedUserListInfo(
            upload_key_types=[dm.IngestedUserListInfo.UploadKeyType.CONTACT_ID], contact_id_info=contact
        )
        user_list = dm.UserList(
            display_name=name,
            description=spec.description,
            membership_status=_OPEN,
            integration_code=marker,
            membership_duration=duration_pb2.Duration(seconds=days * _DAY_S),
            ingested_user_list_info=info,
        )
        return dm.CreateUserListRequest(parent=self._client.parent, user_list=user_list)

    def _find(self, marker: str, *, filter_text: str) -> Any | None:
        try:
            for user_list in self._pages(filter_text):
                if user_list.integration_code == marker and user_list.access_reason in _OURS:
                    return user_list
        except RejectedError:
            if filter_text:
                return self._find(marker, filter_text="")
            raise
        except (GoneError, UnknownCallError) as error:
            self._forgive_a_stand_in(error)
        return None

    def _forgive_a_stand_in(self, error: FatalError | RejectedError) -> None:
        """Go on where a stand-in does not list; where Google does not, nothing is made a second time."""
        if not self._client.is_stand_in:
            raise error

    def _pages(self, filter_text: str) -> Iterator[Any]:
        token = ""
        while True:
            request = dm.ListUserListsRequest(
                parent=self._client.parent, page_size=PAGE_SIZE, page_token=token, filter=filter_text
            )
            # The pager's first page is here already; further ones are asked for with a fresh token.
            page = next(self._client.user_lists("list_user_lists", request).pages)
            yield from page.user_lists
            if not page.next_page_token or page.next_page_token == token:
                return
            token = page.next_page_token

    def _set_status(self, name: str, status: Any) -> None:
        request = dm.UpdateUserListRequest(
            user_list=dm.UserList(name=name, membership_status=status),
            update_mask=field_mask_pb2.FieldMask(paths=["membership_status"]),
        )
        self._client.user_lists("update_user_list", request)

    def _name(self, remote_id: str) -> str:
        return f"{self._client.parent}/userLists/{remote_id}"


def status_of(user_list: Any) -> RemoteStatus:
    """Say what Google shows of an audience; networks differ, so its size is a range."""
    message = dm.UserList.pb(user_list)
    lower = upper = usable = rate = None
    if message.HasField("size_info"):
        sizes = message.size_info
        counts = [sizes.search_network_members_count, sizes.youtube_members_count]
        counts += [sizes.display_network_members_count, sizes.gmail_members_count]
        lower, upper = min(counts), max(counts)
    if message.HasField("target_network_info"):
        networks = message.target_network_info
        usable = networks.eligible_for_search or networks.eligible_for_display
    percentage = message.ingested_user_list_info.contact_id_info.match_rate_percentage
    if percentage:
        rate = f"{percentage}%"
    state = (
        enum_name(message, "membership_status").lower()
        if message.membership_status
        else "Google says nothing"
    )
    return RemoteStatus(size_lower=lower, size_upper=upper, match_rate=rate, state=state, usable=usable)


def _id_of(user_list: Any) -> str:
    return str(user_list.id) if user_list.id else str(user_list.name).rpartition("/")[2]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
