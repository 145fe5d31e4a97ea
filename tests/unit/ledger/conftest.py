from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Every promise of the ledger is held on both databases."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("server").fresh()
    made = World(tmp_path, url)
    yield made
    made.ledger.close()
