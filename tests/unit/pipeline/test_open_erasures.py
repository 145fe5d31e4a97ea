from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cohortd.pipeline.open_erasures import erasure_lines

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "waiting", "ok", "says"),
    [
        (timedelta(hours=2), 0, True, "1 open"),
        (timedelta(days=2), 3, True, "1 open"),
        (timedelta(days=2), 0, False, "cannot be read"),
        (timedelta(days=26), 3, False, "1 open"),
    ],
)
def test_an_erasure_that_nothing_but_we_hold_up_is_told_after_a_day(
    age: timedelta, waiting: int, *, ok: bool, says: str
) -> None:
    erasures = SimpleNamespace(
        unfinished=lambda: [SimpleNamespace(id="058832f5d256", asked_at=NOW - age)],
        waiting=lambda _: waiting,
    )
    pipeline = SimpleNamespace(ledger=SimpleNamespace(erasures=erasures), clock=lambda: NOW)

    (line,) = erasure_lines(pipeline)  # type: ignore[arg-type]

    assert (line.ok, says in line.detail) == (ok, True)
