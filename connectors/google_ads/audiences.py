"""The account's audiences: found by our marker, made, shown and closed.

Our marker is ``user_list.integration_code``, the same as the Data Manager connector writes, so that
an audience can be moved from one to the other. Names are unique in an account and belong to people:
a homonym without our marker is never adopted (it may even be a manager account's,
google/megalista#24), our name then gets a number.
"""

from typing import Any, Final

from google.protobuf import field_mask_pb2

from cohortd.core.delivery import GONE, MARKER, Flag, Marked, RemoteSpec, RemoteStatus
from cohortd.core.errors import FatalError, RejectedError, RetryableError
from connectors.google_access import MAXIMUM_MEMBERSHIP_DAYS, marker_of
from connectors.google_ads.client import AdsClient
from connectors.google_enums import enum_name
from connectors.google_errors import GoneError, NameTakenError, UnknownCallError
from connectors.google_lists import Shown, name_taken, names_for, status_of

_FIND: Final = (
    "SELECT user_list.resource_name, user_list.id, user_list.integration_code, user_list.access_reason, "
    "user_list.membership_status FROM user_list"
)
_LIST: Final = (
    "SELECT user_list.resource_name, user_list.name, user_list.integration_code, user_list.access_reason "
    "FROM user_list"
)
_SHOW: Final = (
    "SELECT user_list.resource_name, user_list.id, user_list.name, user_list.description, "
    "user_list.integration_code, "
    "user_list.size_for_search, user_list.size_for_display, user_list.match_rate_percentage, "
    "user_list.membership_status, user_list.closing_reason, user_list.membership_life_span, "
    "user_list.access_reason, user_list.crm_based_user_list.upload_key_type, "
    "user_list.eligible_for_search, user_list.eligible_for_display FROM user_list "
    "WHERE user_list.id = {id}"
)
_TAKES_CONTACTS: Final = {"CONTACT_INFO": True, "CRM_ID": False, "MOBILE_ADVERTISING_ID": False}
#: A stand-in may know no more fields than these.
_SHOW_LEAST: Final = (
    "SELECT user_list.resource_name, user_list.id, user_list.size_for_search, user_list.size_for_display, "
    "user_list.match_rate_percentage, user_list.membership_status, user_list.eligible_for_search, "
    "user_list.eligible_for_display FROM user_list WHERE user_list.id = {id}"
)
_TERMS: Final = (
    "SELECT customer.id, customer.conversion_tracking_setting.accepted_customer_data_terms "
    "FROM customer LIMIT 1"
)

_ACCOUNT: Final = "SELECT customer.id, customer.status, customer.test_account FROM customer LIMIT 1"
#: States of an account in which nothing can be uploaded, and what to do about each.
_SHUT: Final = {
    "CANCELED": "Re-activate it (Admin, Preferences)",
    "CLOSED": "It cannot be opened again: use another account, which you can make",
    "SUSPENDED": "Appeal the suspension, or settle the payments,",
}


