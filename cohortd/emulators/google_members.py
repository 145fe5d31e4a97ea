"""The documented checks of the Data Manager's uploads, and rows as the store keeps them.

Fail-fast: one bad row refuses the whole request. Missing or denied consent is no such fault: the
request is taken and those rows are left out while it is processed.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Final

from google.ads import datamanager_v1 as dm

from cohortd.core.payloads import ADDRESS_KEYS, digest_of
from cohortd.emulators.google_calls import Problem, RefusedError

MEMBERS_PER_REQUEST: Final = 10_000
IDENTIFIERS_PER_MEMBER: Final = 10
DESTINATIONS_PER_REQUEST: Final = 10
_SHA256_BYTES: Final = 32
_PROBLEMS_NAMED: Final = 100
_DATA: Final = ("user_data", "composite_data")


def check_members(request: Any) -> None:
    """Check everything but the destination.

    Raises:
        RefusedError: With one problem a bad field, as ``audience_members[i]...``.
    """
    members = request.audience_members
    if len(members) > MEMBERS_PER_REQUEST:
        raise RefusedError("INVALID_ARGUMENT", Problem("TOO_MANY_AUDIENCE_MEMBERS", "audience_members"))
    problems = list(_request_problems(request))
    for index, member in enumerate(members):
        problems.extend(_member_problems(member, f"audience_members[{index}]", request.encoding))
        if len(problems) >= _PROBLEMS_NAMED:
            break
    if problems:
        raise RefusedError("INVALID_ARGUMENT", *problems)


def row_of(member: Any, encoding: int) -> list[str]:
    """Write a checked row as ``kind:hex`` identifiers."""
    row = []
    for identifier in _identifiers(member):
        kind = identifier.WhichOneof("identifier")
        if kind == "email_address":
            row.append(f"email:{_decoded(identifier.email_address, encoding).hex()}")
        elif kind == "phone_number":
            row.append(f"phone:{_decoded(identifier.phone_number, encoding).hex()}")
        else:
            row.append(f"address:{_address_digest(identifier.address, encoding)}")
    return sorted(set(row))


def consent_problem(member: Any, request: Any) -> str:
    """Why a row's consent does not do, or nothing; the row's own goes before the request's."""
    consent = member.consent if member.HasField("consent") else request.consent
    states = {consent.ad_user_data, consent.ad_personalization}
    if dm.ConsentStatus.CONSENT_DENIED in states:
        return "DENIED_CONSENT"
    return "NO_CONSENT" if dm.ConsentStatus.CONSENT_STATUS_UNSPECIFIED in states else ""


def _request_problems(request: Any) -> Iterator[Problem]:
    if not request.audience_members:
        yield Problem("REQUIRED_FIELD_MISSING", "audience_members")
    if request.encoding == dm.Encoding.ENCODING_UNSPECIFIED:
        yield Problem("REQUIRED_FIELD_MISSING", "encoding")
    kinds = {member.WhichOneof("data") for member in request.audience_members}
    if len(kinds) > 1:
        yield Problem("MULTIPLE_DATA_TYPES_NOT_ALLOWED", "audience_members")
    elif kinds and not kinds <= set(_DATA):
        yield Problem("INVALID_USER_LIST_TYPE", "audience_members")
    if "terms_of_service" in request.DESCRIPTOR.fields_by_name:
        accepted = request.terms_of_service.customer_match_terms_of_service_status
        if accepted != dm.TermsOfServiceStatus.ACCEPTED:
            yield Problem("TERMS_AND_CONDITIONS_NOT_SIGNED", "terms_of_service")


def _identifiers(member: Any) -> Any:
    kind = member.WhichOneof("data")
    data = member.composite_data.user_data if kind == "composite_data" else member.user_data
    return data.user_identifiers


def _member_problems(member: Any, path: str, encoding: int) -> Iterator[Problem]:
    identifiers = _identifiers(member)
    path = f"{path}.user_data.user_identifiers"
    if not identifiers:
        yield Problem("REQUIRED_FIELD_MISSING", path)
    if len(identifiers) > IDENTIFIERS_PER_MEMBER:
        yield Problem("TOO_MANY_USER_IDENTIFIERS", path)
    for index, identifier in enumerate(identifiers):
        yield from _identifier_problems(identifier, f"{path}[{index}]", encoding)


def _identifier_problems(identifier: Any, path: str, encoding: int) -> Iterator[Problem]:
    match identifier.WhichOneof("identifier"):
        case "email_address":
            yield from _digest_problems(identifier.email_address, f"{path}.email_address", encoding)
        case "phone_number":
            yield from _digest_problems(identifier.phone_number, f"{path}.phone_number", encoding)
        case "address":
            yield from _address_problems(identifier.address, f"{path}.address", encoding)
        case _:
            yield Problem("REQUIRED_FIELD_MISSING", path)


def _address_problems(address: Any, path: str, encoding: int) -> Iterator[Problem]:
    for name in ADDRESS_KEYS:
        if not getattr(address, name):
            yield Problem("REQUIRED_FIELD_MISSING", f"{path}.{name}")
    for name in ("given_name", "family_name"):
        if getattr(address, name):
            yield from _digest_problems(getattr(address, name), f"{path}.{name}", encoding)
    if address.region_code and not re.fullmatch(r"[A-Z]{2}", address.region_code):
        yield Problem("INVALID_REGION_CODE", f"{path}.region_code")
    if address.postal_code and not re.fullmatch(r"\S.{0,14}", address.postal_code):
        yield Problem("INVALID_POSTAL_CODE", f"{path}.postal_code")


def _digest_problems(text: str, path: str, encoding: int) -> Iterator[Problem]:
    try:
        digest = _decoded(text, encoding)
    except (ValueError, binascii.Error):
        base64_wanted = encoding == dm.Encoding.BASE64
        yield Problem("INVALID_BASE64_ENCODING" if base64_wanted else "INVALID_HEX_ENCODING", path)
        return
    if len(digest) != _SHA256_BYTES:
        yield Problem("INVALID_SHA256_FORMAT", path)


def _decoded(text: str, encoding: int) -> bytes:
    if encoding == dm.Encoding.BASE64:
        return base64.b64decode(text, validate=True)
    if not re.fullmatch(r"[0-9A-Fa-f]*", text):
        raise ValueError("not hexadecimal")
    return bytes.fromhex(text)


def _address_digest(address: Any, encoding: int) -> str:
    values = {name: str(getattr(address, name)) for name in ADDRESS_KEYS}
    for name in ("given_name", "family_name"):
        values[name] = _decoded(values[name], encoding).hex()
    return digest_of(values).hex()
