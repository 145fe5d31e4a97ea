import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from cohortd.pipeline.housekeeping import keep_house

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _lay(path: Path, ago: timedelta) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    at = (NOW - ago).timestamp()
    os.utime(path, (at, at))
    os.utime(path.parent, (at, at))


def _pipeline(folder: Path, *, in_force: int | None, kept_for: timedelta | None) -> SimpleNamespace:
    version = None if in_force is None else SimpleNamespace(id=in_force, restores=0)
    ledger = SimpleNamespace(models=SimpleNamespace(current=lambda: version))
    return SimpleNamespace(data_dir=folder, ledger=ledger, clock=lambda: NOW, pages_kept_for=kept_for)


@pytest.mark.parametrize(
    ("kept_for", "in_force", "left"),
    [
        (365 * DAY, 1, {"20260101T000000-aa", "segments-v1", "segments-v3"}),
        (365 * DAY, None, {"20260101T000000-aa", "segments-v3"}),
        (
            None,
            None,
            {"20240101T000000-aa", "20260101T000000-aa", "segments-v1", "segments-v2", "segments-v3"},
        ),
        (DAY, 1, {"20260101T000000-aa", "segments-v1", "segments-v3"}),
    ],
)
def test_old_pages_go_with_their_pictures_but_the_newest_and_the_model_in_force(
    tmp_path: Path, kept_for: timedelta | None, in_force: int | None, left: set[str]
) -> None:
    reports = tmp_path / "reports"
    for name, ago in {
        "20240101T000000-aa": 700 * DAY,
        "20260101T000000-aa": 320 * DAY,
        "segments-v1": 900 * DAY,
        "segments-v2": 800 * DAY,
        "segments-v3": 500 * DAY,
    }.items():
        for part in (f"{name}/flow.png", f"{name}.html", f"{name}.json"):
            _lay(reports / part, ago)

    keep_house(_pipeline(tmp_path, in_force=in_force, kept_for=kept_for))  # type: ignore[arg-type]

    assert {path.name for path in reports.iterdir()} == {
        f"{name}{ending}" for name in left for ending in ("", ".html", ".json")
    }


def test_what_killed_runs_and_forgotten_approvals_left_goes(tmp_path: Path) -> None:
    _lay(tmp_path / "work" / "run-killed" / "events.parquet", DAY)
    for name, ago in {"a.ended": 2 * DAY, "b.taken": DAY / 2, "c.waiting": 9 * DAY}.items():
        _lay(tmp_path / "approvals" / name, ago)

    keep_house(_pipeline(tmp_path, in_force=None, kept_for=None))  # type: ignore[arg-type]

    assert list((tmp_path / "work").iterdir()) == []
    assert {path.name for path in (tmp_path / "approvals").iterdir()} == {"b.taken", "c.waiting"}


def test_what_a_killed_erasure_left_goes_and_one_under_way_is_left_alone(tmp_path: Path) -> None:
    for name, ago in {"r1.erasing": 2 * DAY, "r2.erasing": DAY / 2, "r3.parquet": 9 * DAY}.items():
        _lay(tmp_path / "decisions" / name, ago)

    keep_house(_pipeline(tmp_path, in_force=None, kept_for=None))  # type: ignore[arg-type]

    assert {path.name for path in (tmp_path / "decisions").iterdir()} == {"r2.erasing", "r3.parquet"}
