"""Where most of an audience leaves, everybody is sent anew instead, and it ends in the same members."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from delivered import CROWD, Clock, Delivered, written
from ledger_world import people
from platform_faults import DATA_MANAGER, META
from test_delivery_under_faults import EVERY_DAY, strike

from cohortd.core.delivery import Limits
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from cohortd.emulators.meta import MetaEmulator
from cohortd.pipeline import sessions
from cohortd.pipeline.wiring import Resyncing
from connectors.contract import Trouble
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions
from connectors.meta import MetaConnector, MetaOptions
from tests.evidence.records import quick_folder

PAIR = 2
#: One stays, two come, five leave.
OTHERS = [CROWD[0], *people("new", "newer")]
INGEST, REMOVE, SWEEP = (f"dm.audience_members.{verb}" for verb in ("ingest", "remove", "remove_all"))
POLL = "dm.request_status.retrieve"


class SmallManager(DataManagerConnector):
    @property
    def limits(self) -> Limits:
        return replace(super().limits, rows_per_batch=PAIR)


class SmallMeta(MetaConnector):
    @property
    def limits(self) -> Limits:
        return replace(super().limits, rows_per_batch=PAIR)


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(dir=quick_folder()) as name:
        yield Path(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def manager(folder: Path, clock: Clock) -> Iterator[Delivered]:
    with GoogleEmulator(rules=GoogleRules(delay_s=600), clock=clock) as google:
        options = DataManagerOptions("1234567890", endpoint=google.grpc_endpoint)
        connect = partial(SmallManager, options)
        world = Delivered(folder, clock, google, connect, Resyncing.SWEEP, PAIR, replaces_when_cheaper=True)
        yield from filled(world)


@pytest.fixture
def meta(folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Delivered]:
    monkeypatch.setattr(sessions, "ROWS_PER_PART", 4)
    with MetaEmulator(clock=clock) as emulator:
        options = MetaOptions(account="act_1", access_token="t", endpoint=emulator.endpoint)
        connect = partial(SmallMeta, options, clock=clock)
        world = Delivered(
            folder, clock, emulator, connect, Resyncing.SESSION, PAIR, replaces_when_cheaper=True
        )
        yield from filled(world)


@pytest.fixture(params=["manager", "meta"])
def world(request: pytest.FixtureRequest) -> Delivered:
    found: Delivered = request.getfixturevalue(request.param)
    return found


def filled(world: Delivered) -> Iterator[Delivered]:
    """Six people were there since yesterday."""
    world.sync()
    world.clock.pass_time(days=1)
    world.stand_in.calls.clear()
    yield world
    world.close()


def assert_nobody_is_kept_for_ever(world: Delivered) -> None:
    """Whom a lost add may bring back is in the ledger for a day."""
    for _ in range(2):
        world.clock.pass_time(days=2)
        world.sync()
    assert world.there() == world.wanted() == world.known()


def test_it_ends_in_the_right_members_without_naming_who_leaves(world: Delivered) -> None:
    world.add_stranger()
    world.desired = OTHERS
    world.sync()
    calls = dict(world.stand_in.calls)

    assert world.was_chosen
    assert world.there() == world.wanted()
    assert [calls.get(name, 0) for name in (REMOVE, "users.remove", "users.add")] == [0, 0, 0]
    assert calls.get(SWEEP, 0) + calls.get("users.replace", 0) == 1
    world.sync()
    assert not world.was_chosen


def test_a_difference_that_takes_no_more_requests_is_sent_as_it_is(world: Delivered) -> None:
    world.desired = [*CROWD[:4], *people("new")]
    world.sync()

    assert not world.was_chosen
    assert world.there() == world.wanted()


def test_whoever_was_sent_a_moment_ago_is_taken_off_by_name(manager: Delivered) -> None:
    """By two clocks nobody could tell whether the platform was sent them before or after."""
    manager.desired = [*CROWD, *people("late")]
    manager.sync()
    manager.clock.pass_time(days=1)
    late = people("later")
    manager.desired = [*CROWD, *people("late"), *late]
    manager.sync()
    manager.clock.now -= timedelta(minutes=18)  # the sync took twenty minutes by the platform's clock
    manager.stand_in.calls.clear()
    manager.desired = OTHERS
    manager.sync()

    assert manager.was_chosen
    assert manager.stand_in.calls[REMOVE] == 1
    assert manager.there() == manager.wanted()


@pytest.mark.parametrize("trouble", [Trouble.REFUSED, Trouble.NO_PERMISSION, Trouble.UNKNOWN_CODE])
def test_what_a_platform_has_against_it_stops_nothing(world: Delivered, trouble: Trouble) -> None:
    faults = DATA_MANAGER if world.resyncing is Resyncing.SWEEP else META
    call = SWEEP if world.resyncing is Resyncing.SWEEP else "users.replace"
    world.desired = OTHERS
    world.stand_in.faults.add(replace(faults[trouble], call=call, times=None))
    world.sync()
    removed = world.stand_in.calls[REMOVE] + world.stand_in.calls["users.remove"]

    assert world.there() == world.wanted()
    assert removed == 3
    assert any("taken off by name" in note or "was not replaced whole" in note for note in world.said)


@pytest.mark.parametrize("trouble", sorted({*EVERY_DAY} & {*DATA_MANAGER} - {Trouble.ROW_REFUSED}))
def test_it_ends_well_whatever_goes_wrong_at_the_data_manager(manager: Delivered, trouble: Trouble) -> None:
    calls = ["dm.processing"] if trouble.startswith("work") else [INGEST, SWEEP, POLL]
    for number, call in enumerate(calls * (3 // len(calls))):
        after = number if call == "dm.processing" else 0
        strike(manager, DATA_MANAGER[trouble], call, after=after)
        manager.desired = [*OTHERS, *people(*"uvwxyz")] if number % 2 else OTHERS
        manager.sync()
        manager.sync_until_right()

        assert manager.there() == manager.wanted()
    assert_nobody_is_kept_for_ever(manager)


@pytest.mark.parametrize("trouble", sorted({*EVERY_DAY} & {*META}))
def test_it_ends_well_whatever_goes_wrong_at_meta(meta: Delivered, trouble: Trouble) -> None:
    for number in range(4):
        strike(meta, META[trouble], "users.replace", after=number % 2)
        meta.desired = people(*"uvwxyz") if number % 2 == 0 else list(CROWD)
        meta.sync()
        meta.sync_until_right()

        assert meta.there() == meta.wanted()
    assert_nobody_is_kept_for_ever(meta)


def test_without_an_answer_whoever_leaves_is_taken_off_by_name_after_some_hours(manager: Delivered) -> None:
    manager.desired = OTHERS
    manager.stand_in.faults.add(Fault(call=SWEEP, kind=FaultKind.DROP_BEFORE, times=None))
    began = manager.clock.now
    manager.sync()

    assert manager.there() == manager.wanted()
    assert manager.clock.now - began < timedelta(hours=12)


def test_whoever_is_desired_again_meanwhile_stays(manager: Delivered) -> None:
    manager.desired = OTHERS
    manager.sync(rounds=1)
    manager.desired = [*OTHERS, CROWD[1]]
    manager.sync()

    assert manager.there() == manager.wanted()
    assert manager.stand_in.calls[REMOVE] == 0


def test_whoever_leaves_only_since_it_began_is_taken_off_by_name(manager: Delivered) -> None:
    manager.desired = OTHERS
    manager.sync(rounds=2)
    manager.desired = OTHERS[:1]
    manager.sync()

    assert manager.there() == manager.wanted()
    assert manager.stand_in.calls[REMOVE] == 1


def test_a_plan_meanwhile_does_not_count_them_once_more(manager: Delivered) -> None:
    manager.desired = OTHERS
    manager.sync(rounds=1)
    deltas = manager.deltas()

    assert deltas.removes == 0
    assert deltas.present <= len(OTHERS)


def test_a_revocation_meanwhile_goes_out_at_once_and_by_name(manager: Delivered) -> None:
    manager.desired = OTHERS
    manager.sync(rounds=1)
    manager.desired.append(CROWD[1])
    manager.revoke(CROWD[1])
    manager.go_on(rounds=1)
    calls = manager.stand_in.calls[REMOVE]
    manager.go_on()

    assert calls == 1
    assert manager.there() == manager.wanted()


def test_at_meta_also_a_clustering_that_cut_everything_anew_is_one_session(meta: Delivered) -> None:
    """Each removal and addition by itself would set the learning of every ad set back."""
    meta.desired = people(*"uvwxyz")
    meta.sync()
    calls = meta.stand_in.calls

    assert meta.was_chosen
    assert meta.there() == meta.wanted() == meta.known()
    assert calls["users.replace"] == 2
    assert calls["users.add"] + calls["users.remove"] == 0


def test_whoever_is_added_and_took_consent_back_before_the_session_is_in_no_part(meta: Delivered) -> None:
    meta.desired = people(*"uvwxyz")
    meta.stand_in.faults.add(Fault(call="users.replace", kind=FaultKind.DROP_BEFORE))
    meta.sync(rounds=1)
    gone = meta.desired[2]
    meta.revoke(gone)
    meta.go_on()
    meta.sync_until_right()

    assert meta.there() == meta.wanted()
    assert frozenset(written(gone)).isdisjoint(meta.there())


def test_a_session_that_is_given_up_leaves_its_adds_to_be_sent_by_name(meta: Delivered) -> None:
    meta.desired = people(*"uvwxyz")
    meta.stand_in.faults.add(Fault(call="users.replace", kind=FaultKind.QUOTA, retry_after_s=5460, after=1))
    meta.sync()

    assert meta.there() == meta.wanted() == meta.known()


def test_a_removal_in_a_session_is_confirmed_only_at_its_end(meta: Delivered) -> None:
    meta.desired = OTHERS
    meta.stand_in.faults.add(Fault(call="users.replace", kind=FaultKind.DROP_AFTER))
    meta.sync(rounds=1)
    known = meta.known()
    meta.go_on()

    assert len(known) == 16
    assert meta.there() == meta.wanted() == meta.known()


def test_where_nobody_may_be_added_meanwhile_whoever_leaves_is_taken_off_by_name(
    manager: Delivered,
) -> None:
    manager.desired = OTHERS
    manager.sync(rounds=1)
    manager.held = True
    manager.desired = OTHERS[:1]
    manager.sync()

    assert manager.there() == manager.wanted()
    assert manager.stand_in.calls[SWEEP] == 0
