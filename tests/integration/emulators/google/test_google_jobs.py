"""Rules of Google Ads' jobs: run within five days, and perhaps one at a time on a list."""

from datetime import timedelta
from typing import Any

import pytest
from google_people import ACCOUNT, ANN, BOB, SPEC, Clock, Start, add, digests, google_ads, remove

from cohortd.core.delivery import BatchState
from cohortd.core.errors import FatalError, RetryableError
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules

RUN_LOST = Fault(call="ads.jobs.run", kind=FaultKind.DROP_BEFORE)
SIX_DAYS_S = timedelta(days=6).total_seconds()


def leave_unrun(connector: Any, emulator: GoogleEmulator, remote_id: str) -> None:
    emulator.faults.add(RUN_LOST)
    with pytest.raises(RetryableError):
        connector.apply(add(remote_id, ANN))


def test_a_filled_job_that_waited_for_more_than_five_days_is_made_anew(
    ads: Any, emulator: GoogleEmulator, clock: Clock
) -> None:
    remote_id = ads.ensure(SPEC)
    leave_unrun(ads, emulator, remote_id)
    clock.pass_time(SIX_DAYS_S)
    receipt = ads.apply(add(remote_id, ANN))

    assert ads.poll(receipt.request).state is BatchState.CONFIRMED
    assert emulator.members(ACCOUNT, remote_id) == digests(ANN)


def test_a_job_that_was_never_run_and_no_longer_can_be_holds_nobody_up(
    start: Start, make: Any, clock: Clock
) -> None:
    emulator = start()
    dead, alive = make(google_ads, emulator), make(google_ads, emulator)
    remote_id = dead.ensure(SPEC)
    leave_unrun(dead, emulator, remote_id)
    clock.pass_time(SIX_DAYS_S)

    assert alive.apply(add(remote_id, BOB)).state is BatchState.ACCEPTED


@pytest.mark.parametrize("batch", [add, remove])
def test_where_lists_take_turns_a_job_is_filled_once_and_started_when_the_other_has_ended(
    start: Start, make: Any, clock: Clock, batch: Any
) -> None:
    emulator = start(GoogleRules(delay_s=3600, lists_take_turns=True))
    first, second = make(google_ads, emulator), make(google_ads, emulator)
    remote_id = first.ensure(SPEC)
    first.apply(add(remote_id, ANN, BOB))
    waits = []
    for _ in range(2):
        with pytest.raises(RetryableError) as refused:
            second.apply(batch(remote_id, BOB))
        waits.append((refused.value.scope, refused.value.after_s))
    clock.pass_time(3600)
    receipt = second.apply(batch(remote_id, BOB))
    clock.pass_time(3600)

    assert waits == [("audience", 300.0)] * 2
    assert second.poll(receipt.request).state is BatchState.CONFIRMED
    assert emulator.calls["ads.jobs.create"] == 2
    assert emulator.members(ACCOUNT, remote_id) == (digests(ANN, BOB) if batch is add else digests(ANN))


def test_a_right_that_was_withdrawn_is_told_although_it_comes_to_light_by_another_job(
    start: Start, make: Any
) -> None:
    emulator = start()
    dead, alive = make(google_ads, emulator), make(google_ads, emulator)
    remote_id = dead.ensure(SPEC)
    leave_unrun(dead, emulator, remote_id)
    emulator.faults.add(Fault(call="ads.jobs.run", status="PERMISSION_DENIED"))
    with pytest.raises(FatalError) as stopped:
        alive.apply(add(remote_id, BOB))

    assert stopped.value.scope == "destination"
