import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from cohortd.core.removals import SignedHead
from cohortd.ledger import read_heads
from cohortd.pipeline import keeping_heads
from cohortd.pipeline.keeping_heads import heads_lines, keep_heads
from cohortd.pipeline.wiring import HeadsPolicy

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def head(seq: int) -> SignedHead:
    return SignedHead(seq, f"{seq:064x}", "aa", "bb" * 32)


@dataclass
class Installation:
    """As much of a pipeline as the keeping of heads looks at."""

    heads: HeadsPolicy
    newest: SignedHead | None = None
    now: datetime = NOW
    unwitnessed: str = ""
    ledger: Any = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = SimpleNamespace(
            code="c0de",
            removals=SimpleNamespace(head=lambda: self.newest, unwitnessed=lambda: self.unwitnessed),
        )

    def clock(self) -> datetime:
        return self.now


@pytest.fixture
def installation(tmp_path: Path) -> Any:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    return Installation(HeadsPolicy(folders))


def kept(installation: Installation) -> list[list[int]]:
    return [
        [each.seq for each in read_heads(folder / "removal-log-heads-c0de.jsonl")]
        for folder in installation.heads.folders
    ]


def test_the_newest_head_is_kept_in_every_folder_once_an_hour(installation: Any) -> None:
    seen = []
    for minutes, seq in ((0, 1), (30, 2), (60, 3), (61, 4), (130, 4), (300, 4)):
        installation.now, installation.newest = NOW + timedelta(minutes=minutes), head(seq)
        seen.append(keep_heads(installation))

    assert seen == [2, 0, 2, 0, 2, 0]
    assert kept(installation) == [[1, 3, 4], [1, 3, 4]]


def test_a_log_without_entries_has_no_head_to_keep(installation: Any) -> None:
    assert keep_heads(installation) == 0
    assert heads_lines(installation) == []


def test_a_folder_that_is_not_there_is_told_and_not_made(installation: Any) -> None:
    installation.newest = head(1)
    gone = installation.heads.folders[0]
    gone.rmdir()

    assert keep_heads(installation) == 1
    assert [line.ok for line in heads_lines(installation)] == [False, True]
    assert not gone.exists()


@pytest.mark.parametrize(
    ("seq", "hours", "said"), [(1, 9, "ok"), (2, 1, "ok"), (2, 3, "running"), (0, 0, "put back")]
)
def test_status_tells_of_heads_that_are_not_kept_and_of_a_log_that_is_older(
    installation: Any, seq: int, hours: int, said: str
) -> None:
    installation.newest = head(1)
    keep_heads(installation)
    installation.newest, installation.now = head(seq), NOW + timedelta(hours=hours)

    assert [line.ok for line in heads_lines(installation)] == [said == "ok"] * 2
    assert all(line.ok or said in line.cure for line in heads_lines(installation))


def test_an_authority_that_is_down_holds_up_no_head_and_is_told(installation: Any) -> None:
    pytest.importorskip("rfc3161_client", reason="TIME STAMPS NOT TESTED: cohortd[stamp] is not installed")
    nobody = "http://127.0.0.1:1"
    installation.heads = HeadsPolicy(installation.heads.folders, timestamp_url=nobody)
    installation.newest = head(1)
    with structlog.testing.capture_logs() as logged:
        assert keep_heads(installation) == 2

    assert [each["event"] for each in logged] == ["removal_log_head_not_stamped"]
    assert kept(installation) == [[1], [1]]
    assert ["without a time stamp" in line.detail for line in heads_lines(installation)] == [True, True]


def test_status_says_why_the_newest_head_is_not_beside_the_ledger(installation: Any) -> None:
    installation.newest = head(1)
    keep_heads(installation)
    sound = heads_lines(installation)
    installation.unwitnessed = "removal-log-heads.jsonl cannot be written: Is a directory"
    told = [each for each in heads_lines(installation) if not each.ok]

    assert [each.ok for each in sound] == [True, True]
    assert [(each.subject, each.detail) for each in told] == [
        ("removal log heads", installation.unwitnessed)
    ]


def test_a_folder_that_hangs_is_told_and_holds_up_no_other(
    installation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A named pipe that nobody writes to: whoever opens it waits, as on a share whose server is gone."""
    installation.newest = head(1)
    share = installation.heads.folders[0] / "removal-log-heads-c0de.jsonl"
    os.mkfifo(share)
    monkeypatch.setattr(keeping_heads, "_READ_S", 0.05)
    try:
        with structlog.testing.capture_logs() as logged:
            told = [keep_heads(installation), *(line.ok for line in heads_lines(installation))]
        (bad,) = [line for line in heads_lines(installation) if not line.ok]
    finally:
        os.close(os.open(share, os.O_WRONLY | os.O_NONBLOCK))  # lets go whoever waits

    assert told == [1, False, True]
    assert "does not answer" in bad.detail
    assert [each["event"] for each in logged] == ["removal_log_head_not_kept"]
