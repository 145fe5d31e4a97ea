"""Contact fields in, what a platform knows people by out: normalized, hashed, per platform.

The rules and why they are so: ``docs/normalization.md``.
"""

from cohortd.identity.contacts import digests_of_contact
from cohortd.identity.countries import alpha2_of
from cohortd.identity.deletion_digests import DELETION_FIELDS, deletion_digests, is_comparable
from cohortd.identity.identifying import Identified, identify
from cohortd.identity.normalizing import Normalized, normalize
from cohortd.identity.proven import how_it_hashes
from cohortd.identity.quality import ContactQuality, match_keys
from cohortd.identity.rules import FIELDS, NORMALIZATION_VERSION

__all__ = [
    "DELETION_FIELDS",
    "FIELDS",
    "NORMALIZATION_VERSION",
    "ContactQuality",
    "Identified",
    "Normalized",
    "alpha2_of",
    "deletion_digests",
    "digests_of_contact",
    "how_it_hashes",
    "identify",
    "is_comparable",
    "match_keys",
    "normalize",
]
