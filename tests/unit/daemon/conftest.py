"""A runner of jobs whose notes are kept."""

import threading
from types import SimpleNamespace

import pytest
from daemon_notes import NOW, Notes

from cohortd.core.observing import UNOBSERVED
from cohortd.daemon.running import Runner


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def runner(notes: Notes) -> Runner:
    nothing = SimpleNamespace(last=lambda **_: None, current=lambda: None)
    ledger = SimpleNamespace(jobs=notes, runs=nothing, models=nothing)
    pipeline = SimpleNamespace(
        ledger=ledger, clock=lambda: NOW, stop=threading.Event(), observer=UNOBSERVED
    )
    return Runner(pipeline)  # type: ignore[arg-type]
