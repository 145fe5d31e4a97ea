"""An engine in a directory of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cohortd.engine import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine.duckdb(tmp_path / "work", memory_limit="1GB", threads=2) as opened:
        yield opened
