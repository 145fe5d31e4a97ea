"""The Data Manager connector has everybody forgotten who was last added before a moment."""

from datetime import timedelta

from google_people import ACCOUNT, Clock

from cohortd.core.delivery import BatchState
from cohortd.emulators.google import GoogleEmulator
from connectors.google_data_manager import DataManagerConnector


def test_strangers_of_before_are_forgotten_and_it_is_confirmed_by_a_poll(
    manager: DataManagerConnector, emulator: GoogleEmulator, clock: Clock
) -> None:
    list_id = emulator.state.store.create(ACCOUNT, name="VIP").id
    emulator.state.store.add(list_id, [frozenset({"email:00"})])
    clock.now += timedelta(hours=1)
    told = manager.remove_older(list_id, than=clock.now)
    became = manager.poll(told.request)

    assert told.state is BatchState.ACCEPTED
    assert became.state is BatchState.CONFIRMED
    assert emulator.members(ACCOUNT, list_id) == frozenset()
