"""The demo empties its own folder and says where it can have none."""

from pathlib import Path

import pytest

from cohortd.core.errors import SettingsError
from cohortd.demo.run import MARKER, _empty


def test_a_demo_starts_from_nothing_in_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    (tmp_path / "left").touch()
    _empty(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


def test_what_is_no_demos_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()

    with pytest.raises(SettingsError, match="not empty and no demo's"):
        _empty(tmp_path)
    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize("below", ["file", "file/demo"])
def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match="Not a directory; name another with --dir"):
        _empty(tmp_path / below)
