"""The wheel is built with and without a C compiler, and both say the same."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NEEDED = ["pyproject.toml", "hatch_build.py", "README.md"]
PACKAGES = ["cohortd", "connectors", "clustering", "consent", "config"]
EXAMPLE = "Cloudy.San+tag@gmail.com"
SHOWN = (
    "import json; from cohortd.core.identifiers import Family; from cohortd.identity import *;"
    "import pyarrow as pa, cohortd;"
    f"found = identify(pa.RecordBatch.from_pydict({{'email': [{EXAMPLE!r}]}}), Family.GOOGLE,"
    "default_region=None, hashed=frozenset());"
    "digest = found.identifiers['digest'][0].as_py().hex();"
    "print(json.dumps([cohortd.__path__[0], how_it_hashes(), digest]))"
)

has_compiler = any(shutil.which(name) for name in ("cc", "gcc", "clang"))
with_compiler = pytest.mark.skipif(not has_compiler, reason="there is no C compiler here")


def build(tmp_path: Path, **environment: str) -> Path:
    """Build a wheel from a copy of the sources, and unpack it."""
    sources, installed = tmp_path / "sources", tmp_path / "installed"
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / name, sources / name, ignore=ignored)
    for name in NEEDED:
        shutil.copy(ROOT / name, sources / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    plain = {key: value for key, value in os.environ.items() if key not in {"CC", "COHORTD_NO_NATIVE"}}
    subprocess.run(command, cwd=sources, env=plain | environment, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(installed)
    return wheel


def in_wheel(tmp_path: Path, *arguments: str, said: str = "", **environment: str) -> str:
    """Run Python on what was unpacked, and not on the sources."""
    plain = {key: value for key, value in os.environ.items() if key != "COHORTD_NO_NATIVE"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=plain | {"PYTHONPATH": str(tmp_path / "installed")} | environment,
        check=True,
        capture_output=True,
        text=True,
        input=said,
    ).stdout


def digest_of_example(tmp_path: Path) -> str:
    """What the command says, which works by value and without the kernel."""
    run = "import sys; from cohortd.cli import main; sys.exit(main())"
    said = in_wheel(
        tmp_path, "-c", run, "normalize", "--platform", "google", "--field", "email", said=EXAMPLE
    )
    return str(json.loads(said)["sha256"])


@with_compiler
def test_with_a_compiler_the_wheel_is_for_the_platform_and_hashes_natively(tmp_path: Path) -> None:
    wheel = build(tmp_path)

    where, how, digest = json.loads(in_wheel(tmp_path, "-c", SHOWN))
    assert "-py3-none-any" not in wheel.name
    assert "-py3-none-" in wheel.name
    assert where == str(tmp_path / "installed" / "cohortd")
    assert how.startswith("with the native kernel")
    assert digest == digest_of_example(tmp_path)


@with_compiler
def test_the_kernel_can_be_switched_off_where_the_wheel_runs(tmp_path: Path) -> None:
    build(tmp_path)

    _, how, digest = json.loads(in_wheel(tmp_path, "-c", SHOWN, COHORTD_NO_NATIVE="1"))
    assert how == "without the native kernel: COHORTD_NO_NATIVE is set"
    assert digest == digest_of_example(tmp_path)


@pytest.mark.parametrize("without", [{"CC": "/nonexistent"}, {"COHORTD_NO_NATIVE": "1"}, {"CC": "false"}])
def test_without_a_compiler_the_wheel_is_pure_and_says_the_same(
    tmp_path: Path, without: dict[str, str]
) -> None:
    wheel = build(tmp_path, **without)

    where, how, digest = json.loads(in_wheel(tmp_path, "-c", SHOWN))
    assert wheel.name.endswith("-py3-none-any.whl")
    assert where == str(tmp_path / "installed" / "cohortd")
    assert how == "without the native kernel: it was not built"
    assert digest == digest_of_example(tmp_path)
