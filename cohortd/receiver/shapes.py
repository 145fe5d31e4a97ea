"""What the events of a sender look like, and the shapes that are documented."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Paths = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventShape:
    """Where in an event what stands, and what their words mean."""

    customer_id: Paths = ()
    email: Paths = ()
    phone: Paths = ()
    event_id: Paths = ()
    recorded_at: Paths = ()
    #: One statement: what was said, and of which purpose.
    status: Paths = ()
    purpose: Paths = ()
    #: Many: a table of purpose to status, or a list of tables that bear both.
    purposes: Paths = ()
    purpose_key: str = "id"
    status_key: str = "status"
    platform: Paths = ()
    regulation: Paths = ()
    #: What it is where an event names none.
    regulation_else: str = ""
    #: A text, or a table by purpose.
    legal_basis: Paths = ()
    confirmed: Paths = ()
    #: Their words to ours.
    statuses: Mapping[str, str] = field(default_factory=dict)
    purpose_names: Mapping[str, str] = field(default_factory=dict)
    regulations: Mapping[str, str] = field(default_factory=dict)
    legal_bases: Mapping[str, str] = field(default_factory=dict)
    #: Path -> words that make an event take back everything.
    revoking: Mapping[str, Paths] = field(default_factory=dict)
    #: Path -> words without which grants do not count, where the event says anything there.
    grants_need: Mapping[str, Paths] = field(default_factory=dict)


_DIDOMI: Final = ("parameters.new_entity", "parameters.entity")
#: As their documentation shows them. Which identity or user id is the customer's is the company's own
#: choice: ``mapping`` may say otherwise.
PRESETS: Final[Mapping[str, EventShape]] = {
    "ketch": EventShape(
        customer_id=("request.identities[identitySpace=account_id].identityValue",),
        email=("request.identities[identitySpace=email].identityValue",),
        phone=("request.identities[identitySpace=phone].identityValue",),
        event_id=("metadata.uid",),
        recorded_at=("request.collectedAt",),
        purposes=("request.purposes",),
        regulation=("request.regulation",),
        legal_basis=("request.legalBasis",),
        legal_bases={"consent_optin": "consent"},
    ),
    "didomi": EventShape(
        customer_id=tuple(
            f"{entity}.{at}"
            for entity in _DIDOMI
            for at in ("user.organization_user_id", "organization_user_id")
        ),
        event_id=tuple(f"{entity}.id" for entity in _DIDOMI),
        recorded_at=tuple(f"{entity}.{at}" for entity in _DIDOMI for at in ("updated_at", "created_at")),
        purposes=tuple(f"{entity}.consents.purposes" for entity in _DIDOMI),
        purpose_key="id",
        status_key="enabled",
        regulation=tuple(f"{entity}.regulation" for entity in _DIDOMI),
        regulation_else="gdpr",
        revoking={"type": ("event.deleted", "user.deleted")},
        grants_need={f"{entity}.status": ("confirmed",) for entity in _DIDOMI},
    ),
}
