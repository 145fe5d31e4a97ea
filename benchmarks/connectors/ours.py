"""The connectors as the pipeline uses them."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from benchmarks.connectors.people import raw_rows
from cohortd.core.delivery import Action, Batch, BatchState, RemoteSpec
from cohortd.core.identifiers import Family, Member
from cohortd.identity import identify
from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions
from connectors.google_ads.client import AdsClient
from connectors.google_ads.operations import chunks
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions
from connectors.google_data_manager.rows import Account, uploads
from connectors.meta import MetaConnector, MetaOptions
from connectors.meta.forms import encoded, payload_of
from connectors.meta.rows import upload_of
from connectors.protocol import Connector

ACCOUNT = "1234567890"
META_ACCOUNT = "act_1"
TOKEN = "none"  # noqa: S105 - a stand-in wants none


def connector_to(platform: str, endpoint: str) -> Connector:
    """Make a connector to a stand-in."""
    if platform == "google_data_manager":
        return DataManagerConnector(DataManagerOptions(account_id=ACCOUNT, endpoint=endpoint))
    if platform == "google_ads":
        return GoogleAdsConnector(GoogleAdsOptions(customer_id=ACCOUNT, endpoint=endpoint))
    return MetaConnector(MetaOptions(account=META_ACCOUNT, access_token=TOKEN, endpoint=endpoint))


def audience(connector: Connector) -> str:
    """Have an audience to send to."""
    return connector.ensure(RemoteSpec("s1", "Everybody", ""))


def sending(connector: Connector, remote_id: str, members: tuple[Member, ...]) -> Callable[[], None]:
    """Send a batch, and ask until the platform has done it."""
    batch = Batch(1, remote_id, Action.ADD, members)

    def send() -> None:
        receipt = connector.apply(batch)
        while receipt.state is BatchState.ACCEPTED:
            receipt = connector.poll(receipt.request)
        if receipt.state is not BatchState.CONFIRMED or receipt.rejected:
            raise AssertionError(receipt)

    return send


def building(platform: str, endpoint: str, members: tuple[Member, ...]) -> Callable[[], int]:
    """Build a request down to the bytes on the wire; give how many."""
    batch = Batch(1, "1", Action.ADD, members)
    if platform == "google_data_manager":
        return lambda: sum(_serialized(each.request) for each in uploads(batch, Account(ACCOUNT)))
    if platform == "google_ads":
        client = AdsClient(GoogleAdsOptions(customer_id=ACCOUNT, endpoint=endpoint))
        return lambda: sum(
            len(each.request.SerializeToString()) for each in chunks(client, batch, f"customers/{ACCOUNT}")
        )
    return lambda: _meta_form(members)


def identifying() -> Callable[[], int]:
    """Normalize and hash what the SDK's helper is given as text."""
    emails, phones = zip(*raw_rows(), strict=True)
    ids = [str(number) for number in range(len(emails))]
    contacts = pa.RecordBatch.from_pydict({"customer_id": ids, "email": emails, "phone": phones})
    return lambda: (
        identify(
            contacts, Family.META, default_region="US", hashed=frozenset(), remember=False
        ).identifiers.num_rows
    )


def _serialized(request: Any) -> int:
    return len(type(request).serialize(request))


def _meta_form(members: tuple[Member, ...]) -> int:
    upload = upload_of(members)
    return len(encoded({"payload": payload_of(upload.schema, upload.data)}))
