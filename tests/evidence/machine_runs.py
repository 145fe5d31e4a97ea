"""Many runs of the state machine, counted."""

import traceback
from collections import Counter
from collections.abc import Callable
from typing import ClassVar, Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.evidence.machine import EvidenceMachine
from tests.evidence.records import BrokenLawError, Outcome, Progress

RUNS: Final = 2_000
STEPS: Final = 20


def run_machine(*, runs: int | None, seed: int, progress: Progress) -> Outcome:
    """Run the machine so many times, 2,000 unless told otherwise.

    Raises:
        BrokenLawError: A law was broken; the steps that broke it are printed.
    """
    most = runs or RUNS
    counted = _counted(lambda done, what: progress(min(done, most), most, what))
    given = settings(
        max_examples=most,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # what broke is run again with the everyday test, which makes it small
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    try:
        run_state_machine_as_test(_seeded(counted, seed), settings=given)
    except AssertionError as error:
        traceback.print_exc()
        raise BrokenLawError(str(error)) from error
    met = counted.met
    return Outcome(
        runs=met["runs"],
        counts={"runs": met["runs"], "steps, at most, each": STEPS, **dict(sorted(met.items()))},
    )


def _seeded(machine: type[EvidenceMachine], number: int) -> type[EvidenceMachine]:
    chosen: type[EvidenceMachine] = seed(number)(machine)
    return chosen


def _counted(told: Callable[[int, str], None]) -> "type[_Counted]":
    """Make a machine with counts of its own."""
    return type("Counted", (_Counted,), {"met": Counter[str](), "progress": staticmethod(told)})


class _Counted(EvidenceMachine):
    """Counts what it met, and says how far it is."""

    met: ClassVar[Counter[str]]
    progress: ClassVar[Callable[[int, str], None]]

    def teardown(self) -> None:
        """Count a run when it has ended well."""
        super().teardown()
        if hasattr(self, "business"):
            self.met.update(runs=1, **self.counts)
            self.progress(self.met["runs"], f"{self.met['crashes']:,} crashes")
