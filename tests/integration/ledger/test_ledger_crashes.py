import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "ledger_crashing.py"


def sweep(*arguments: int) -> dict[str, int]:
    command = [sys.executable, str(PROGRAM), *(str(argument) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_a_crash_at_many_points_loses_nothing_and_re_adds_nobody() -> None:
    assert sweep(5, 131)["kills"] > 10


@pytest.mark.slow
@pytest.mark.timeout(1600)
def test_a_crash_at_every_point_and_another_in_the_recovery_lose_nothing() -> None:
    assert sweep(1, 1, 150)["kills"] > 1000
