"""Uploads over the emulated Google: what goes wrong there ends well here."""

from typing import Any

import pytest
from google_people import (
    ACCOUNT,
    ANN,
    BOB,
    SPEC,
    Clock,
    Start,
    add,
    bad_address,
    digests,
    google_ads,
    grpc_manager,
    mail,
    person,
    remove,
)

from cohortd.core.delivery import BatchState, RemoteSpec
from cohortd.core.errors import FatalError, RejectedError, RetryableError
from cohortd.core.identifiers import IdentifierKind
from cohortd.core.payloads import packed_identifier
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from cohortd.emulators.google_calls import RefusedError
from cohortd.emulators.google_quotas import Quotas


def test_every_kind_of_identifier_arrives_as_it_was_sent(connector: Any, emulator: GoogleEmulator) -> None:
    remote_id = connector.ensure(SPEC)
    connector.apply(add(remote_id, ANN, BOB))
    assert emulator.members(ACCOUNT, remote_id) == digests(ANN, BOB)
    assert emulator.size(remote_id) == 2


def test_a_person_of_many_identifiers_stays_one_batchs_work(
    connector: Any, emulator: GoogleEmulator
) -> None:
    many = person("ann", *(mail(f"ann{number}") for number in range(45)))
    remote_id = connector.ensure(SPEC)
    connector.apply(add(remote_id, many, BOB))
    assert emulator.members(ACCOUNT, remote_id) == digests(many, BOB)
    connector.apply(remove(remote_id, many))
    assert emulator.members(ACCOUNT, remote_id) == digests(BOB)


def test_ten_thousand_members_go_in_one_request(manager: Any, emulator: GoogleEmulator) -> None:
    crowd = [person(str(number)) for number in range(10_000)]
    remote_id = manager.ensure(SPEC)
    receipt = manager.apply(add(remote_id, *crowd))
    assert emulator.calls["dm.audience_members.ingest"] == 1
    assert manager.poll(receipt.request).state is BatchState.CONFIRMED
    assert emulator.size(remote_id) == 10_000


def test_who_carries_nothing_sendable_is_named_before_anything_is_sent(
    connector: Any, emulator: GoogleEmulator
) -> None:
    other = person("eve", packed_identifier(IdentifierKind.EXTERNAL_ID, {"id": "42"}))
    with pytest.raises(RejectedError) as caught:
        connector.apply(add("1", ANN, other))
    assert caught.value.rows == {1: "NO_SENDABLE_IDENTIFIER"}
    assert not emulator.calls


def test_the_row_at_fault_is_named_and_nothing_else_was_done(
    manager: Any, emulator: GoogleEmulator
) -> None:
    remote_id = manager.ensure(SPEC)
    many = person("many", *(mail(f"m{number}") for number in range(12)))
    with pytest.raises(RejectedError) as caught:
        manager.apply(add(remote_id, many, BOB, person("eve", bad_address())))
    assert caught.value.rows == {2: "INVALID_REGION_CODE"}
    assert emulator.members(ACCOUNT, remote_id) == frozenset()


def test_a_job_goes_on_without_the_rows_at_fault(ads: Any, emulator: GoogleEmulator) -> None:
    remote_id = ads.ensure(SPEC)
    receipt = ads.apply(add(remote_id, BOB, person("eve", bad_address())))
    assert receipt.rejected == {1: "INVALID_COUNTRY_CODE"}
    done = ads.poll(receipt.request)
    assert (done.state, done.rejected) == (BatchState.CONFIRMED, {1: "INVALID_COUNTRY_CODE"})
    assert emulator.members(ACCOUNT, remote_id) == digests(BOB)


def test_a_job_of_bad_rows_only_is_not_run(ads: Any, emulator: GoogleEmulator) -> None:
    remote_id = ads.ensure(SPEC)
    with pytest.raises(RejectedError) as caught:
        ads.apply(add(remote_id, person("eve", bad_address())))
    assert caught.value.rows == {0: "INVALID_COUNTRY_CODE"}
    assert emulator.calls["ads.jobs.run"] == 0


