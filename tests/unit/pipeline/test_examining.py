"""What ``doctor`` makes of what was found."""

from pathlib import Path

import pytest

from cohortd.ledger import Examined
from cohortd.pipeline.examining import _clock, _leftovers, _work


def _found(*, unanswered: int = 0, unfinished: int = 0, running: int = 0) -> Examined:
    return Examined((), 0, None, None, unanswered, unfinished, running)


@pytest.mark.parametrize("left", ["unanswered", "unfinished", "running"])
def test_work_is_orphaned_where_nobody_leads_and_somebodys_where_one_does(left: str) -> None:
    found = _found(**{left: 1})

    assert not _work(found, is_led=False).ok
    assert _work(found, is_led=True).ok
    assert _work(_found(), is_led=False).ok


@pytest.mark.parametrize(("ahead", "ok"), [(0.2, True), (-59, True), (61, False), (-3600, False)])
def test_a_clock_may_differ_by_a_minute(ahead: float, *, ok: bool) -> None:
    line = _clock("meta", ahead)

    assert (line.ok, bool(line.cure)) == (ok, not ok)


def test_what_a_killed_run_left_is_told_once_nobody_works(tmp_path: Path) -> None:
    (tmp_path / "work" / "run-x").mkdir(parents=True)
    (tmp_path / "cohortd.db-scratch-y").touch()

    assert not _leftovers(tmp_path, is_led=False).ok
    assert _leftovers(tmp_path, is_led=True).ok
