"""First-party tables as cohortd names their columns."""

from typing import Final

#: What names or reaches a person. Read only by identity and consent; never staged in the engine.
CONTACT_FIELDS: Final = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "birth_date",
    "gender",
    "city",
    "state",
    "postal_code",
    "country",
    "mobile_ad_id",
    "external_id",
)

EVENT_TEXT_FIELDS: Final = ("type", "order_id", "session_id", "channel", "category", "device")
#: ``discount`` is money off the row, in the currency of ``value``.
EVENT_NUMBER_FIELDS: Final = ("value", "quantity", "discount", "duration_s")

CONSENT_SUBJECT_FIELDS: Final = ("customer_id", "email", "phone")
#: ``confirmed`` says yes where the second step of opting in again was done.
CONSENT_TEXT_FIELDS: Final = (
    *("purpose", "platform", "regulation", "legal_basis", "confirmed", "source", "evidence"),
)
