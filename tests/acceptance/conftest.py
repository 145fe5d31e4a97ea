"""Fixtures of the acceptance tests: a shop of its own for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop") as opened:
        yield opened


@pytest.fixture
def synced(shop: Shop) -> Shop:
    """A shop that has sent everybody, everywhere."""
    answer = shop.sync()
    assert answer.code == 0, answer.out + answer.err
    return shop
