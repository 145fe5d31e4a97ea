"""The shipped Dockerfile builds, and what it makes runs: ``pytest -m container``.

Where packages come from is this machine's business: ``CONTAINER`` holds the command's options.
"""

import os
import shlex
import subprocess
import sys

import pytest

from tests.container.places import ROOT, lacking


@pytest.mark.container
@pytest.mark.timeout(3600)
def test_the_image_builds_and_runs_read_only_as_its_own_user() -> None:
    if told := lacking():
        pytest.skip(told)
    command = [sys.executable, "-m", "tests.container", *shlex.split(os.environ.get("CONTAINER", ""))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
