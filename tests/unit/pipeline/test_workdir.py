"""What runs stage goes with them, however they end."""

import fcntl
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from cohortd.core.errors import SettingsError
from cohortd.pipeline.workdir import workdir


def test_a_folder_goes_when_its_run_ends_and_what_a_killed_run_left_when_the_next_begins(tmp_path: Path):
    left = tmp_path / "work" / "run-killed"
    left.mkdir(parents=True)
    (left / "events.parquet").write_text("c00001")

    with workdir(SimpleNamespace(data_dir=tmp_path)) as folder:  # type: ignore[arg-type]
        during = list((tmp_path / "work").iterdir())

    assert during == [folder]
    assert list((tmp_path / "work").iterdir()) == []


def test_a_run_beside_keeps_its_folder(tmp_path: Path):
    pipeline = SimpleNamespace(data_dir=tmp_path)
    other = tmp_path / "work" / "run-other-process"
    other.mkdir(parents=True)
    held = os.open(other, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)

    with workdir(pipeline) as one, workdir(pipeline) as two:  # type: ignore[arg-type]
        there = {path.name for path in (tmp_path / "work").iterdir()}
    os.close(held)

    assert there == {one.name, two.name, "run-other-process"}
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["run-other-process"]


def test_a_file_where_the_folder_should_be_is_told_and_no_fault_of_ours(tmp_path: Path):
    (tmp_path / "work").write_text("")

    with (
        pytest.raises(SettingsError, match=r"cannot make .*File exists"),
        workdir(SimpleNamespace(data_dir=tmp_path)),  # type: ignore[arg-type]
    ):
        pass
