"""Whatever goes wrong at whichever call of an upload of many steps, it ends in the right members.

The contract suite strikes the verbs of a connector one by one; here a session of parts, a removal of
whoever is older and the steps of a job are struck, and gone on with by another process.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from _pytest.mark import ParameterSet
from delivered import CROWD, STRANGER, Clock, Delivered
from platform_faults import DATA_MANAGER, GOOGLE_ADS, META

from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from cohortd.emulators.meta import MetaEmulator
from cohortd.pipeline import sessions
from cohortd.pipeline.wiring import Resyncing
from connectors.contract import Trouble
from connectors.google_ads import GoogleAdsConnector, GoogleAdsOptions
from connectors.google_data_manager import DataManagerConnector, DataManagerOptions
from connectors.meta import MetaConnector, MetaOptions
from tests.evidence.records import quick_folder

ACCOUNT = "1234567890"
OTHERS_STAY = "others may be there"

#: What is struck every day, one of each kind; the others are slow, and differ from these in words.
EVERY_DAY = {
    Trouble.NOT_DELIVERED,
    Trouble.ANSWER_LOST,
    Trouble.GARBLED,
    Trouble.CONFLICT,
    Trouble.QUOTA,
    Trouble.TOKEN_EXPIRED,
    Trouble.HALF_APPLIED,
    Trouble.ROW_REFUSED,
    Trouble.REFUSED,
    Trouble.WORK_FAILED,
    Trouble.WORK_HALF_DONE,
    Trouble.WORK_LATE,
}


def chosen(troubles: Iterable[Trouble]) -> list[ParameterSet]:
    """Every trouble that an upload can meet."""
    met = (each for each in troubles if each is not Trouble.NOT_YET)  # that is about removals
    return [pytest.param(each, marks=[] if each in EVERY_DAY else pytest.mark.slow) for each in met]


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(dir=quick_folder()) as name:
        yield Path(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meta(folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Delivered]:
    """Six people in three parts."""
    monkeypatch.setattr(sessions, "ROWS_PER_PART", 2)
    with MetaEmulator(clock=clock) as emulator:
        options = MetaOptions(account="act_1", access_token="t", endpoint=emulator.endpoint)
        world = Delivered(
            folder, clock, emulator, lambda: MetaConnector(options, clock=clock), Resyncing.SESSION
        )
        yield world
        world.close()


@pytest.fixture
def google(clock: Clock) -> Iterator[GoogleEmulator]:
    with GoogleEmulator(rules=GoogleRules(delay_s=600), clock=clock) as emulator:
        yield emulator


@pytest.fixture
def manager(folder: Path, clock: Clock, google: GoogleEmulator) -> Iterator[Delivered]:
    options = DataManagerOptions(ACCOUNT, endpoint=google.grpc_endpoint)
    world = Delivered(folder, clock, google, lambda: DataManagerConnector(options), Resyncing.SWEEP)
    yield world
    world.close()


@pytest.fixture
def ads(folder: Path, clock: Clock, google: GoogleEmulator) -> Iterator[Delivered]:
    options = GoogleAdsOptions(ACCOUNT, endpoint=google.grpc_endpoint)
    world = Delivered(folder, clock, google, lambda: GoogleAdsConnector(options))
    yield world
    world.close()


def strike(world: Delivered, fault: Fault, call: str, *, after: int = 0) -> None:
    world.clock.pass_time(days=1)  # nothing of what went before is remembered
    world.said.clear()
    world.stand_in.faults.clear()
    world.stand_in.faults.struck.clear()
    world.stand_in.faults.add(replace(fault, call=call, after=after))


def set_aside(world: Delivered, trouble: Trouble) -> frozenset[str]:
    """Whom a row that was refused leaves out, until something about them changes: one person."""
    missing = world.wanted() - world.there()
    assert len(missing) in ((0, 2) if trouble is Trouble.ROW_REFUSED else (0,))
    return missing


def assert_struck(world: Delivered, place: str) -> None:
    assert world.stand_in.faults.struck, f"nothing met the trouble at {place}"


@pytest.mark.parametrize("trouble", chosen(META))
def test_a_session_of_parts(meta: Delivered, trouble: Trouble) -> None:
    meta.sync()
    for part in range(3):
        meta.add_stranger()
        strike(meta, META[trouble], "users.replace", after=part)
        meta.sync(anew=True)
        assert_struck(meta, f"part {part + 1}")
        meta.sync_until_right()

        assert meta.there() - STRANGER == meta.wanted()
        assert STRANGER.isdisjoint(meta.there()) or any(OTHERS_STAY in note for note in meta.said)


@pytest.mark.parametrize("trouble", chosen(DATA_MANAGER))
def test_everybody_anew_and_whoever_is_older_forgotten(manager: Delivered, trouble: Trouble) -> None:
    manager.sync()
    work = trouble.startswith("work")
    calls = ["dm.processing"] if work else [f"dm.{each}" for each in SWEEPING]
    for call in calls:
        for after in range(3 if work else 1):
            manager.add_stranger()
            manager.clock.pass_time(hours=1)
            strike(manager, DATA_MANAGER[trouble], call, after=after)
            manager.sync(anew=True)
            assert_struck(manager, call)
            manager.sync_until_right()

            assert manager.there() == manager.wanted() - set_aside(manager, trouble)


SWEEPING = ("audience_members.ingest", "audience_members.remove_all", "request_status.retrieve")
JOB_STEPS = ("ads.jobs.create", "ads.jobs.add", "ads.jobs.run", "ads.search")


@pytest.mark.parametrize("trouble", chosen(GOOGLE_ADS))
def test_jobs_that_fill_and_shrink_a_list(ads: Delivered, trouble: Trouble) -> None:
    for call in ["ads.processing"] if trouble.startswith("work") else JOB_STEPS:
        for desired in (CROWD, CROWD[:3]):
            ads.desired = list(desired)
            strike(ads, GOOGLE_ADS[trouble], call)
            ads.sync()
            assert_struck(ads, call)
            ads.sync_until_right()

            assert ads.there() == ads.wanted() - set_aside(ads, trouble)


def test_a_session_whose_ninety_minutes_have_passed_is_given_up_and_the_rest_is_added(
    meta: Delivered,
) -> None:
    meta.sync()
    meta.add_stranger()
    strike(meta, Fault(kind=FaultKind.QUOTA, retry_after_s=5460), "users.replace", after=1)
    meta.sync(anew=True)
    meta.sync()

    assert meta.there() == meta.wanted()
    assert any("was not replaced whole" in note for note in meta.said)


def test_a_session_whose_rest_took_consent_back_is_ended_and_not_left_open(meta: Delivered) -> None:
    meta.sync()
    meta.add_stranger()
    strike(meta, Fault(kind=FaultKind.DROP_BEFORE), "users.replace", after=2)
    began = meta.clock.now
    meta.sync(anew=True, rounds=1)
    for person in sorted(meta.desired, key=lambda each: each.key)[-2:]:
        meta.revoke(person)
    meta.go_on()

    assert meta.there() == meta.wanted()
    assert len(meta.there()) == 8
    assert meta.clock.now - began < timedelta(minutes=30)
