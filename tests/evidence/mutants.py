"""Break the protocol on purpose, in a copy; the tests must notice."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.evidence.mutations import MUTATIONS, Mutation
from tests.evidence.records import ROOT, BrokenLawError, Outcome, Progress

COPIED = ("cohortd", "connectors", "clustering", "consent", "config", "tests", "pyproject.toml")
#: Longest the tests of one mutant may take: a break may make them run for ever.
TIMEOUT_S = 900


def mutate(
    *, runs: int | None, seed: int, progress: Progress, mutations: Iterable[Mutation] = MUTATIONS
) -> Outcome:
    """Try every mutation, or the first so many.

    Raises:
        BrokenLawError: One survived, or its text is not there any more.
    """
    chosen = list(mutations)[:runs]
    lines, wrong = [], []
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        _copy(copy)
        for number, mutation in enumerate(chosen, 1):
            found = _try(copy, mutation, seed)
            lines.append(f"law {mutation.law}: {mutation.name}: {found or 'SURVIVED'}")
            if not found:
                wrong.append(mutation.name)
            progress(number, len(chosen), lines[-1])
    if wrong:
        raise BrokenLawError(f"no test noticed: {'; '.join(wrong)}")
    return Outcome(len(chosen), {"mutants": len(chosen), "caught": len(chosen)}, tuple(lines))


def _copy(folder: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)


def _try(copy: Path, mutation: Mutation, seed: int) -> str:
    """Run the tests over a mutant; return by what it was caught, or nothing."""
    path = copy / mutation.path
    text = path.read_text(encoding="utf-8")
    if mutation.before not in text:
        raise BrokenLawError(f"the text to break is not there: {mutation.name} ({mutation.path})")
    path.write_text(text.replace(mutation.before, mutation.after, 1), encoding="utf-8")
    try:
        return _caught_by(copy, mutation.tests, seed)
    finally:
        path.write_text(text, encoding="utf-8")


def _caught_by(copy: Path, tests: tuple[str, ...], seed: int) -> str:
    options = ["-q", "-x", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--hypothesis-seed={seed}", *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    failed = re.search(r"^(?:FAILED|ERROR) \S*?(\w+\.py)\S*?::(\w+)", done.stdout, re.MULTILINE)
    if done.returncode == 1 and failed is not None:
        return f"caught by {failed[1]} {failed[2]}"
    if done.returncode != 0:
        raise BrokenLawError(f"the tests did not run: {done.stdout[-1500:]}{done.stderr[-500:]}")
    return ""
