"""What withdrawn people carry, read from a table that may be large."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cohortd.core.errors import StoppedError
from cohortd.pipeline.carriers import of_customers
from cohortd.pipeline.wiring import IdentityPolicy
from cohortd.sources import TableSource


def test_reading_is_broken_off_when_the_process_is_asked_to_stop_and_half_a_table_is_nothing(
    tmp_path: Path,
) -> None:
    table = tmp_path / "customers.csv"
    table.write_text("customer_id,email\nc1,one@example.com\n")
    pipeline: Any = SimpleNamespace(
        stop=threading.Event(),
        sources=SimpleNamespace(customers=TableSource("customers", str(table))),
        identity=IdentityPolicy(None, frozenset()),
        ledger=SimpleNamespace(secret=b"s" * 32),
    )
    before = of_customers(pipeline, ["c1"])
    pipeline.stop.set()

    assert list(before) == ["c1"]
    with pytest.raises(StoppedError):
        of_customers(pipeline, ["c1"])
