"""A sample of the kills; all of them: ``python -m tests.evidence sweep``."""

import subprocess
import sys

from tests.evidence.records import ROOT


def test_kills_at_a_sample_of_points_lose_nothing() -> None:
    """In a process of its own: it forks, and whoever runs the tests may have threads."""
    command = [sys.executable, "-m", "tests.evidence", "sweep", "--runs", "12", "--no-page"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "ends equal to the undisturbed run's 12" in done.stdout
