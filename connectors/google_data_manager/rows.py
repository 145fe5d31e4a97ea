"""From a batch to the Data Manager API's requests.

- A request holds at most 10,000 rows, a row at most 10 identifiers
  (developers.google.com/data-manager/api/devguides/limits).
- A member with more identifiers becomes several rows; they stay in one request, so that a refused
  row never belongs to a member of whom Google already took another.
- Rows carry ``user_data``, as in Google's own samples; one request must not mix it with
  ``composite_data``.
- Consent travels with adds only: both kinds GRANTED, since nobody else is ever sent.
- Built with the plain protobuf classes: five times faster than with the vendor's wrappers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from google.ads import datamanager_v1 as dm

from cohortd.core.delivery import Action, Batch
from cohortd.core.identifiers import Identifier, IdentifierKind
from cohortd.core.payloads import ADDRESS_KEYS, unpack

ROWS_PER_REQUEST: Final = 10_000
IDENTIFIERS_PER_ROW: Final = 10
#: The kinds that a contact-info audience takes; mobile ids and user ids need audiences of their own.
SENDABLE: Final = frozenset({IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.ADDRESS})

_GRANTED = dm.ConsentStatus.CONSENT_GRANTED
_ACCEPTED = dm.TermsOfServiceStatus.ACCEPTED
_HEX = dm.Encoding.HEX


@dataclass(frozen=True, slots=True)
class Account:
    """The account that owns the audience, and the one through which it is reached."""

    account: str
    login_account: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """One request: the vendor's message, and for every row of it the member's index in the batch."""

    method: str
    request: Any
    members: list[int]


def unsendable(batch: Batch) -> dict[int, str]:
    """Name the members who carry nothing that this platform takes."""
    return {
        index: "NO_SENDABLE_IDENTIFIER"
        for index, member in enumerate(batch.members)
        if not any(identifier.kind in SENDABLE for identifier in member.identifiers)
    }


def uploads(batch: Batch, account: Account) -> Iterator[Upload]:
    """Build the requests of a batch, one after the other."""
    rows: list[list[Identifier]] = []
    members: list[int] = []
    for index, member in enumerate(batch.members):
        own = _rows_of([each for each in member.identifiers if each.kind in SENDABLE])
        if len(rows) + len(own) > ROWS_PER_REQUEST and rows:
            yield _upload(batch, account, rows, members)
            rows, members = [], []
        rows.extend(own)
        members.extend([index] * len(own))
    if rows:
        yield _upload(batch, account, rows, members)


def sweep(remote_id: str, account: Account, *, than: datetime) -> Any:
    """Build the request that has everybody forgotten who was last added before a moment."""
    request = dm.RemoveAllAudienceMembersRequest.pb()()
    _fill_destination(request.destinations.add(), account, remote_id)
    request.remove_as_of_time.FromDatetime(than)
    return dm.RemoveAllAudienceMembersRequest.wrap(request)


def of_nobody(remote_id: str, account: Account) -> Upload:
    """Build the rehearsal of an add that names nobody."""
    upload = _upload(Batch(0, remote_id, Action.ADD, ()), account, [], [])
    upload.request.validate_only = True
    return upload


def _rows_of(identifiers: list[Identifier]) -> list[list[Identifier]]:
    starts = range(0, len(identifiers), IDENTIFIERS_PER_ROW)
    return [identifiers[start : start + IDENTIFIERS_PER_ROW] for start in starts]


def _upload(batch: Batch, account: Account, rows: list[list[Identifier]], members: list[int]) -> Upload:
    if batch.action is Action.ADD:
        method, kind = "ingest_audience_members", dm.IngestAudienceMembersRequest
    else:
        method, kind = "remove_audience_members", dm.RemoveAudienceMembersRequest
    request = kind.pb()(encoding=_HEX)
    if batch.action is Action.ADD:
        request.consent.ad_user_data = _GRANTED
        request.consent.ad_personalization = _GRANTED
        request.terms_of_service.customer_match_terms_of_service_status = _ACCEPTED
    _fill_destination(request.destinations.add(), account, batch.remote_id)
    for row in rows:
        user_data = request.audience_members.add().user_data
        for identifier in row:
            _fill(user_data.user_identifiers.add(), identifier)
    return Upload(method, kind.wrap(request), members)


def _fill_destination(destination: Any, account: Account, remote_id: str) -> None:
    destination.product_destination_id = remote_id
    destination.operating_account.account_id = account.account
    destination.operating_account.account_type = dm.ProductAccount.AccountType.GOOGLE_ADS
    if account.login_account:
        destination.login_account.account_id = account.login_account
        destination.login_account.account_type = dm.ProductAccount.AccountType.GOOGLE_ADS


def _fill(target: Any, identifier: Identifier) -> None:
    match identifier.kind:
        case IdentifierKind.EMAIL:
            target.email_address = identifier.digest.hex()
        case IdentifierKind.PHONE:
            target.phone_number = identifier.digest.hex()
        case _:
            values = unpack(identifier.payload)
            for key in ADDRESS_KEYS:
                setattr(target.address, key, values.get(key, ""))
