"""What the emulated Google accepted outlives its process."""

from pathlib import Path

from google_people import ACCOUNT, Clock, Start, add, digests, person, remove

from cohortd.core.delivery import BatchState, RemoteSpec
from cohortd.emulators.google import GoogleRules
from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions

SPEC = RemoteSpec("s1", "Regulars", "")
ANN, BOB = person("ann"), person("bob")


def test_members_open_uploads_and_unrun_jobs_survive_a_restart(
    start: Start, tmp_path: Path, clock: Clock
) -> None:
    rules = GoogleRules(delay_s=60)
    first = start(rules, folder=tmp_path)
    manager = DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=first.grpc_endpoint))
    remote_id = manager.ensure(SPEC)
    manager.apply(add(remote_id, ANN))
    clock.pass_time(61)
    assert first.members(ACCOUNT, remote_id) == digests(ANN)
    receipt = manager.apply(add(remote_id, BOB))
    manager.close()
    first.stop()

    clock.pass_time(61)
    second = start(rules, folder=tmp_path)
    manager = DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=second.http_endpoint))
    assert manager.poll(receipt.request).state is BatchState.CONFIRMED
    assert manager.ensure(SPEC) == remote_id
    manager.close()
    ads = GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=second.grpc_endpoint))
    removed = ads.apply(remove(remote_id, ANN))
    ads.close()
    second.stop()

    clock.pass_time(61)
    third = start(rules, folder=tmp_path)
    assert third.members(ACCOUNT, remote_id) == digests(BOB)
    ads = GoogleAdsConnector(GoogleAdsOptions(ACCOUNT, endpoint=third.grpc_endpoint))
    assert ads.poll(removed.request).state is BatchState.CONFIRMED
    ads.close()


def test_work_is_done_in_the_order_of_its_acceptance(start: Start, clock: Clock) -> None:
    emulator = start(GoogleRules(delay_s=60))
    manager = DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))
    remote_id = manager.ensure(SPEC)
    manager.apply(add(remote_id, ANN, BOB))
    clock.pass_time(30)
    manager.apply(remove(remote_id, ANN))
    manager.close()
    clock.pass_time(31)
    assert emulator.members(ACCOUNT, remote_id) == digests(ANN, BOB)
    clock.pass_time(30)
    assert emulator.members(ACCOUNT, remote_id) == digests(BOB)


def test_work_on_a_list_that_was_deleted_meanwhile_fails(start: Start, clock: Clock) -> None:
    emulator = start(GoogleRules(delay_s=60))
    manager = DataManagerConnector(DataManagerOptions(ACCOUNT, endpoint=emulator.grpc_endpoint))
    remote_id = manager.ensure(SPEC)
    receipt = manager.apply(add(remote_id, ANN))
    emulator.state.store.delete(remote_id)
    clock.pass_time(61)
    assert manager.poll(receipt.request).state is BatchState.REJECTED
    manager.close()
