"""A damaged file of an earlier run is named, with what it costs to delete it."""

from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cohortd.core.errors import SourceError
from cohortd.pipeline.kept_files import previous_assignment, whole


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1", b"junk, longer than a footer", b"PAR1" + b"\0" * 9 + b"\x09\0\0\0PAR1"],
)
def test_a_damaged_file_is_told_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "run.parquet"
    file.write_bytes(content)

    with pytest.raises(SourceError, match=r"run\.parquet is damaged; delete it: nothing is lost"):
        whole(file, without="nothing is lost")


def test_a_whole_file_is_given_back(tmp_path: Path) -> None:
    file = tmp_path / "run.parquet"
    pq.write_table(pa.table({"customer_id": ["c1"]}), file)

    assert whole(file, without="") == file


def _pipeline(folder: Path, *names: str) -> SimpleNamespace:
    told = iter(names)
    models = SimpleNamespace(assignment=lambda: next(told, None))
    return SimpleNamespace(data_dir=folder, ledger=SimpleNamespace(models=models))


def _assignment(folder: Path, name: str) -> Path:
    file = folder / "assignments" / name
    file.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"customer_id": [name]}), file)
    return file


def test_the_last_assignment_stays_for_a_run_when_a_sync_beside_it_deletes_it(tmp_path: Path) -> None:
    kept = _assignment(tmp_path, "r1.parquet")
    staged = SimpleNamespace(path=tmp_path / "features.parquet")
    held = previous_assignment(_pipeline(tmp_path, "r1.parquet"), staged)
    kept.unlink()

    assert held is not None
    assert pq.read_table(held).to_pylist() == [{"customer_id": "r1.parquet"}]


def test_an_assignment_that_went_meanwhile_is_looked_for_anew(tmp_path: Path) -> None:
    _assignment(tmp_path, "r2.parquet")
    staged = SimpleNamespace(path=tmp_path / "features.parquet")
    held = previous_assignment(_pipeline(tmp_path, "r1.parquet", "r2.parquet"), staged)

    assert held is not None
    assert held.name == "before-r2.parquet"


@pytest.mark.parametrize("names", [(), ("lost.parquet",) * 9])
def test_without_a_file_nobody_has_a_previous_segment(tmp_path: Path, names: tuple[str, ...]) -> None:
    staged = SimpleNamespace(path=tmp_path / "features.parquet")

    assert previous_assignment(_pipeline(tmp_path, *names), staged) is None