def test_who_was_taken_in_part_is_on_the_platform(ads: Any) -> None:
    half = person("half", *(mail(f"h{number}") for number in range(20)), bad_address())
    remote_id = ads.ensure(SPEC)
    assert ads.apply(add(remote_id, half, BOB)).rejected == {}
    assert ads.apply(remove(remote_id, half, BOB)).rejected == {0: "INVALID_COUNTRY_CODE"}


def test_a_big_batch_fills_its_job_in_several_requests(ads: Any, emulator: GoogleEmulator) -> None:
    crowd = [person(str(number)) for number in range(12_000)]
    remote_id = ads.ensure(SPEC)
    ads.apply(add(remote_id, *crowd))
    assert emulator.calls["ads.jobs.add"] == 3
    assert emulator.size(remote_id) == 12_000


def test_accepted_is_not_confirmed_until_google_is_done(start: Start, clock: Clock, make: Any) -> None:
    emulator = start(GoogleRules(delay_s=1800))
    for kind, name in ((grpc_manager, "s1"), (google_ads, "s2")):
        connector = make(kind, emulator)
        remote_id = connector.ensure(RemoteSpec(name, name, ""))
        receipt = connector.apply(add(remote_id, ANN))
        assert connector.poll(receipt.request).state is BatchState.ACCEPTED
        assert emulator.members(ACCOUNT, remote_id) == frozenset()
        clock.pass_time(1801)
        assert connector.poll(receipt.request).state is BatchState.CONFIRMED
        assert emulator.members(ACCOUNT, remote_id) == digests(ANN)


def processing(kind: FaultKind, code: str) -> Fault:
    return Fault(call="*.processing", kind=kind, code=code, share=0.5)


def test_half_of_an_upload_that_fell_out_is_counted_not_named(
    manager: Any, emulator: GoogleEmulator
) -> None:
    remote_id = manager.ensure(SPEC)
    emulator.faults.add(processing(FaultKind.HALF_APPLY, "INVALID_FORMAT"))
    done = manager.poll(manager.apply(add(remote_id, ANN, BOB)).request)
    assert (done.state, done.unattributed) == (BatchState.CONFIRMED, {"INVALID_FORMAT": 1})
    emulator.faults.add(processing(FaultKind.HALF_APPLY, "INTERNAL_ERROR"))
    done = manager.poll(manager.apply(remove(remote_id, ANN, BOB)).request)
    assert (done.state, done.unattributed) == (BatchState.REJECTED, {"INTERNAL_ERROR": 1})


@pytest.mark.parametrize("kind", [FaultKind.HALF_APPLY, FaultKind.ERROR])
def test_what_google_itself_failed_at_is_to_be_sent_again(
    connector: Any, emulator: GoogleEmulator, kind: FaultKind
) -> None:
    remote_id = connector.ensure(SPEC)
    for batch in (add, remove):
        emulator.faults.add(processing(kind, "INTERNAL_ERROR"))
        done = connector.poll(connector.apply(batch(remote_id, ANN, BOB)).request)
        assert done.state is BatchState.REJECTED
        assert done.fault


def test_an_upload_that_failed_whole_is_rejected(manager: Any, emulator: GoogleEmulator) -> None:
    remote_id = manager.ensure(SPEC)
    emulator.faults.add(processing(FaultKind.ERROR, "DENIED_CONSENT"))
    done = manager.poll(manager.apply(add(remote_id, ANN, BOB)).request)
    assert (done.state, done.unattributed) == (BatchState.REJECTED, {"DENIED_CONSENT": 2})


def test_a_failed_job_names_the_rows_that_were_bad_all_the_same(ads: Any, emulator: GoogleEmulator) -> None:
    remote_id = ads.ensure(SPEC)
    emulator.faults.add(processing(FaultKind.ERROR, "INTERNAL_ERROR"))
    done = ads.poll(ads.apply(add(remote_id, ANN, person("eve", bad_address()))).request)
    assert (done.rejected, done.fault) == ({1: "INVALID_COUNTRY_CODE"}, "Google's job failed (UNSPECIFIED)")


