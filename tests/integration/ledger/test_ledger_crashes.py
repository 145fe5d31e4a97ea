import json
import subprocess
import sys
from pathlib import Path

import pytest
from ledger_server import Server

PROGRAM = Path(__file__).parent / "ledger_crashing.py"


def sweep(*arguments: int, url: str = "") -> dict[str, int]:
    command = [sys.executable, str(PROGRAM), *(str(argument) for argument in arguments)]
    if url:
        command += ["--url", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_a_crash_at_many_points_loses_nothing_and_re_adds_nobody() -> None:
    assert sweep(5, 131)["kills"] > 10


def test_a_crash_at_some_points_in_postgresql_loses_nothing_and_re_adds_nobody(server: Server) -> None:
    assert sweep(5, 307, url=server.at("{database}"))["kills"] > 5


@pytest.mark.slow
@pytest.mark.timeout(1600)
def test_a_crash_at_every_point_and_another_in_the_recovery_lose_nothing() -> None:
    assert sweep(1, 1, 150)["kills"] > 1000
