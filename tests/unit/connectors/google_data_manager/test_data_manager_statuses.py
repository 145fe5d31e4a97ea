"""Google's asynchronous status becomes a receipt."""

from typing import Any

import pytest
from google.ads import datamanager_v1 as dm

from cohortd.core.delivery import Action, BatchState
from cohortd.core.errors import RejectedError
from connectors.google_data_manager.statuses import Pending, load, receipt_of

STATUS = dm.RequestStatusPerDestination.RequestStatus
REASON = dm.ProcessingErrorReason


def answer(status: Any, **counts: int) -> Any:
    part = dm.RequestStatusPerDestination(request_status=status)
    part.error_info.error_counts = [
        dm.ErrorCount(record_count=count, reason=REASON[f"PROCESSING_ERROR_REASON_{name}"])
        for name, count in counts.items()
    ]
    return dm.RetrieveRequestStatusResponse(request_status_per_destination=[part])


def receipt(action: Action, *answers: Any) -> Any:
    pending = Pending(action, tuple(f"r{number}" for number in range(len(answers))))
    return receipt_of(pending, answers, request=pending.dump())


def test_what_is_pending_survives_the_ledger() -> None:
    pending = Pending(Action.REMOVE, ("a", "b"))
    assert load(pending.dump()) == pending


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"action":"jump","ids":[]}'])
def test_another_connectors_request_is_refused(text: str) -> None:
    with pytest.raises(RejectedError):
        load(text)


@pytest.mark.parametrize("action", list(Action))
def test_success_confirms(action: Action) -> None:
    assert receipt(action, answer(STATUS.SUCCESS)).state is BatchState.CONFIRMED


@pytest.mark.parametrize("status", [STATUS.PROCESSING, STATUS.REQUEST_STATUS_UNKNOWN])
def test_whatever_is_not_finished_is_asked_again(status: Any) -> None:
    told = receipt(Action.ADD, answer(STATUS.SUCCESS), answer(status))
    assert told.state is BatchState.ACCEPTED
    assert load(told.request).request_ids == ("r0", "r1")


def test_an_answer_without_a_destination_is_not_finished() -> None:
    assert receipt(Action.ADD, dm.RetrieveRequestStatusResponse()).state is BatchState.ACCEPTED


def test_a_partial_add_is_confirmed_with_its_counts() -> None:
    told = receipt(Action.ADD, answer(STATUS.PARTIAL_SUCCESS, NO_CONSENT=2, INVALID_FORMAT=1))
    assert told.state is BatchState.CONFIRMED
    assert told.unattributed == {"NO_CONSENT": 2, "INVALID_FORMAT": 1}


@pytest.mark.parametrize("reason", ["INTERNAL_ERROR", "INVALID_FORMAT"])
def test_a_partial_removal_is_sent_again(reason: str) -> None:
    told = receipt(Action.REMOVE, answer(STATUS.PARTIAL_SUCCESS, **{reason: 1}))
    assert told.state is BatchState.REJECTED
    assert told.unattributed == {reason: 1}


def test_of_two_requests_one_failure_is_partial() -> None:
    answers = answer(STATUS.SUCCESS), answer(STATUS.FAILED, DENIED_CONSENT=5)
    assert receipt(Action.ADD, *answers).state is BatchState.CONFIRMED
    assert receipt(Action.REMOVE, *answers).state is BatchState.REJECTED


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("status", [STATUS.FAILED, STATUS.PARTIAL_SUCCESS])
@pytest.mark.parametrize("counts", [{"INTERNAL_ERROR": 1}, {"NO_CONSENT": 1, "INTERNAL_ERROR": 1}, {}])
def test_what_google_failed_at_itself_or_for_no_reason_is_sent_again(
    action: Action, status: Any, counts: dict[str, int]
) -> None:
    told = receipt(action, answer(STATUS.SUCCESS), answer(status, **counts))
    assert told.state is BatchState.REJECTED
    assert told.fault.startswith("Google failed inside (")


def test_what_rows_are_at_fault_for_is_not() -> None:
    told = receipt(Action.ADD, answer(STATUS.FAILED, NO_CONSENT=1, INVALID_FORMAT=2))
    assert (told.state, told.fault) == (BatchState.REJECTED, "")


def test_failure_rejects_all_of_it_and_counts_what_google_counted() -> None:
    told = receipt(Action.ADD, answer(STATUS.FAILED, DENIED_CONSENT=3))
    assert told.state is BatchState.REJECTED
    assert told.unattributed == {"DENIED_CONSENT": 3}
    assert "FAILED" in told.note


def test_a_failure_without_reasons_counts_its_records() -> None:
    failed = answer(STATUS.FAILED)
    part = failed.request_status_per_destination[0]
    part.audience_members_ingestion_status.user_data_ingestion_status.record_count = 7
    assert receipt(Action.ADD, failed).unattributed == {"UNSPECIFIED": 7}


def test_a_match_rate_is_passed_on_to_people() -> None:
    done = answer(STATUS.SUCCESS)
    part = done.request_status_per_destination[0]
    status = part.audience_members_ingestion_status.user_data_ingestion_status
    status.upload_match_rate_range = dm.MatchRateRange.MATCH_RATE_RANGE_61_TO_70
    told = receipt(Action.ADD, done)
    assert (told.match_rate, told.note) == ("61 to 70%", "match rate 61 to 70%")
    status.upload_match_rate_range = dm.MatchRateRange.MATCH_RATE_RANGE_NOT_ELIGIBLE
    assert receipt(Action.ADD, done).match_rate == ""


def test_a_reason_newer_than_the_client_is_counted_by_its_number_and_taken_for_googles_fault() -> None:
    odd = answer(STATUS.PARTIAL_SUCCESS, NO_CONSENT=1)
    counts = (
        dm.RetrieveRequestStatusResponse.pb(odd).request_status_per_destination[0].error_info.error_counts
    )
    counts[0].reason = 999
    told = receipt(Action.ADD, odd)
    assert (told.unattributed, told.fault) == ({"999": 1}, "Google failed inside (999)")


def test_warnings_are_told_with_their_counts() -> None:
    answer = dm.RetrieveRequestStatusResponse.pb()()
    part = answer.request_status_per_destination.add(request_status=1)
    reason = dm.ProcessingWarningReason.PROCESSING_WARNING_REASON_INTERNAL_ERROR
    part.warning_info.warning_counts.add(record_count=1234, reason=reason)
    pending = Pending(Action.ADD, ("a",))
    receipt = receipt_of(pending, [dm.RetrieveRequestStatusResponse.wrap(answer)], request="x")

    assert receipt.state is BatchState.CONFIRMED
    assert receipt.note == "Google warned of 1,234 rows (INTERNAL_ERROR)"
