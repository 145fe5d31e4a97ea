"""The vendors' clients as their documents show them: an object a member, the SDK's helper.

Everything is given what it needs beforehand, digests as hexadecimal text: only building and sending count.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import grpc
from facebook_business.adobjects.customaudience import CustomAudience
from facebook_business.api import FacebookAdsApi, FacebookSession
from google.ads import datamanager_v1 as dm
from google.auth.credentials import AnonymousCredentials

from benchmarks.connectors.ours import ACCOUNT, TOKEN
from cohortd.core.identifiers import Family, IdentifierKind, Member
from cohortd.core.payloads import unpack
from connectors.google_ads.client import LoopbackAdsClient

Contacts = Sequence[tuple[IdentifierKind, str, dict[str, str]]]
_MOST_BYTES = 64 * 1024 * 1024
_VERSION = "v26"


def contacts_of(members: Sequence[Member]) -> list[Contacts]:
    """Have ready what a script would have read from its own table."""
    return [
        [(each.kind, each.digest.hex(), unpack(each.payload)) for each in m.identifiers] for m in members
    ]


class DataManager:
    """Google's samples of the Data Manager API: proto-plus objects."""

    def __init__(self, endpoint: str, remote_id: str, members: Sequence[Member]) -> None:
        self._remote_id, self._people = remote_id, contacts_of(members)
        channel = grpc.insecure_channel(
            endpoint.removeprefix("grpc://"), options=(("grpc.max_receive_message_length", _MOST_BYTES),)
        )
        kind = dm.IngestionServiceClient
        self._client = kind(transport=kind.get_transport_class("grpc")(channel=channel))

    def build(self) -> int:
        """Build a request down to its bytes."""
        return len(dm.IngestAudienceMembersRequest.serialize(self._request()))

    def send(self) -> None:
        """Send it, and ask until it is done."""
        answer = self._client.ingest_audience_members(request=self._request())
        processing = dm.RequestStatusPerDestination.RequestStatus.PROCESSING
        while True:
            asked = dm.RetrieveRequestStatusRequest(request_id=answer.request_id)
            told = self._client.retrieve_request_status(request=asked)
            if all(each.request_status != processing for each in told.request_status_per_destination):
                return

    def _request(self) -> Any:
        account = dm.ProductAccount(
            account_id=ACCOUNT, account_type=dm.ProductAccount.AccountType.GOOGLE_ADS
        )
        granted = dm.ConsentStatus.CONSENT_GRANTED
        return dm.IngestAudienceMembersRequest(
            destinations=[
                dm.Destination(operating_account=account, product_destination_id=self._remote_id)
            ],
            audience_members=[
                dm.AudienceMember(
                    user_data=dm.UserData(user_identifiers=[_identifier(each) for each in person])
                )
                for person in self._people
            ],
            consent=dm.Consent(ad_user_data=granted, ad_personalization=granted),
            encoding=dm.Encoding.HEX,
            terms_of_service=dm.TermsOfService(
                customer_match_terms_of_service_status=dm.TermsOfServiceStatus.ACCEPTED
            ),
        )


