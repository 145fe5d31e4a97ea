"""From a batch to the operations of an offline user data job.

- An operation holds one person and at most 20 identifiers, each in a UserIdentifier of its own;
  a request at most 100,000 identifiers, 10,000 recommended
  (developers.google.com/google-ads/api/docs/remarketing/audience-segments/customer-match/get-started).
- Consent belongs to the job: op-level consent is ignored where job-level is expected.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cohortd.core.delivery import Action, Batch
from cohortd.core.identifiers import Identifier, IdentifierKind
from cohortd.core.payloads import unpack
from connectors.google_ads.client import AdsClient

IDENTIFIERS_PER_OPERATION: Final = 20
IDENTIFIERS_PER_REQUEST: Final = 10_000
#: The kinds that a CONTACT_INFO list takes.
SENDABLE: Final = frozenset({IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.ADDRESS})


@dataclass(frozen=True, slots=True)
class Chunk:
    """One request of operations, and for every one of them its member's index in the batch."""

    request: Any
    members: list[int]


def unsendable(batch: Batch) -> dict[int, str]:
    """Name the members who carry nothing that this platform takes."""
    return {
        index: "NO_SENDABLE_IDENTIFIER"
        for index, member in enumerate(batch.members)
        if not any(identifier.kind in SENDABLE for identifier in member.identifiers)
    }


def new_job(client: AdsClient, batch: Batch) -> Any:
    """Build the request for an empty job."""
    request = client.message("CreateOfflineUserDataJobRequest")
    request.customer_id = client.customer
    request.job.type_ = client.enum("OfflineUserDataJobTypeEnum").CUSTOMER_MATCH_USER_LIST
    metadata = request.job.customer_match_user_list_metadata
    metadata.user_list = f"customers/{client.customer}/userLists/{batch.remote_id}"
    if batch.action is Action.ADD:
        granted = client.enum("ConsentStatusEnum").GRANTED
        metadata.consent.ad_user_data = granted
        metadata.consent.ad_personalization = granted
    return request


def chunks(client: AdsClient, batch: Batch, job: str) -> Iterator[Chunk]:
    """Build the requests that fill a job, one after the other."""
    chunk, identifiers = _empty(client, job), 0
    for index, member in enumerate(batch.members):
        own = [each for each in member.identifiers if each.kind in SENDABLE]
        for start in range(0, len(own), IDENTIFIERS_PER_OPERATION):
            part = own[start : start + IDENTIFIERS_PER_OPERATION]
            if identifiers + len(part) > IDENTIFIERS_PER_REQUEST:
                yield chunk
                chunk, identifiers = _empty(client, job), 0
            _fill(chunk.request.operations.add(), batch.action, part)
            chunk.members.append(index)
            identifiers += len(part)
    if chunk.members:
        yield chunk


def _empty(client: AdsClient, job: str) -> Chunk:
    request = client.message("AddOfflineUserDataJobOperationsRequest")
    request.resource_name = job
    request.enable_partial_failure = True
    # A malformed value does not block its operation; without this nobody would hear of it.
    request.enable_warnings = True
    return Chunk(request, [])


def _fill(operation: Any, action: Action, identifiers: list[Identifier]) -> None:
    user_data = operation.create if action is Action.ADD else operation.remove
    for identifier in identifiers:
        target = user_data.user_identifiers.add()
        match identifier.kind:
            case IdentifierKind.EMAIL:
                target.hashed_email = identifier.digest.hex()
            case IdentifierKind.PHONE:
                target.hashed_phone_number = identifier.digest.hex()
            case _:
                _fill_address(target.address_info, unpack(identifier.payload))


def _fill_address(address: Any, values: dict[str, str]) -> None:
    address.hashed_first_name = values.get("given_name", "")
    address.hashed_last_name = values.get("family_name", "")
    address.country_code = values.get("region_code", "")
    address.postal_code = values.get("postal_code", "")
