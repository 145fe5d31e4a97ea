"""Three weeks of the soak; a year: ``python -m tests.evidence soak``."""

import subprocess
import sys

from tests.evidence.records import ROOT


def test_three_weeks_of_changes_faults_and_a_kill_end_each_with_every_law_kept() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.evidence", "soak", "--runs", "3", "--no-page"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "processes killed 1" in done.stdout