class GoogleAds:
    """Google's samples of offline user data jobs: proto-plus objects by ``get_type``."""

    def __init__(self, endpoint: str, remote_id: str, members: Sequence[Member]) -> None:
        self._remote_id, self._people = remote_id, contacts_of(members)
        self._client = LoopbackAdsClient(
            credentials=AnonymousCredentials(),
            developer_token=None,
            endpoint=endpoint.removeprefix("grpc://"),
            version=_VERSION,
            use_proto_plus=True,
        )
        self._service = self._client.get_service("OfflineUserDataJobService")

    def build(self) -> int:
        """Build the requests down to their bytes."""
        return sum(len(type(each).serialize(each)) for each in self._requests(f"customers/{ACCOUNT}"))

    def send(self) -> None:
        """Make a job, fill it, run it."""
        job = self._client.get_type("OfflineUserDataJob")
        job.type_ = self._client.enums.OfflineUserDataJobTypeEnum.CUSTOMER_MATCH_USER_LIST
        metadata = job.customer_match_user_list_metadata
        metadata.user_list = f"customers/{ACCOUNT}/userLists/{self._remote_id}"
        granted = self._client.enums.ConsentStatusEnum.GRANTED
        metadata.consent.ad_user_data = metadata.consent.ad_personalization = granted
        name = self._service.create_offline_user_data_job(customer_id=ACCOUNT, job=job).resource_name
        for request in self._requests(name):
            self._service.add_offline_user_data_job_operations(request=request)
        self._service.run_offline_user_data_job(resource_name=name)

    def _requests(self, job: str) -> list[Any]:
        """Calls of at most 10,000 identifiers, as Google recommends and the connector makes them."""
        most = 10_000 // max(map(len, self._people))
        starts = range(0, len(self._people), most)
        return [self._request(job, self._people[start : start + most]) for start in starts]

    def _request(self, job: str, people: Sequence[Contacts]) -> Any:
        request = self._client.get_type("AddOfflineUserDataJobOperationsRequest")
        request.resource_name = job
        request.enable_partial_failure = True
        request.operations = [self._operation(person) for person in people]
        return request

    def _operation(self, person: Contacts) -> Any:
        operation = self._client.get_type("OfflineUserDataJobOperation")
        for kind, digest, values in person:
            identifier = self._client.get_type("UserIdentifier")
            if kind is IdentifierKind.EMAIL:
                identifier.hashed_email = digest
            elif kind is IdentifierKind.PHONE:
                identifier.hashed_phone_number = digest
            else:
                identifier.address_info.hashed_first_name = values["given_name"]
                identifier.address_info.hashed_last_name = values["family_name"]
                identifier.address_info.country_code = values["region_code"]
                identifier.address_info.postal_code = values["postal_code"]
            operation.create.user_identifiers.append(identifier)
        return operation


class Meta:
    """``CustomAudience.add_users`` of the SDK; from digests, or from text that it normalizes and hashes."""

    def __init__(
        self,
        endpoint: str,
        remote_id: str,
        members: Sequence[Member],
        *,
        raw: list[list[str]] | None = None,
    ) -> None:
        session = FacebookSession(None, None, TOKEN)
        session.GRAPH = endpoint
        session.requests.trust_env = False
        self._audience = CustomAudience(remote_id, api=FacebookAdsApi(session, api_version="v26.0"))
        self._people, self._raw = contacts_of(members), raw

    def build(self) -> int:
        """Build a request down to its bytes, as the SDK and ``requests`` do."""
        schema, users = self._users()
        params = CustomAudience.format_params(schema, users, is_raw=True, pre_hashed=self._raw is None)
        text = json.dumps(params["payload"], sort_keys=True, separators=(",", ":"))
        return len(urlencode({"payload": text}))

    def send(self) -> None:
        """Send it."""
        schema, users = self._users()
        self._audience.add_users(schema, users, is_raw=True, pre_hashed=self._raw is None)

    def _users(self) -> tuple[list[str], list[list[str]]]:
        if self._raw is not None:
            return ["EMAIL", "PHONE"], self._raw
        profile = sorted(self._people[0][0][2])
        schema = ["EMAIL", "PHONE", *profile]
        users = []
        for person in self._people:
            by_kind = {kind: digest for kind, digest, _ in person}
            values = person[0][2]
            users.append(
                [
                    by_kind.get(IdentifierKind.EMAIL, ""),
                    by_kind.get(IdentifierKind.PHONE, ""),
                    *(values.get(key, "") for key in profile),
                ]
            )
        return schema, users


def family_of(platform: str) -> Family:
    """Whose members a platform takes."""
    return Family.META if platform == "meta" else Family.GOOGLE


def client_of(platform: str) -> Callable[[str, str, Sequence[Member]], Any]:
    """The naive client of a platform."""
    return {"google_data_manager": DataManager, "google_ads": GoogleAds, "meta": Meta}[platform]


def _identifier(contact: tuple[IdentifierKind, str, dict[str, str]]) -> Any:
    kind, digest, values = contact
    if kind is IdentifierKind.EMAIL:
        return dm.UserIdentifier(email_address=digest)
    if kind is IdentifierKind.PHONE:
        return dm.UserIdentifier(phone_number=digest)
    return dm.UserIdentifier(address=dm.AddressInfo(**values))
