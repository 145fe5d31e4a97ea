"""Consent as the rooms speak of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ConsentStatus(StrEnum):
    """What a consent record says."""

    GRANTED = "granted"
    DENIED = "denied"
    REVOKED = "revoked"


class SubjectKind(StrEnum):
    """How a consent record names its person."""

    CUSTOMER = "customer"
    EMAIL = "email"
    PHONE = "phone"


class Reason(StrEnum):
    """Why a customer is not sent to a destination; every one left out has exactly one."""

    NO_SEGMENT = "no_segment"
    REVOKED = "revoked"
    DENIED = "denied"
    NO_CONSENT = "no_consent"
    NO_IDENTIFIER = "no_identifier"
    IDENTIFIER_REVOKED = "identifier_revoked"
    SEGMENT_HELD = "segment_held"
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One statement of consent, already without contact data.

    ``subject`` holds one key for a customer (the member key), or for a contact field the digests
    under each family's rules, as ``(family, digest)``.
    """

    subject_kind: SubjectKind
    subject: tuple[tuple[str, bytes], ...] = field(repr=False)
    status: ConsentStatus
    recorded_at: datetime
    #: Empty means every purpose, every platform, any regulation.
    purpose: str = ""
    platform: str = ""
    regulation: str = ""
    source: str = ""
    #: SHA-256 hex of the evidence as received; the evidence itself is never kept here.
    evidence: str = ""
    #: Whether the statement bore no readable time: ``recorded_at`` is then when it first reached us,
    #: and no part of what it says.
    untimed: bool = False
    #: On what a grant rests, such as ``consent`` or ``contract``; empty for consent.
    legal_basis: str = ""
    #: Whether a grant's second step was done, where opting in again takes two.
    confirmed: bool = False
