"""What became of accepted requests: Google's asynchronous status as a receipt.

Google counts what it left out by reason and never says which rows. A removal that was not carried
out for everybody is REJECTED as a whole, so that it is sent again: removing twice does no harm,
believing in a removal that did not happen does. An add of which rows were left out through their
own fault is CONFIRMED with its counts, since most of it is there. Where anything was left out for a
reason of Google's own, or for none that we know, all of it is to be sent again: ``fault`` says so.

The official schedule is a first look after 30 minutes, then 1.3 times as long, at most an hour,
for 24 hours (developers.google.com/data-manager/api/devguides/diagnostics).
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.ads import datamanager_v1 as dm

from cohortd.core.delivery import Action, BatchState, Receipt
from cohortd.core.errors import RejectedError
from connectors.google_data_manager.codes import OF_ROWS
from connectors.google_enums import enum_name
from connectors.google_lists import match_range

_STATUS: Final = dm.RequestStatusPerDestination.RequestStatus
_DONE: Final = frozenset({_STATUS.SUCCESS, _STATUS.FAILED, _STATUS.PARTIAL_SUCCESS})


@dataclass(frozen=True, slots=True)
class Pending:
    """What to ask Google by: the requests of one batch."""

    action: Action
    request_ids: tuple[str, ...]

    def dump(self) -> str:
        """Write it down for the ledger."""
        return json.dumps({"action": self.action, "ids": self.request_ids}, separators=(",", ":"))


def load(text: str) -> Pending:
    """Read what ``dump`` wrote.

    Raises:
        RejectedError: It is something else; the batch must be sent again.
    """
    try:
        content = json.loads(text)
        return Pending(Action(content["action"]), tuple(str(each) for each in content["ids"]))
    except (KeyError, TypeError, ValueError):
        raise RejectedError("this is no request of the Data Manager connector") from None


def receipt_of(pending: Pending, answers: Sequence[Any], *, request: str) -> Receipt:
    """Sum up Google's answers, one for every request of the batch."""
    parts = [
        part
        for answer in answers
        for part in dm.RetrieveRequestStatusResponse.pb(answer).request_status_per_destination
    ]
    is_done = len(parts) >= len(pending.request_ids) and all(part.request_status in _DONE for part in parts)
    if not is_done:
        return Receipt(BatchState.ACCEPTED, request=request)
    all_failed = all(part.request_status == _STATUS.FAILED for part in parts)
    some_failed = any(part.request_status != _STATUS.SUCCESS for part in parts)
    left_out = _left_out(parts)
    fault = _fault(left_out, some_failed=some_failed)
    refused = all_failed or fault or (some_failed and pending.action is Action.REMOVE)
    state = BatchState.REJECTED if refused else BatchState.CONFIRMED
    rate = next(filter(None, map(_match_rate, parts)), "")
    return Receipt(
        state, request=request, unattributed=left_out, fault=fault, note=_note(parts), match_rate=rate
    )


def _match_rate(part: Any) -> str:
    status = part.audience_members_ingestion_status.user_data_ingestion_status
    return match_range(enum_name(status, "upload_match_rate_range"))


def _fault(left_out: Mapping[str, int], *, some_failed: bool) -> str:
    """Say what of it was Google's own fault; nothing where every row left out was at fault itself."""
    reasons = sorted(left_out.keys() - OF_ROWS) or ([] if left_out or not some_failed else ["UNSPECIFIED"])
    return f"Google failed inside ({', '.join(reasons)})" if reasons else ""


def _left_out(parts: Sequence[Any]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for part in parts:
        for count in part.error_info.error_counts:
            counts[enum_name(count, "reason").removeprefix("PROCESSING_ERROR_REASON_")] += (
                count.record_count
            )
        if part.request_status == _STATUS.FAILED and not part.error_info.error_counts:
            counts["UNSPECIFIED"] += _records(part)
    return dict(counts)


def _records(part: Any) -> int:
    ingested, removed = part.audience_members_ingestion_status, part.audience_members_removal_status
    return int(
        ingested.user_data_ingestion_status.record_count or removed.user_data_removal_status.record_count
    )


def _note(parts: Sequence[Any]) -> str:
    notes = sorted(
        {enum_name(part, "request_status") for part in parts if part.request_status != _STATUS.SUCCESS}
    )
    warned: Counter[str] = Counter()
    for part in parts:
        for count in part.warning_info.warning_counts:
            warned[enum_name(count, "reason").removeprefix("PROCESSING_WARNING_REASON_")] += (
                count.record_count
            )
        rate = _match_rate(part)
        notes += [f"match rate {rate}"] if rate else []
    notes += [f"Google warned of {count:,} rows ({reason})" for reason, count in sorted(warned.items())]
    return ", ".join(dict.fromkeys(notes))
