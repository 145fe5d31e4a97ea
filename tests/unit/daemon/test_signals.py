"""Signals to a process whose main thread hears nothing: it waits inside a library."""

import signal
import subprocess
import sys

import pytest

#: Its main thread computes for hours without a look at signals; others run meanwhile.
DEAF = """
import hashlib, sys, threading
from cohortd.daemon.signals import Signals
Signals(threading.Event(), grace_s=float(sys.argv[1])).listen()
print("listens", flush=True)
hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
"""


@pytest.mark.parametrize(
    ("grace_s", "asked", "codes", "told"),
    [
        ("0.1", [signal.SIGHUP, signal.SIGTERM], {0}, True),
        # By the one or the other, and by the main thread where it was not deaf yet.
        ("600", [signal.SIGTERM, signal.SIGINT], {130, 143, -2, -15}, False),
    ],
)
def test_it_has_ended_when_its_grace_is_over_and_at_once_at_a_second_signal(
    grace_s: str, asked: list[signal.Signals], codes: set[int], *, told: bool
) -> None:
    with subprocess.Popen([sys.executable, "-c", DEAF, grace_s], stdout=subprocess.PIPE, text=True) as deaf:
        assert deaf.stdout is not None
        assert deaf.stdout.readline() == "listens\n"
        for number in asked:
            deaf.send_signal(number)
        said = deaf.stdout.read()

    assert deaf.returncode in codes
    assert ("grace_ended" in said) is told
