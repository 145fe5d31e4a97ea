"""What is broken off so that new settings can be used: between two batches or steps, as by SIGTERM."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from cohortd.daemon.running import Runner

#: So often in a row a job is broken off for new settings; the next ones wait until it has ended. Else no
#: sync would ever end where secrets change more often than it takes.
MOST_TIMES: Final = 3


@dataclass(slots=True)
class BrokenOff:
    """How often each job was broken off for new settings since it ended last."""

    _times: Counter[str] = field(default_factory=Counter)

    def waited_for(self, runner: Runner) -> list[str]:
        """Which jobs under way are to end first."""
        self._forget(runner)
        return sorted(name for name in _scheduled(runner) if self._times[name] >= MOST_TIMES)

    def note(self, runner: Runner) -> None:
        """Count what is broken off now."""
        self._forget(runner)
        self._times.update(_scheduled(runner))

    def _forget(self, runner: Runner) -> None:
        for name in runner.take_ended():
            del self._times[name]


def _scheduled(runner: Runner) -> list[str]:
    return [each.job.name for each in runner.under_way() if each.job.turn is not None]
