from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Where a ledger may be made; blank for a file of the test's own."""
    return "" if request.param == "sqlite" else request.getfixturevalue("server").fresh()


@pytest.fixture
def world(tmp_path: Path, url: str) -> Iterator[World]:
    made = World(tmp_path, url)
    yield made
    made.ledger.close()
