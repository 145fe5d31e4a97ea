"""What every test starts from."""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings
from ledger_server import Server, running_server

# How long one example takes says how busy the machine is, not whether the code is right.
settings.register_profile("any_machine", deadline=None)
settings.load_profile("any_machine")

# Nearly every test fits a model, and few are about its pictures: those that are ask for them.
os.environ.setdefault("COHORTD_REPORTS__PLOTS", "false")


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Commands called in this process set up logs for good; the next test must not inherit them."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server, started by the first test that asks for it."""
    with running_server() as started:
        yield started
