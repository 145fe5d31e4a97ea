from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google_people import Clock, Make, Start, google_ads, grpc_manager, rest_manager

from cohortd.emulators.faults import FaultSchedule
from cohortd.emulators.google import GoogleEmulator, GoogleRules
from connectors.protocol import Connector


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(clock: Clock) -> Iterator[Start]:
    running: list[GoogleEmulator] = []

    def start(
        rules: GoogleRules | None = None, *, folder: Path | None = None, faults: FaultSchedule | None = None
    ) -> GoogleEmulator:
        running.append(GoogleEmulator(rules=rules, folder=folder, faults=faults, clock=clock))
        running[-1].start()
        return running[-1]

    yield start
    for emulator in running:
        emulator.stop()


@pytest.fixture
def emulator(start: Start) -> GoogleEmulator:
    return start()


@pytest.fixture
def make() -> Iterator[Callable[[Any, GoogleEmulator], Any]]:
    made: list[Connector] = []

    def make(kind: Make, emulator: GoogleEmulator) -> Any:
        made.append(kind(emulator))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


@pytest.fixture(params=[grpc_manager, rest_manager, google_ads], ids=["grpc", "rest", "ads"])
def connector(request: pytest.FixtureRequest, emulator: GoogleEmulator, make: Any) -> Any:
    return make(request.param, emulator)


@pytest.fixture(params=[grpc_manager, rest_manager], ids=["grpc", "rest"])
def manager(request: pytest.FixtureRequest, emulator: GoogleEmulator, make: Any) -> Any:
    return make(request.param, emulator)


@pytest.fixture
def ads(emulator: GoogleEmulator, make: Any) -> Any:
    return make(google_ads, emulator)
