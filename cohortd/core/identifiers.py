"""What a platform can recognise a person by, and the member that carries it."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import IntEnum, StrEnum

MEMBER_KEY_BYTES = 16
DIGEST_BYTES = 32


class Family(StrEnum):
    """Whose normalization rules apply: both Google APIs share one set."""

    GOOGLE = "google"
    META = "meta"


class IdentifierKind(IntEnum):
    """What kind of identifier a digest stands for; the numbers are stored, never reuse one."""

    EMAIL = 1
    PHONE = 2
    #: Google only: hashed names with country and postal code, one identifier in itself.
    ADDRESS = 3
    MOBILE_AD_ID = 4
    EXTERNAL_ID = 5


@dataclass(frozen=True, slots=True, repr=False, order=True)
class Identifier:
    """One identifier as it is sent to one family of platforms.

    ``digest`` is the SHA-256 of the normalized value for e-mails and phones, and for all other
    kinds the SHA-256 of ``payload``, which then holds what goes on the wire. For Meta the payload
    of an e-mail, phone, mobile ad id or external id may also carry the row's profile (see
    ``cohortd.core.payloads``). All of it is personal data: never print it whole.
    """

    kind: IdentifierKind
    digest: bytes
    payload: bytes = b""

    def __post_init__(self) -> None:
        """Refuse anything that is not a whole SHA-256."""
        if len(self.digest) != DIGEST_BYTES:
            raise ValueError("an identifier's digest must be 32 bytes")

    def __repr__(self) -> str:
        """Show the first eight digits only."""
        return f"Identifier({self.kind.name}, {self.digest.hex()[:8]}…)"


@dataclass(frozen=True, slots=True)
class Member:
    """One person as sent to one family of platforms: a pseudonymous key and what they carry."""

    key: bytes
    identifiers: tuple[Identifier, ...]


def member_key(customer_id: str, secret: bytes) -> bytes:
    """Name a customer by a key that cannot be computed without this installation's secret.

    Returns:
        16 bytes.
    """
    return hmac.digest(secret, customer_id.encode(), hashlib.sha256)[:MEMBER_KEY_BYTES]
