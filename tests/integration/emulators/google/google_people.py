"""People and a clock for the tests of the emulated Google."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cohortd.core.delivery import Action, Batch, RemoteSpec
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.payloads import packed_identifier
from cohortd.emulators.google import GoogleEmulator
from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions

ACCOUNT = "1234567890"
Start = Callable[..., GoogleEmulator]
Make = Callable[[GoogleEmulator], Any]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def mail(name: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, digest(name))


def phone(name: str) -> Identifier:
    return Identifier(IdentifierKind.PHONE, digest(f"phone of {name}"))


def address(name: str) -> Identifier:
    values = {"given_name": digest(name).hex(), "family_name": digest("x").hex()}
    return packed_identifier(IdentifierKind.ADDRESS, values | {"region_code": "DE", "postal_code": "10115"})


def person(name: str, *identifiers: Identifier) -> Member:
    return Member(digest(f"key of {name}")[:16], identifiers or (mail(name), phone(name)))


def digests(*members: Member) -> frozenset[str]:
    return frozenset(each.digest.hex() for member in members for each in member.identifiers)


def add(remote_id: str, *members: Member) -> Batch:
    return Batch(1, remote_id, Action.ADD, members)


def remove(remote_id: str, *members: Member) -> Batch:
    return Batch(2, remote_id, Action.REMOVE, members)


def grpc_manager(emulator: GoogleEmulator) -> DataManagerConnector:
    return DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))


def rest_manager(emulator: GoogleEmulator) -> DataManagerConnector:
    return DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.http_endpoint))


def google_ads(emulator: GoogleEmulator) -> GoogleAdsConnector:
    return GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))


def bad_address() -> Identifier:
    values = {"given_name": "0" * 64, "family_name": "0" * 64, "region_code": "de", "postal_code": "1"}
    return packed_identifier(IdentifierKind.ADDRESS, values)


SPEC = RemoteSpec("s1", "Regulars", "Buys often")
ANN, BOB = person("ann", mail("ann"), address("ann")), person("bob")
