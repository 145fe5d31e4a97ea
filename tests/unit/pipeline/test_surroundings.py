"""What ``doctor`` says of the folders a ledger lies in."""

import os
from pathlib import Path

import pytest

from cohortd.bootstrap import make_private
from cohortd.core.errors import SettingsError
from cohortd.pipeline import surroundings
from cohortd.pipeline.surroundings import _kind, _owner, _room, _strangers
from tests.evidence.processes import in_a_process

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.mark.parametrize(
    ("kind", "needs_local", "ok"),
    [
        ("ext4", True, True),
        ("nfs4", True, False),
        ("nfs4", False, True),
        ("fuse.gcsfuse", True, False),
        ("overlay", False, False),
        ("tmpfs", True, False),
    ],
)
def test_a_file_system_must_be_local_to_a_ledger_and_outlive_the_container(
    tmp_path: Path, kind: str, *, needs_local: bool, ok: bool
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / / rw - ext4 /dev/x rw\n2 1 0:2 / {tmp_path} rw - {kind} x rw\n")
    line = _kind(tmp_path, needs_local=needs_local, mounts=mounts)

    assert (line.ok, bool(line.cure)) == (ok, not ok)
    assert kind in line.detail


def test_room_is_wanted_for_what_grows_with_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "cohortd.db"
    database.touch()
    os.truncate(database, 1 << 40)  # says so, without taking any room
    monkeypatch.setattr(surroundings, "LEAST_FREE", 0)
    monkeypatch.setattr(surroundings, "SHARE_FREE", 1000.0)

    assert not _room(tmp_path, database).ok
    assert _room(tmp_path, None).ok


def test_what_a_group_may_read_is_the_volumes_business_and_what_all_may_is_not(tmp_path: Path) -> None:
    state = tmp_path / "var"
    state.mkdir(mode=0o770)
    state.chmod(0o770)
    (state / "leader-epoch.json").touch(mode=0o664)

    (state / "leader-epoch.json").chmod(0o664)

    assert _strangers(state).ok
    state.chmod(0o775)
    assert not _strangers(state).ok
    (state / "leader-epoch.json").chmod(0o660)
    assert _strangers(state).ok


def test_a_folder_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    (line,) = surroundings.surroundings(tmp_path / "nowhere", None)

    assert (line.ok, line.subject) == (False, "data_dir")


@as_root
def test_root_does_not_work_in_another_users_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 10001, 10001)
    line = surroundings.surroundings(tmp_path, None)[0]

    assert not line.ok
    assert "belongs to user 10001" in line.detail
    with pytest.raises(SettingsError, match="setpriv --reuid 10001"):
        make_private(tmp_path)


@as_root
@pytest.mark.parametrize(
    ("folder", "told"), [("state", "cannot write to it"), ("state/var", "cannot be looked at")]
)
def test_a_folder_that_is_shut_to_the_daemons_user_is_told(tmp_path: Path, folder: str, told: str) -> None:
    (tmp_path / "state" / "var").mkdir(parents=True)
    (tmp_path / "state").chmod(0o700)
    tmp_path.chmod(0o755)

    def ask() -> None:
        os.chdir(tmp_path)
        os.seteuid(10001)
        (line,) = surroundings.surroundings(Path(folder), Path(folder) / "cohortd.db")
        assert (line.subject, line.ok) == ("data_dir", False)
        assert told in line.detail

    assert in_a_process(ask) == 0


@as_root
def test_files_that_another_user_left_are_told(tmp_path: Path) -> None:
    (tmp_path / "leader-epoch.json").touch(mode=0o600)
    os.chown(tmp_path, 10001, 10001)
    tmp_path.chmod(0o700)

    def ask() -> None:
        os.chdir(tmp_path)
        os.seteuid(10001)
        line = _owner(Path())
        assert (line.ok, line.cure) == (False, "chown -R 10001 .")
        assert "leader-epoch.json" in line.detail

    assert in_a_process(ask) == 0


def test_a_file_where_the_state_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "var").touch()

    [line] = surroundings.surroundings(tmp_path / "var", None)

    assert (line.ok, "is a file" in line.detail) == (False, True)
