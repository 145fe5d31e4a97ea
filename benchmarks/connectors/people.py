"""Members made of numbers, as the ledger hands them to a connector."""

import hashlib
from collections.abc import Mapping
from typing import Final

from cohortd.core.identifiers import Family, Identifier, IdentifierKind, Member
from cohortd.core.payloads import pack, packed_identifier

REQUEST: Final = 10_000


def crowd(family: Family, *, whole: bool, count: int = REQUEST) -> tuple[Member, ...]:
    """Make members with an e-mail and a phone; whole ones also with names and place."""
    return tuple(_member(family, number, whole=whole) for number in range(count))


def raw_rows(count: int = REQUEST) -> list[list[str]]:
    """Make the same kind of people as the SDK's helper wants them: text, a list a person."""
    return [[f"person{number}@example.com", f"+1 (415) 555-{number:04d}"] for number in range(count)]


def _member(family: Family, number: int, *, whole: bool) -> Member:
    contacts = {
        IdentifierKind.EMAIL: _digest(f"person{number}@example.com"),
        IdentifierKind.PHONE: _digest(f"1415555{number:04d}"),
    }
    profile = pack(_profile(number)) if whole and family is Family.META else b""
    identifiers = [Identifier(kind, digest, profile) for kind, digest in contacts.items()]
    if whole and family is Family.GOOGLE:
        identifiers.append(packed_identifier(IdentifierKind.ADDRESS, _address(number)))
    return Member(_digest(f"key{number}")[:16], tuple(identifiers))


def _address(number: int) -> Mapping[str, str]:
    return {
        "given_name": _digest(f"given{number % 400}").hex(),
        "family_name": _digest(f"family{number % 3000}").hex(),
        "region_code": "US",
        "postal_code": f"{10_000 + number:05d}",
    }


def _profile(number: int) -> Mapping[str, str]:
    parts = {"FN": 400, "LN": 3000, "CT": 200, "ST": 50, "ZIP": 5000, "COUNTRY": 1}
    return {key: _digest(f"{key}{number % many}").hex() for key, many in parts.items()}


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
