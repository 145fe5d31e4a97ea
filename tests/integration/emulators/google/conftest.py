from collections.abc import Iterator
from pathlib import Path

import pytest
from google_people import Clock, Start

from cohortd.emulators.faults import FaultSchedule
from cohortd.emulators.google import GoogleEmulator, GoogleRules


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
