"""Functions called in a process of their own."""

import importlib
import os
import signal
import threading
from contextlib import closing
from pathlib import Path

import pytest

from cohortd.core.apart import Worker, run_apart, run_here
from cohortd.core.errors import CohortdError, FaultApartError
from cohortd.core.times import parse_duration


def test_a_function_runs_in_another_process_or_here():
    assert run_apart(os.getpid) != os.getpid()
    assert run_here(os.getpid) == os.getpid()


def test_a_fault_in_the_other_process_shows_no_word_of_it():
    with pytest.raises(FaultApartError, match=r"^ValueError at times\.py:\d+$"):
        run_apart(parse_duration, "ann@example.com")


def test_code_that_the_other_process_does_not_have_is_told_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "replaced_since.py").write_text("def answer(): return 1")
    monkeypatch.syspath_prepend(tmp_path)
    replaced_since = importlib.import_module("replaced_since")

    with pytest.raises(FaultApartError, match=r"^ModuleNotFoundError at "):
        run_apart(replaced_since.answer)


def test_an_answer_that_cannot_be_sent_is_no_lack_of_memory():
    with pytest.raises(CohortdError, match=r"ended with code 1$"):
        run_apart(threading.Lock)


def test_the_other_process_heeds_no_signal_that_a_terminal_sends_to_both():
    with closing(Worker()) as worker:
        before = worker.ask("run", os.getpid, (), {})
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            os.kill(worker.pid, number)

        assert worker.ask("run", os.getpid, (), {}) == before == worker.pid