class Audiences:
    """User lists of one account."""

    def __init__(self, client: AdsClient) -> None:
        self._client = client

    def ensure(self, spec: RemoteSpec) -> str:
        """Find ours, open it if it was closed, else make it; return its id."""
        marker = marker_of(spec)
        found = self._find(marker, where=f" WHERE user_list.integration_code = '{_quoted(marker)}'")
        if found is None:
            return self._create(spec, marker)
        if found.membership_status == self._client.enum("UserListMembershipStatusEnum").CLOSED:
            self._set_status(found.resource_name, "OPEN")
        return _id_of(found.resource_name)

    def marked(self) -> list[Marked]:
        """List the account's own audiences that any cohortd made."""
        reasons = self._client.enum("AccessReasonEnum")
        try:
            lists = [row.user_list for row in self._client.search(_LIST)]
        except (GoneError, UnknownCallError) as error:
            self._forgive_a_stand_in(error)
            return []
        return [
            Marked(_id_of(each.resource_name), each.name, each.integration_code)
            for each in lists
            if each.integration_code.startswith(f"{MARKER}:")
            and each.access_reason in (reasons.OWNED, reasons.UNSPECIFIED)
        ]

    def close(self, remote_id: str) -> None:
        """Let nobody in any more; one that is gone is as good as closed."""
        try:
            self._set_status(self._name(remote_id), "CLOSED")
        except GoneError:
            return
        except (RejectedError, UnknownCallError) as error:
            raise FatalError(
                str(error), cure="Close the audience in Google Ads.", scope="audience"
            ) from None

    def show(self, remote_id: str) -> RemoteStatus:
        """Read one audience."""
        try:
            rows = self._client.search(_SHOW.format(id=int(remote_id)))
        except RejectedError:
            rows = self._client.search(_SHOW_LEAST.format(id=int(remote_id)))
        for row in rows:
            if _id_of(row.user_list.resource_name) == remote_id:
                return status_of(_shown_of(row.user_list))
        return RemoteStatus(state=GONE, usable=False, flags=(Flag.GONE,))

    def terms(self) -> bool | None:
        """Tell whether the customer data terms are accepted, where Google says."""
        for row in self._client.search(_TERMS):
            if row.customer.HasField("conversion_tracking_setting"):
                setting = row.customer.conversion_tracking_setting
                # A bare false is also what is sent where nothing is known.
                return True if setting.accepted_customer_data_terms else None
        return None

    def rename(self, remote_id: str, name: str) -> None:
        """Give it the name, or where that is another's the name with a number."""
        for each in names_for(name):
            try:
                self._update(self._name(remote_id), "name", each)
            except NameTakenError:
                continue
            return
        raise name_taken(name)

    def probe(self) -> None:
        """Read the account, to see whether we may and whether it is open.

        Raises:
            FatalError: It is suspended, canceled or closed.
        """
        try:
            rows = self._client.search(_ACCOUNT)
        except (UnknownCallError, RejectedError) as error:
            self._forgive_a_stand_in(error)
            return
        for row in rows:
            status = enum_name(row.customer, "status")
            # Every test account is shown as closed.
            if status in _SHUT and not row.customer.test_account:
                raise FatalError(f"the account is {status.lower()}", cure=f"{_SHUT[status]} in Google Ads.")

    def rehearse(self) -> None:
        """Have Google check the making of an audience without making it: terms, eligibility, access."""
        spec = RemoteSpec("check", "cohortd check", "Never made: only to see whether it could be.")
        request = self._create_request(spec, marker_of(spec), spec.name)
        request.validate_only = True
        try:
            self._client.call("UserListService", "mutate_user_lists", request)
        except NameTakenError:
            return

    def _create(self, spec: RemoteSpec, marker: str) -> str:
        for name in names_for(spec.name):
            try:
                return _id_of(self._mutate(self._create_request(spec, marker, name)))
            except NameTakenError:
                found = self._find(marker, where="") if name == spec.name else None
                if found is not None:
                    return _id_of(found.resource_name)
        raise name_taken(spec.name)

    def _mutate(self, request: Any) -> str:
        """Make or change one audience; return its resource name.

        Raises:
            RetryableError: Google does not name it: nobody knows what was done.
        """
        answer = self._client.call("UserListService", "mutate_user_lists", request)
        names = [str(result.resource_name) for result in answer.results]
        if len(names) != 1 or not names[0]:
            raise RetryableError("Google did not say which audience it made or changed")
        return names[0]

    def _create_request(self, spec: RemoteSpec, marker: str, name: str) -> Any:
        request = self._client.message("MutateUserListsRequest")
        request.customer_id = self._client.customer
        user_list = request.operations.add().create
        user_list.name, user_list.description, user_list.integration_code = name, spec.description, marker
        user_list.membership_life_span = spec.membership_days or MAXIMUM_MEMBERSHIP_DAYS
        user_list.membership_status = self._client.enum("UserListMembershipStatusEnum").OPEN
        key_types = self._client.enum("CustomerMatchUploadKeyTypeEnum")
        user_list.crm_based_user_list.upload_key_type = key_types.CONTACT_INFO
        sources = self._client.enum("UserListCrmDataSourceTypeEnum")
        user_list.crm_based_user_list.data_source_type = sources.FIRST_PARTY
        return request

    def _find(self, marker: str, *, where: str) -> Any | None:
        reasons = self._client.enum("AccessReasonEnum")
        try:
            rows = self._client.search(_FIND + where)
        except RejectedError:
            if not where:
                raise
            return self._find(marker, where="")
        except (GoneError, UnknownCallError) as error:
            self._forgive_a_stand_in(error)
            return None
        for row in rows:
            user_list = row.user_list
            ours = user_list.access_reason in (reasons.OWNED, reasons.UNSPECIFIED)
            if user_list.integration_code == marker and ours:
                return user_list
        return None

    def _forgive_a_stand_in(self, error: FatalError | RejectedError) -> None:
        """Go on where a stand-in does not list; where Google does not, nothing is made a second time."""
        if not self._client.is_stand_in:
            raise error

    def _set_status(self, resource_name: str, status: str) -> None:
        value = getattr(self._client.enum("UserListMembershipStatusEnum"), status)
        self._update(resource_name, "membership_status", value)

    def _update(self, resource_name: str, field: str, value: Any) -> None:
        request = self._client.message("MutateUserListsRequest")
        request.customer_id = self._client.customer
        operation = request.operations.add()
        operation.update.resource_name = resource_name
        setattr(operation.update, field, value)
        operation.update_mask.CopyFrom(field_mask_pb2.FieldMask(paths=[field]))
        if self._mutate(request) != resource_name:
            raise RetryableError("Google named another audience than the one to change")

    def _name(self, remote_id: str) -> str:
        return f"customers/{self._client.customer}/userLists/{remote_id}"


def _shown_of(user_list: Any) -> Shown:
    """Take from the message what matters of it."""
    key_types = user_list.crm_based_user_list
    key_type = enum_name(key_types, "upload_key_type")
    eligible = {
        network: bool(getattr(user_list, f"eligible_for_{network}"))
        for network in ("search", "display")
        if user_list.HasField(f"eligible_for_{network}")
    }
    return Shown(
        name=user_list.name,
        description=user_list.description,
        marker=user_list.integration_code,
        sizes=tuple(
            int(getattr(user_list, name))
            for name in ("size_for_search", "size_for_display")
            if user_list.HasField(name)
        ),
        eligible=eligible,
        match_rate=user_list.match_rate_percentage if user_list.HasField("match_rate_percentage") else None,
        membership=enum_name(user_list, "membership_status") if user_list.membership_status else "",
        closing_reason=enum_name(user_list, "closing_reason"),
        access_reason=enum_name(user_list, "access_reason"),
        takes_contacts=_TAKES_CONTACTS.get(key_type),
        membership_days=user_list.membership_life_span
        if user_list.HasField("membership_life_span")
        else None,
    )


def _id_of(resource_name: str) -> str:
    return resource_name.rpartition("/")[2]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
