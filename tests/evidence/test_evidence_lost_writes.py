"""A few power failures; hundreds: ``python -m tests.evidence lost-writes``."""

import shutil
import subprocess
import sys

import pytest

from tests.evidence.records import ROOT


@pytest.mark.skipif(
    shutil.which("cc") is None and shutil.which("gcc") is None,
    reason="NOT SHOWN HERE: power failures need a C compiler to record what was written and synced",
)
def test_power_failures_at_a_sample_of_moments_lose_nothing() -> None:
    command = [sys.executable, "-m", "tests.evidence", "lost-writes", "--runs", "16", "--no-page"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "ends equal to the undisturbed run's 16" in done.stdout
