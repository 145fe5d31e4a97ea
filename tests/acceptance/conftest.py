"""Fixtures of the acceptance tests: a shop of its own for each."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop") as opened:
        yield opened


@pytest.fixture(scope="session")
def first_sync(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop after its first sync, with what the platforms know: copied, never used itself."""
    folder = tmp_path_factory.mktemp("first-sync")
    with open_shop(folder / "shop", platforms=folder / "platforms") as opened:
        answer = opened.sync()
        assert answer.code == 0, answer.out + answer.err
    return folder


@pytest.fixture
def synced(first_sync: Path, tmp_path: Path) -> Iterator[Shop]:
    """A shop that has sent everybody, everywhere."""
    shutil.copytree(first_sync, tmp_path, dirs_exist_ok=True)
    with open_shop(tmp_path / "shop", platforms=tmp_path / "platforms") as opened:
        yield opened
