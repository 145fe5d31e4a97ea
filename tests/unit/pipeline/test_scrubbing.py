"""What an erasure does with the files that name people."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cohortd.core.identifiers import member_key
from cohortd.pipeline.scrubbing import UNREADABLE, take_out

SECRET = b"s" * 32
ANN = frozenset({member_key("ann", SECRET)})


def _write(folder: Path, name: str, *customers: str) -> Path:
    path = folder / name
    pq.write_table(pa.table({"customer_id": list(customers), "rank": list(range(len(customers)))}), path)
    return path


def _left(path: Path) -> list[str]:
    return pq.read_table(path).column("customer_id").to_pylist()


def test_rows_of_the_person_go_and_all_others_stay(tmp_path: Path) -> None:
    files = [
        _write(tmp_path, "2.parquet", "ann", "bob"),
        _write(tmp_path, "1.parquet", "bob", "ann", "cat"),
    ]
    went = take_out(files, ANN, secret=SECRET, spares_broken=True)

    assert went == 2
    assert [_left(path) for path in files] == [["bob"], ["bob", "cat"]]


@pytest.mark.parametrize("cut", [0, 20, -9], ids=["empty", "head alone", "footer cut"])
def test_content_that_nobody_can_read_is_deleted_where_it_serves_nobody(tmp_path: Path, cut: int) -> None:
    broken, whole = _write(tmp_path, "2.parquet", "ann"), _write(tmp_path, "1.parquet", "ann", "bob")
    broken.write_bytes(broken.read_bytes()[:cut])
    went = take_out([broken, whole], ANN, secret=SECRET, spares_broken=False)

    assert (went, broken.exists(), _left(whole)) == (1, False, ["bob"])


def test_an_id_that_is_no_text_any_more_is_damage_as_well(tmp_path: Path) -> None:
    path = tmp_path / "1.parquet"
    pq.write_table(pa.table({"customer_id": ["ann", "bob"]}), path, compression="none")
    path.write_bytes(path.read_bytes().replace(b"bob", b"b\xffb"))

    with pytest.raises(UNREADABLE):
        take_out([path], ANN, secret=SECRET, spares_broken=True)
    assert path.exists()
    assert take_out([path], ANN, secret=SECRET, spares_broken=False) == 0
    assert not path.exists()


def test_it_is_an_error_where_it_is_needed(tmp_path: Path) -> None:
    broken = tmp_path / "1.parquet"
    broken.write_bytes(b"PAR1")

    with pytest.raises(UNREADABLE):
        take_out([broken], ANN, secret=SECRET, spares_broken=True)
    assert broken.exists()


def test_what_the_system_refuses_to_read_is_never_deleted(tmp_path: Path) -> None:
    path = tmp_path / "1.parquet"
    path.symlink_to(path)

    with pytest.raises(OSError, match="symbolic links"):
        take_out([path], ANN, secret=SECRET, spares_broken=False)
    assert path.is_symlink()


def test_a_file_that_memory_is_too_short_for_is_never_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path, "1.parquet", "ann", "bob")

    def fail(_path: Path) -> None:
        raise pa.ArrowMemoryError("malloc of size 64 failed")

    monkeypatch.setattr(pq, "ParquetFile", fail)

    with pytest.raises(pa.ArrowMemoryError):
        take_out([path], ANN, secret=SECRET, spares_broken=False)
    assert path.exists()
