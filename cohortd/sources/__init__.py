"""First-party data in: files, SQL, object stores; Arrow batches out."""

from typing import TYPE_CHECKING

from cohortd.core.on_demand import on_demand
from cohortd.core.tables import CONTACT_FIELDS
from cohortd.sources.table import TableSource, Tally

if TYPE_CHECKING:
    from cohortd.sources.consent import CONSENT_COLUMNS, TAKEN_FOR_DENIED, WITHDRAWAL_LOST, read_consent
    from cohortd.sources.context import read_context
    from cohortd.sources.customers import read_contacts, read_customers
    from cohortd.sources.deletion_lists import (
        REMOVED,
        DeletionPart,
        DeletionTally,
        read_deletion_lists,
    )
    from cohortd.sources.events import read_events
    from cohortd.sources.reading import columns_of

__all__ = [
    "CONSENT_COLUMNS",
    "CONTACT_FIELDS",
    "REMOVED",
    "TAKEN_FOR_DENIED",
    "WITHDRAWAL_LOST",
    "DeletionPart",
    "DeletionTally",
    "TableSource",
    "Tally",
    "columns_of",
    "read_consent",
    "read_contacts",
    "read_context",
    "read_customers",
    "read_deletion_lists",
    "read_events",
]

#: What needs numpy, pandas and Arrow.
__getattr__ = on_demand(
    __name__,
    {
        "CONSENT_COLUMNS": "consent",
        "REMOVED": "deletion_lists",
        "TAKEN_FOR_DENIED": "consent",
        "WITHDRAWAL_LOST": "consent",
        "DeletionPart": "deletion_lists",
        "DeletionTally": "deletion_lists",
        "columns_of": "reading",
        "read_consent": "consent",
        "read_contacts": "customers",
        "read_context": "context",
        "read_customers": "customers",
        "read_deletion_lists": "deletion_lists",
        "read_events": "events",
    },
)
