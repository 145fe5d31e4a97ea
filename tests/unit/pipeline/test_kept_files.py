"""A damaged file of an earlier run is named, with what it costs to delete it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cohortd.core.errors import SourceError
from cohortd.pipeline.kept_files import whole


@pytest.mark.parametrize("content", [b"", b"PAR1", b"junk, longer than a footer"])
def test_a_damaged_file_is_told_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "run.parquet"
    file.write_bytes(content)

    with pytest.raises(SourceError, match=r"run\.parquet is damaged; delete it: nothing is lost"):
        whole(file, without="nothing is lost")


def test_a_whole_file_is_given_back(tmp_path: Path) -> None:
    file = tmp_path / "run.parquet"
    pq.write_table(pa.table({"customer_id": ["c1"]}), file)

    assert whole(file, without="") == file
