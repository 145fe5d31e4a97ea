"""A single e-mail or phone as both families know it: for consent records and revocations."""

from typing import Literal

from cohortd.core.identifiers import Family
from cohortd.identity.normalizing import normalize


def digests_of_contact(
    kind: Literal["email", "phone"], value: str, *, region: str | None, hashed: bool = False
) -> dict[Family, bytes]:
    """Hash one contact point under each family's rules.

    Returns:
        SHA-256, 32 bytes each. Empty where the value is no e-mail or phone: whoever records a
        revocation must say so then, because it reaches nobody.
    """
    found = {
        family: normalize(family, kind, value, region=region, hashed=hashed).sha256 for family in Family
    }
    return {family: bytes.fromhex(digest) for family, digest in found.items() if digest is not None}