@pytest.mark.parametrize("call", ["ads.jobs.create", "ads.jobs.add", "ads.jobs.run"])
def test_a_job_lost_at_any_step_is_made_again(ads: Any, emulator: GoogleEmulator, call: str) -> None:
    remote_id = ads.ensure(SPEC)
    emulator.faults.add(Fault(call=call, kind=FaultKind.DROP_AFTER))
    with pytest.raises(RetryableError):
        ads.apply(add(remote_id, ANN))
    ads.apply(add(remote_id, ANN))
    assert emulator.members(ACCOUNT, remote_id) == digests(ANN)


def test_a_job_whose_start_was_not_answered_is_started_again_rather_than_made_anew(
    ads: Any, emulator: GoogleEmulator
) -> None:
    remote_id = ads.ensure(SPEC)
    for kind in (FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE):
        for batch in (add(remote_id, ANN), remove(remote_id, ANN)):
            emulator.calls.clear()
            emulator.faults.add(Fault(call="ads.jobs.run", kind=kind))
            with pytest.raises(RetryableError):
                ads.apply(batch)
            receipt = ads.apply(batch)
            assert ads.poll(receipt.request).state is BatchState.CONFIRMED
            assert emulator.calls["ads.jobs.create"] == 1


def test_a_job_whose_start_was_not_answered_keeps_what_google_refused_of_it(
    ads: Any, emulator: GoogleEmulator
) -> None:
    batch = add(ads.ensure(SPEC), BOB, person("eve", bad_address()))
    emulator.faults.add(Fault(call="ads.jobs.run", kind=FaultKind.DROP_AFTER))
    with pytest.raises(RetryableError):
        ads.apply(batch)

    assert ads.poll(ads.apply(batch).request).rejected == {1: "INVALID_COUNTRY_CODE"}


@pytest.mark.parametrize("starts_unseen", [False, True])
def test_no_add_is_begun_while_a_job_of_a_dead_process_is_at_work_on_the_list(
    start: Start, clock: Clock, make: Any, *, starts_unseen: bool
) -> None:
    emulator = start(GoogleRules(delay_s=1800, starts_unseen=starts_unseen))
    dead, alive = make(google_ads, emulator), make(google_ads, emulator)
    remote_id, other = dead.ensure(SPEC), dead.ensure(RemoteSpec("s2", "Others", ""))
    dead.apply(add(remote_id, ANN))
    with pytest.raises(RetryableError) as caught:
        alive.apply(add(remote_id, ANN))
    assert (caught.value.scope, caught.value.after_s) == ("audience", 300)
    assert alive.apply(add(other, ANN)).state is BatchState.ACCEPTED
    assert (
        alive.apply(remove(remote_id, BOB)).state is BatchState.ACCEPTED
    )  # a revocation waits for nothing
    clock.pass_time(1801)

    assert alive.apply(add(remote_id, ANN)).state is BatchState.ACCEPTED


def test_a_job_that_a_dead_process_never_ran_holds_nobody_up(start: Start, make: Any) -> None:
    emulator = start(GoogleRules(delay_s=1800))
    dead, alive = make(google_ads, emulator), make(google_ads, emulator)
    remote_id = dead.ensure(SPEC)
    emulator.faults.add(Fault(call="ads.jobs.run", kind=FaultKind.DROP_BEFORE))
    with pytest.raises(RetryableError):
        dead.apply(add(remote_id, ANN))

    assert alive.apply(add(remote_id, BOB)).state is BatchState.ACCEPTED


def test_concurrent_work_on_a_list_is_tried_again(ads: Any, emulator: GoogleEmulator) -> None:
    fault = Fault(call="ads.jobs.add", status="ABORTED", code="database_error.CONCURRENT_MODIFICATION")
    emulator.faults.add(fault)
    with pytest.raises(RetryableError):
        ads.apply(add(ads.ensure(SPEC), ANN))


def test_the_newcomer_is_told_to_go_to_the_data_manager(start: Start, make: Any) -> None:
    ads = make(google_ads, start(GoogleRules(jobs_allowed=False)))
    with pytest.raises(FatalError) as caught:
        ads.apply(add(ads.ensure(SPEC), ANN))
    assert "google_data_manager" in caught.value.cure


