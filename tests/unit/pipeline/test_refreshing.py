from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cohortd.pipeline.refreshing import needs_sync

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("membership_days", "last_ago_days", "needed"),
    [
        ([540, None], 26.9, False),
        ([540, None], 27, True),
        ([540, 100], 5, True),
        ([None], 400, False),
        ([540], None, False),  # nobody was sent yet
    ],
)
def test_a_sync_is_needed_before_a_platform_forgets_anybody(
    membership_days: list[int | None], last_ago_days: float | None, *, needed: bool
) -> None:
    run = None if last_ago_days is None else SimpleNamespace(started_at=NOW - timedelta(days=last_ago_days))
    pipeline = SimpleNamespace(
        destinations={n: SimpleNamespace(membership_days=d) for n, d in enumerate(membership_days)},
        ledger=SimpleNamespace(runs=SimpleNamespace(last=lambda **_: run)),
        clock=lambda: NOW,
    )

    assert needs_sync(pipeline) is needed  # type: ignore[arg-type]
