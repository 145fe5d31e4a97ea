"""What to do about rows that could not be used, by the reason of most of them."""

from collections.abc import Mapping
from typing import Final

#: Where everything that a table may hold is written down.
_PAGE: Final = "docs/tables.md"
_TIMES: Final = "Write times as 2026-03-14T19:00 or 2026-03-14 (ISO 8601)"
_NUMBERS: Final = "Write numbers as 1234.50: a point, no separators of thousands, no currency"
_CURES: Final[Mapping[str, str]] = {
    "undecodable_text": "Save the file as UTF-8",
    "wrong_number_of_cells": "Put quotes around cells that hold the separator",
    "unparsable_json": "Write one JSON object a line, or one array of objects",
    "duplicate_customer_id": "Give every customer one row",
    "phone_as_customer_id": "Use a key of your own as customer_id, no phone number",
    "contact_as_customer_id": "Use a key of your own as customer_id; contacts belong into email and phone",
    "missing_subject": "Give every row a customer_id, an email or a phone",
    "unknown_status_taken_for_denied": "Write granted, denied or revoked into status",
    "missing_status_taken_for_denied": "Write granted, denied or revoked into status",
    "unknown_customer": "Use the customers table's customer_id in the events, too",
}
_TIME_COLUMNS: Final = ("occurred_at", "recorded_at", "date")


def cure_of(dropped: Mapping[str, int]) -> str:
    """Give the sentence for the commonest reason; empty for one that explains itself."""
    if not dropped:
        return ""
    reason = max(sorted(dropped), key=lambda each: dropped[each])
    cure = _CURES.get(reason) or _of_a_column(reason)
    return f"{cure} ({_PAGE})." if cure else ""


def _of_a_column(reason: str) -> str:
    fault, _, column = reason.partition("_")
    if fault == "unparsable":
        return _TIMES if column in _TIME_COLUMNS else _NUMBERS
    return f"Fill {column} in every row" if fault == "missing" else ""
