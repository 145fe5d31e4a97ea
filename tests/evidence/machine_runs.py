"""Many runs of the state machine, in parts and processes, counted."""

import logging
import multiprocessing
import os
import traceback
from collections import Counter
from typing import ClassVar, Final

import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.evidence.machine import EvidenceMachine
from tests.evidence.records import BrokenLawError, Outcome, Progress

RUNS: Final = 2_000
STEPS: Final = 20
#: Runs a part; each part has a seed of its own.
PART: Final = 50


def run_machine(*, runs: int | None, seed: int, progress: Progress) -> Outcome:
    """Run the machine so many times, 2,000 unless told otherwise.

    Raises:
        BrokenLawError: A law was broken; the steps that broke it are printed.
    """
    most = runs or RUNS
    sizes = [min(PART, most - start) for start in range(0, most, PART)]
    met = Counter[str]()
    workers = min(len(sizes), os.cpu_count() or 1)
    # Not a ProcessPoolExecutor: with fresh processes it may wait for ever (CPython gh-115634).
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=1) as pool:
        parts = [(size, f"{seed}.{n}") for n, size in enumerate(sizes)]
        for found in pool.imap_unordered(_run_part, parts):
            if isinstance(found, str):
                raise BrokenLawError(found)
            met += found
            progress(min(met["runs"], most), most, f"{met['crashes']:,} crashes")
    return Outcome(
        runs=met["runs"],
        counts={"runs": met.pop("runs"), "steps of each, at most": STEPS, **dict(sorted(met.items()))},
    )


def _run_part(part: tuple[int, str]) -> "Counter[str] | str":
    return run_part(*part)


def run_part(runs: int, named: str) -> "Counter[str] | str":
    """Run a part of them; return what was met, or which law was broken."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    _Counted.met = Counter()
    given = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # to make it small, run the everyday test with the same seed
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    try:
        run_state_machine_as_test(seed(named)(_Counted), settings=given)
    except AssertionError as error:
        traceback.print_exc()
        return f"{error} (part {named})"
    return _Counted.met


class _Counted(EvidenceMachine):
    """Counts what it met."""

    met: ClassVar[Counter[str]]

    def teardown(self) -> None:
        """Count a run when it has ended well."""
        super().teardown()
        if hasattr(self, "business"):
            self.met.update(runs=1, **self.counts)
