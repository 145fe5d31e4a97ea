"""An approval in the hands of the process that leads."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cohortd.core.errors import SourceError, StoppedError
from cohortd.pipeline.approving import first_waiting, taking

PLAN = "0123456789ab"


@pytest.mark.parametrize(
    ("error", "waiting", "files"),
    [(StoppedError, PLAN, [f"{PLAN}.waiting"]), (SourceError, None, [f"{PLAN}.ended"])],
)
def test_a_sync_that_is_broken_off_leaves_it_to_whoever_leads_next_and_one_that_failed_does_not(
    tmp_path: Path, error: type[Exception], waiting: str | None, files: list[str]
) -> None:
    folder = tmp_path / "approvals"
    folder.mkdir()
    (folder / f"{PLAN}.waiting").touch()
    runs = SimpleNamespace(last=lambda **_: SimpleNamespace(id="run"))
    pipeline: Any = SimpleNamespace(data_dir=tmp_path, ledger=SimpleNamespace(runs=runs))
    with pytest.raises(error), taking(pipeline, PLAN):
        raise error

    assert first_waiting(pipeline) == waiting
    assert [file.name for file in folder.iterdir()] == files
