"""Files as people really hand them over."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cohortd.sources import TableSource

MakeSource = Callable[..., TableSource]


@pytest.fixture
def make_source(tmp_path: Path) -> MakeSource:
    """Write bytes to a file and describe it as a table."""

    def make(name: str, content: bytes | str, *, file: str = "table.csv", **options: object) -> TableSource:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return TableSource(name, path=str(path), **options)  # type: ignore[arg-type]

    return make