def test_what_was_accepted_later_may_be_done_first(start: Start, make: Any, clock: Clock) -> None:
    emulator = start(rules=GoogleRules(delay_s=60))
    manager = make(grpc_manager, emulator)
    remote_id = manager.ensure(SPEC)
    emulator.faults.add(Fault(call="dm.processing", kind=FaultKind.LATE, delay_s=600))
    first = manager.apply(add(remote_id, ANN)).request
    second = manager.apply(add(remote_id, BOB)).request
    clock.pass_time(60)
    states = [manager.poll(request).state for request in (first, second)]
    clock.pass_time(600)

    assert states == [BatchState.ACCEPTED, BatchState.CONFIRMED]
    assert manager.poll(first).state is BatchState.CONFIRMED
    assert emulator.members(ACCOUNT, remote_id) == digests(ANN, BOB)


def test_warnings_of_google_are_told(connector: Any, emulator: GoogleEmulator) -> None:
    remote_id = connector.ensure(SPEC)
    emulator.faults.add(Fault(call="dm.audience_members.ingest", kind=FaultKind.WARN, row=0))
    emulator.faults.add(
        Fault(call="ads.jobs.add", kind=FaultKind.WARN, code="string_length_error.TOO_LONG", row=0)
    )

    assert "1 warnings" in connector.apply(add(remote_id, ANN)).note


def test_the_quota_of_a_minute_is_kept_and_full_again_after_one(
    start: Start, make: Any, clock: Clock
) -> None:
    manager = make(grpc_manager, start(rules=GoogleRules(quotas=True)))
    remote_id = manager.ensure(SPEC)
    for _ in range(300):
        manager.apply(remove(remote_id, ANN))
    with pytest.raises(RetryableError) as refused:
        manager.apply(remove(remote_id, ANN))
    read = manager.read(remote_id)
    clock.pass_time(60)

    assert refused.value.after_s == 60
    assert read.state == "open"
    assert manager.apply(remove(remote_id, ANN)).state is BatchState.ACCEPTED


def test_the_quota_of_a_day_is_told_from_that_of_a_minute(clock: Clock) -> None:
    quotas = Quotas(clock)
    for _ in range(200):
        for _ in range(250):
            quotas.count("dm.user_lists.create")
        clock.pass_time(60)
    with pytest.raises(RefusedError) as refused:
        quotas.count("dm.user_lists.update")

    assert refused.value.quota_limit == "ManagementMutateRequestsPerDayPerProject"


def test_a_request_is_known_for_fifty_days(manager: Any, emulator: GoogleEmulator, clock: Clock) -> None:
    request = manager.apply(add(manager.ensure(SPEC), ANN)).request
    clock.pass_time(50 * 86_400)
    known = manager.poll(request).state
    clock.pass_time(60)

    assert known is BatchState.CONFIRMED
    with pytest.raises(RejectedError, match="50 days"):
        manager.poll(request)


def test_a_member_is_forgotten_540_days_after_it_was_last_added(
    connector: Any, emulator: GoogleEmulator, clock: Clock
) -> None:
    remote_id = connector.ensure(SPEC)
    connector.apply(add(remote_id, ANN, BOB))
    emulator.identifiers(remote_id)
    clock.pass_time(300 * 86_400)
    connector.apply(add(remote_id, ANN))
    emulator.identifiers(remote_id)
    clock.pass_time(241 * 86_400)

    assert emulator.members(ACCOUNT, remote_id) == digests(ANN)


def test_a_list_may_forget_its_members_sooner(
    connector: Any, emulator: GoogleEmulator, clock: Clock
) -> None:
    remote_id = connector.ensure(RemoteSpec("s1", "Regulars", "Buys often", membership_days=30))
    connector.apply(add(remote_id, ANN))
    emulator.identifiers(remote_id)
    clock.pass_time(30 * 86_400 - 1)
    still_there = emulator.members(ACCOUNT, remote_id)
    clock.pass_time(2)

    assert still_there == digests(ANN)
    assert emulator.members(ACCOUNT, remote_id) == frozenset()
