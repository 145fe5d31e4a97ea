"""By what a person is named: a customer id or a contact field, as the ledger knows them."""

from typing import Final, Literal

from cohortd.core.consenting import ConsentRecord, SubjectKind
from cohortd.core.identifiers import IdentifierKind, member_key
from cohortd.pipeline.wiring import Pipeline

IDENTIFIER_KINDS: Final = {SubjectKind.EMAIL: IdentifierKind.EMAIL, SubjectKind.PHONE: IdentifierKind.PHONE}
#: The other way round, by number.
SUBJECT_KINDS: Final = {int(kind): subject for subject, kind in IDENTIFIER_KINDS.items()}

Subject = tuple[tuple[str, bytes], ...]
Contact = tuple[str, int, bytes]


def contact_subject(pipeline: Pipeline, kind: SubjectKind, value: str, *, hashed: bool = False) -> Subject:
    """Name a person by a contact field: its digest under each family's rules; empty if invalid."""
    # A customer id needs none of its rules, and a revocation must not wait for them.
    from cohortd.identity import digests_of_contact  # noqa: PLC0415

    field: Literal["email", "phone"] = "email" if kind is SubjectKind.EMAIL else "phone"
    found = digests_of_contact(field, value, region=pipeline.identity.default_region, hashed=hashed)
    return tuple((family.value, digest) for family, digest in sorted(found.items()))


def customer_subject(pipeline: Pipeline, customer_id: str) -> Subject:
    """Name a person by the customer id, as the ledger knows it."""
    return (("", member_key(customer_id, pipeline.ledger.secret)),)


def contacts_of_record(record: ConsentRecord) -> list[Contact]:
    """List the contact fields that a record names; none where it names a customer."""
    kinds = [kind for kind, subject in SUBJECT_KINDS.items() if subject is record.subject_kind]
    return [(family, kind, digest) for kind in kinds for family, digest in record.subject]
