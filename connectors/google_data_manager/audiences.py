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
from connectors.google_lists import Shown, name_taken, names_for, status_of

PAGE_SIZE: Final = 1000
_DAY_S: Final = 86_400
_CLOSED: Final = dm.UserList.MembershipStatus.CLOSED
_OPEN: Final = dm.UserList.MembershipStatus.OPEN
_CONTACTS: Final = dm.IngestedUserListInfo.UploadKeyType.CONTACT_ID
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
            self._set_status(_id_of(found), _OPEN)
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
            self._set_status(remote_id, _CLOSED)
        except GoneError:
            return
        except (RejectedError, UnknownCallError) as error:
            raise FatalError(
                str(error), cure="Close the audience in Google Ads.", scope="audience"
            ) from None

    def show(self, remote_id: str) -> RemoteStatus:
        """Read one audience."""
        request = dm.GetUserListRequest(name=self._name(remote_id))
        return status_of(shown_of(self._client.user_lists("get_user_list", request)))

    def rename(self, remote_id: str, name: str) -> None:
        """Give it the name, or where that is another's the name with a number."""
        for each in names_for(name):
            try:
                self._update(remote_id, "display_name", each)
            except NameTakenError:
                continue
            return
        raise name_taken(name)

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
        for name in names_for(spec.name):
            try:
                return self._client.user_lists("create_user_list", self._create_request(spec, marker, name))
            except NameTakenError:
                found = self._find(marker, filter_text="") if name == spec.name else None
                if found is not None:
                    return found
        raise name_taken(spec.name)

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

    def _set_status(self, remote_id: str, status: Any) -> None:
        self._update(remote_id, "membership_status", status)

    def _update(self, remote_id: str, field: str, value: Any) -> None:
        """Change one field.

        Raises:
            RetryableError: The answer is not the audience: nobody knows what was done.
        """
        request = dm.UpdateUserListRequest(
            user_list=dm.UserList(name=self._name(remote_id), **{field: value}),
            update_mask=field_mask_pb2.FieldMask(paths=[field]),
        )
        if _id_of(self._client.user_lists("update_user_list", request)) != remote_id:
            raise RetryableError("Google did not say that the audience was changed")

    def _name(self, remote_id: str) -> str:
        return f"{self._client.parent}/userLists/{remote_id}"


def shown_of(user_list: Any) -> Shown:
    """Take from the message what matters of it."""
    message = dm.UserList.pb(user_list)
    sizes: tuple[int, ...] = ()
    eligible: dict[str, bool] = {}
    if message.HasField("size_info"):
        told = message.size_info
        sizes = (
            told.search_network_members_count,
            told.youtube_members_count,
            told.display_network_members_count,
            told.gmail_members_count,
        )
    if message.HasField("target_network_info"):
        networks = message.target_network_info
        eligible = {"search": networks.eligible_for_search, "display": networks.eligible_for_display}
    info = message.ingested_user_list_info
    has_days = message.HasField("membership_duration")
    return Shown(
        name=message.display_name,
        description=message.description,
        marker=message.integration_code,
        sizes=sizes,
        eligible=eligible,
        match_rate=info.contact_id_info.match_rate_percentage or None,
        membership=enum_name(message, "membership_status") if message.membership_status else "",
        closing_reason=enum_name(message, "closing_reason"),
        access_reason=enum_name(message, "access_reason"),
        takes_contacts=_CONTACTS in info.upload_key_types if info.upload_key_types else None,
        membership_days=message.membership_duration.seconds // _DAY_S if has_days else None,
    )


def _id_of(user_list: Any) -> str:
    return str(user_list.id) if user_list.id else str(user_list.name).rpartition("/")[2]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
