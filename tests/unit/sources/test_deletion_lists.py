"""Downloads of California's DROP as they are read."""

import zipfile
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from cohortd.core.errors import CohortdError, SettingsError, SourceError
from cohortd.sources import DeletionTally, read_deletion_lists

HASH = b64encode(sha256(b"a@b.c").digest()).decode()
EMAIL = "20260312_4821_Email.csv"


def packed(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "download.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def read(path: Path) -> tuple[list[tuple[str, str, bytes]], DeletionTally]:
    tally = DeletionTally()
    parts = [
        (part.list.value, part.file, bytes(item))
        for part in read_deletion_lists(path, tally)
        for item in part.ids
    ]
    return parts, tally


def test_lists_are_told_by_their_files_names_whatever_folder_they_name(tmp_path: Path) -> None:
    files = {
        EMAIL: f"ID,Hash\nA7kP2xQ9Lm4R,{HASH}\n",
        "../../etc/20260312_4821_Phone_part01.csv": f"ID,Hash\r\nB7kP2xQ9Lm4R,{HASH}\r\n",
        "20260312_4821_NDZ.csv": "ID,Hash\n",
        "20260312_4821_Removed.csv": f"ID,Hash,ListType\nC7kP2xQ9Lm4R,{HASH},Email\n",
        "notes.txt": "hello",
    }
    parts, tally = read(packed(tmp_path, files))

    assert parts == [
        ("Email", EMAIL, b"A7kP2xQ9Lm4R"),
        ("Phone", "20260312_4821_Phone_part01.csv", b"B7kP2xQ9Lm4R"),
    ]
    assert tally.rows == {"Email": 1, "Phone": 1, "Removed": 1}
    assert tally.unknown_files == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["download.zip"]


def test_rows_at_fault_are_counted_by_what_is_wrong_with_them(tmp_path: Path) -> None:
    rows = [
        f"A7kP2xQ9Lm4R,{HASH}",
        f"short,{HASH}",
        "B7kP2xQ9Lm4R,abc",
        f"C7kP2xQ9Lm4R,{HASH},more",
        f",{HASH}",
    ]
    parts, tally = read(packed(tmp_path, {EMAIL: "ID,Hash\n" + "\n".join(rows)}))

    assert len(parts) == 1
    assert {reason: count for reason, count in tally.dropped.items() if count} == {
        "wrong_id": 2,
        "wrong_hash": 1,
        "wrong_number_of_cells": 1,
    }


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"read me.txt": "x"}, "holds no deletion list"),
        ({EMAIL: "who,what\n1,2\n"}, "must have the columns ID and Hash"),
        ({EMAIL: ""}, "must have the columns ID and Hash"),
        ({EMAIL: "ID,Hash\n" + "A7kP2xQ9Lm4R,aaaa\n" * 400_000}, "unpacks to more than 50 times its size"),
        ({EMAIL: "ID,Hash\n" + "a" * 900_000 + "," + "b" * 900_000}, "download.zip|50 times"),
        ({f"{number}_Email.csv": "ID,Hash\n" for number in range(101)}, "holds 101 files"),
    ],
)
def test_what_is_no_download_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(packed(tmp_path, files))


@pytest.mark.parametrize("content", [b"PK nothing", None])
def test_a_file_that_is_no_zip_or_cut_off_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = packed(tmp_path, {EMAIL: "ID,Hash\n" + f"A7kP2xQ9Lm4R,{HASH}\n" * 100})
    path.write_bytes(path.read_bytes()[:-40] if content is None else content)

    with pytest.raises(CohortdError):
        read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        read(tmp_path / "none.zip")
