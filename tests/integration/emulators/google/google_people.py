"""People and a clock for the tests of the emulated Google."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cohortd.core.delivery import Action, Batch
from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.payloads import packed_identifier
from cohortd.emulators.google import GoogleEmulator

ACCOUNT = "1234567890"
Start = Callable[..., GoogleEmulator]


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
