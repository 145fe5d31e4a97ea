"""Functions called in a process of their own."""

import os

import pytest

from cohortd.core.apart import run_apart, run_here
from cohortd.core.errors import FaultApartError
from cohortd.core.times import parse_duration


def test_a_function_runs_in_another_process_or_here():
    assert run_apart(os.getpid) != os.getpid()
    assert run_here(os.getpid) == os.getpid()


def test_a_fault_in_the_other_process_shows_no_word_of_it():
    with pytest.raises(FaultApartError, match=r"^ValueError at times\.py:\d+$"):
        run_apart(parse_duration, "ann@example.com")
