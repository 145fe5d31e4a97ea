"""What every test starts from."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Commands called in this process set up logs for good; the next test must not inherit them."""
    yield
    structlog.reset_defaults()
