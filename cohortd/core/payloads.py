"""How identifiers that are more than one digest are packed: the bytes the ledger keeps and a
connector unpacks.

A payload is empty or one compact JSON object of text values, keys sorted:

- Google's ADDRESS: ``given_name``, ``family_name`` (lower-case hex SHA-256), ``region_code``,
  ``postal_code`` (plain), all four.
- MOBILE_AD_ID and EXTERNAL_ID: ``id``, the plain value, as both platforms want it unhashed.
- Meta, any kind: besides, the row's profile under the Graph API's own keys (FN LN FI CT ST ZIP
  COUNTRY DOBY DOBM DOBD GEN), all hashed. A profile helps the platform to match the row and is no
  identifier of its own, so it rides on the identifiers and does not enter their digest.
"""

import hashlib
import json
from collections.abc import Mapping

from cohortd.core.identifiers import Identifier, IdentifierKind

ADDRESS_KEYS = ("given_name", "family_name", "region_code", "postal_code")
PROFILE_KEYS = ("FN", "LN", "FI", "CT", "ST", "ZIP", "COUNTRY", "DOBY", "DOBM", "DOBD", "GEN")


#: What ``json.loads`` comes to in the end, without the steps on the way there: it is called for everybody.
_decode = json.JSONDecoder().raw_decode


def pack(values: Mapping[str, str]) -> bytes:
    """Pack values that go on the wire; no values make an empty payload."""
    if not values:
        return b""
    return json.dumps(dict(sorted(values.items())), separators=(",", ":"), ensure_ascii=False).encode()


def unpack(payload: bytes) -> dict[str, str]:
    """Unpack what ``pack`` packed."""
    if not payload:
        return {}
    values: dict[str, str] = _decode(payload.decode())[0]
    return values


def digest_of(values: Mapping[str, str]) -> bytes:
    """Digest of an identifier that is its payload: an address, a mobile ad id, an external id."""
    return hashlib.sha256(pack(values)).digest()


def packed_identifier(kind: IdentifierKind, values: Mapping[str, str]) -> Identifier:
    """Make an address, mobile ad id or external id without a profile."""
    return Identifier(kind, digest_of(values), pack(values))
