"""What is told holds no order to a terminal; what dies in a thread or a library tells no data."""

import errno
import gc
import json
import logging
import os
import sys
import threading
import warnings
from pathlib import Path

import pytest

from cohortd.cli.entry import run
from cohortd.cli.output import answer, table
from cohortd.logs import keep_quiet, set_up_logs

ESCAPE = "\x1b[2J\x1b]0;mine\x07"
SECRET = "canary@example.com"


def _tell(console):
    console.print(f"note: {ESCAPE}")
    console.print(table(ESCAPE, ("name",), [[f"segment {ESCAPE}"]]))


@pytest.mark.parametrize("as_json", [False, True])
def test_names_reach_no_terminal_raw(capsys, as_json):
    answer({"name": ESCAPE}, as_json=as_json, show=_tell)
    said = capsys.readouterr().out

    assert "\x1b" not in said
    assert "\x07" not in said
    assert json.loads(said) == {"name": ESCAPE} if as_json else "segment \\x1b[2J\\x1b]0;mine\\x07" in said


@pytest.mark.parametrize("asked", [[], ["--json"]])
def test_a_settings_path_is_told_with_its_control_characters_spelled(capsys, tmp_path: Path, asked):
    code = run(["check", "-c", str(tmp_path / f"{ESCAPE}.yaml"), *asked])
    said = capsys.readouterr()

    assert code == 2
    assert "\\x1b" in said.err
    assert "\x1b" not in said.err + said.out


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quiet as in a command of its own; all is put back at the end."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("GRPC_VERBOSITY", "NONE")
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    keep_quiet()


def _fail():
    raise ValueError(SECRET)


class Dying:
    """Raises where nobody can catch it."""

    def __del__(self):
        _fail()


@pytest.mark.usefixtures("quiet")
def test_an_error_in_a_thread_is_told_by_kind_and_place(capsys):
    set_up_logs("info")
    thread = threading.Thread(target=_fail)
    thread.start()
    thread.join()
    said = capsys.readouterr().err

    assert SECRET not in said
    assert {"event": "thread_died", "error": "ValueError"}.items() <= json.loads(said).items()
    assert json.loads(said)["at"].startswith("test_said.py:")


@pytest.mark.usefixtures("quiet")
def test_an_error_that_nobody_can_catch_is_told_by_kind_and_place(capsys):
    set_up_logs("info")
    Dying()
    gc.collect()
    said = capsys.readouterr().err

    assert SECRET not in said
    assert json.loads(said)["event"] == "object_died"


@pytest.mark.usefixtures("quiet")
def test_a_librarys_warning_is_told_without_its_words(capsys):
    set_up_logs("info")
    record = logging.LogRecord(
        "urllib3", logging.WARNING, "/pool.py", 7, "/me?access_token=%s", (SECRET,), None
    )
    logging.lastResort.handle(record)
    said = capsys.readouterr().err

    assert SECRET not in said
    assert {"library": "urllib3", "at": "pool.py:7"}.items() <= json.loads(said).items()


@pytest.mark.usefixtures("quiet")
def test_a_warning_of_python_is_told_without_its_words(capsys):
    set_up_logs("info")
    warnings.showwarning(UserWarning(SECRET), UserWarning, "/lib/pool.py", 7)
    said = capsys.readouterr().err

    assert SECRET not in said
    assert {"library": "UserWarning", "at": "pool.py:7", "room": "vendors"}.items() <= json.loads(
        said
    ).items()


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError('write file "x": No space left on device'),
    ],
    ids=["system", "library"],
)
def test_a_full_disk_is_no_fault_of_ours(capsys, monkeypatch, fault):
    def full(*_arguments, **_options):
        raise fault

    monkeypatch.setattr("cohortd.bootstrap.load_settings", full)
    code = run(["status", "--json"])
    said = json.loads(capsys.readouterr().out)

    assert (code, said["exit_code"]) == (1, 1)
    assert said["error"].startswith("No space left on device: make room")
