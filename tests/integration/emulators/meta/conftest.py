"""A running Graph API for the tests beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from meta_client import Client, Clock, Make

from cohortd.emulators.meta import MetaEmulator, MetaRules


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Client] = []

    def make(folder: Path | None = None, **rules: object) -> Client:
        clock = Clock()
        emulator = MetaEmulator(rules=MetaRules(**rules), clock=clock, folder=folder)
        emulator.start()
        made.append(Client(emulator, clock))
        return made[-1]

    yield make
    for client in made:
        client.http.close()
        client.emulator.stop()


@pytest.fixture
def client(make: Make) -> Client:
    return make()
