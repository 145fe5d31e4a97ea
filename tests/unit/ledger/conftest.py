from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_server import Server
from ledger_world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Every promise of the ledger is held on both databases."""
    if request.param == "sqlite":
        made = World(tmp_path)
        yield made
        made.ledger.close()
    else:
        server: Server = request.getfixturevalue("server")
        made = World(tmp_path, server.fresh())
        yield made
        made.ledger.close()
        server.give_back(made.url)
