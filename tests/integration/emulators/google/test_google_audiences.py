"""Audiences are found by our marker, made as asked, shown and checked, over the emulated Google."""

from typing import Any

import pytest
from google_people import (
    ACCOUNT,
    ANN,
    BOB,
    SPEC,
    Start,
    add,
    digests,
    google_ads,
    grpc_manager,
    person,
    remove,
    rest_manager,
)

from cohortd.core.delivery import RemoteSpec
from cohortd.core.errors import FatalError
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules


def test_a_new_audience_is_made_as_asked(connector: Any, emulator: GoogleEmulator) -> None:
    connector.ensure(RemoteSpec("s1", "Regulars", "Buys often", membership_days=90))
    (made,) = emulator.audiences(ACCOUNT)
    assert made.name == "Regulars"
    assert made.attributes["description"] == "Buys often"
    assert made.attributes["integration_code"] == "cohortd:s1"
    assert made.attributes["membership_days"] == 90


def test_membership_lasts_as_long_as_google_allows_where_nobody_says(
    connector: Any, emulator: GoogleEmulator
) -> None:
    connector.ensure(SPEC)
    assert emulator.audiences(ACCOUNT)[0].attributes["membership_days"] == 540


def test_a_homonym_that_is_not_ours_is_never_adopted(connector: Any, emulator: GoogleEmulator) -> None:
    theirs = emulator.state.store.create(ACCOUNT, name="Regulars", attributes={"integration_code": "crm:7"})
    ours = connector.ensure(SPEC)
    assert ours != theirs.id
    assert [each.name for each in emulator.audiences(ACCOUNT)] == ["Regulars", "Regulars (2)"]
    assert connector.ensure(SPEC) == ours


def test_a_list_that_is_only_shared_with_us_is_not_ours(connector: Any, emulator: GoogleEmulator) -> None:
    attributes = {"integration_code": "cohortd:s1", "access_reason": "SHARED"}
    shared = emulator.state.store.create(ACCOUNT, name="Theirs", attributes=attributes)
    assert connector.ensure(SPEC) != shared.id


def test_a_name_that_is_taken_ten_times_over_is_for_a_person_to_change(
    connector: Any, emulator: GoogleEmulator
) -> None:
    for name in ["Regulars", *(f"Regulars ({number})" for number in range(2, 11))]:
        emulator.state.store.create(ACCOUNT, name=name)
    with pytest.raises(FatalError) as caught:
        connector.ensure(SPEC)
    assert caught.value.scope == "audience"


def test_a_name_that_google_does_not_take_stops_the_audience_only(connector: Any) -> None:
    with pytest.raises(FatalError) as caught:
        connector.ensure(RemoteSpec("s1", "", ""))
    assert caught.value.scope == "audience"
    with pytest.raises(FatalError) as caught:
        connector.ensure(RemoteSpec("s1", "VIP", "", membership_days=541))
    assert "540" in caught.value.cure


def test_an_audience_moves_from_one_api_to_the_other(emulator: GoogleEmulator, make: Any) -> None:
    legacy, manager = make(google_ads, emulator), make(grpc_manager, emulator)
    remote_id = legacy.ensure(SPEC)
    assert manager.ensure(SPEC) == remote_id
    legacy.apply(add(remote_id, ANN, BOB))
    manager.apply(remove(remote_id, ANN))
    assert emulator.members(ACCOUNT, remote_id) == digests(BOB)


def test_terms_that_nobody_accepted_stop_the_destination(start: Start, make: Any) -> None:
    emulator = start(GoogleRules(terms_accepted=False))
    for kind, name in ((grpc_manager, "s1"), (rest_manager, "s2"), (google_ads, "s3")):
        connector = make(kind, emulator)
        remote_id = connector.ensure(RemoteSpec(name, name, ""))
        with pytest.raises(FatalError) as caught:
            connector.apply(add(remote_id, ANN))
        assert caught.value.scope == "destination"
        assert "terms" in caught.value.cure


def test_an_account_without_access_is_shown_by_the_check(start: Start, make: Any) -> None:
    emulator = start(GoogleRules(accounts=frozenset({"42"})))
    for kind in (grpc_manager, rest_manager, google_ads):
        lines = make(kind, emulator).check()
        assert [line.ok for line in lines] == [True, False]
        assert "access" in lines[1].cure


def test_the_check_makes_nothing(connector: Any, emulator: GoogleEmulator) -> None:
    assert all(line.ok for line in connector.check())
    assert emulator.audiences() == []


def test_reading_never_breaks_a_sync(connector: Any, emulator: GoogleEmulator) -> None:
    remote_id = connector.ensure(SPEC)
    emulator.faults.add(Fault(call="*", kind=FaultKind.ERROR, status=500))
    assert connector.read(remote_id).state == "not readable"
    assert connector.read("7000000000").state == "gone"


def test_reading_shows_size_state_and_use(connector: Any) -> None:
    remote_id = connector.ensure(SPEC)
    assert connector.read(remote_id).size_upper is None
    connector.apply(add(remote_id, *(person(str(number)) for number in range(100))))
    status = connector.read(remote_id)
    assert (status.size_lower, status.size_upper, status.state, status.usable) == (100, 100, "open", True)
