"""SIGKILL at every durability boundary and call edge of a full cycle, and again while it recovers."""

import json
import random
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.evidence.points import Boundaries, Points, kill
from tests.evidence.processes import in_a_process
from tests.evidence.records import BrokenLawError, Outcome, Progress, quick_folder
from tests.evidence.story import live

#: A process that recovers is killed somewhere in its first so many points.
EARLY = 400


@dataclass(slots=True)
class Tally:
    """What was done."""

    points: int = 0
    kills: int = 0
    again: int = 0
    recoveries: int = 0
    wrong: list[str] = field(default_factory=list)


def sweep(*, runs: int | None, seed: int, progress: Progress) -> Outcome:
    """Kill at every point, or at so many of them; recover; compare with what an undisturbed run reaches.

    Raises:
        BrokenLawError: A law was broken, or another end was reached.
    """
    with tempfile.TemporaryDirectory(dir=quick_folder()) as name:
        _, points, wanted = _live(Path(name), None)
    assert wanted
    tally = Tally(points=points)
    chosen = range(1, points + 1) if runs is None else _spread(points, runs, seed)
    for number, point in enumerate(chosen, 1):
        _die_and_recover(point, wanted, tally, random.Random(f"{seed} {point}"))
        progress(number, len(chosen), f"{tally.kills + tally.again} kills")
    return Outcome(
        runs=tally.kills + tally.again,
        counts={
            "points of the cycle": points,
            "killed at": tally.kills,
            "killed again while recovering": tally.again,
            "ends equal to the undisturbed run's": tally.recoveries,
        },
    )


def _die_and_recover(point: int, wanted: str, tally: Tally, chance: random.Random) -> None:
    with tempfile.TemporaryDirectory(dir=quick_folder()) as name:
        folder = Path(name)
        died, _, _ = _live(folder, point)
        if died != signal.SIGKILL:
            raise BrokenLawError(f"point {point} was not reached")
        tally.kills += 1
        again = chance.randint(1, EARLY)
        died, _, _ = _live(folder, again, life=1)
        tally.again += died == signal.SIGKILL
        _, _, state = _live(folder, None, life=2)
        if state != wanted:
            raise BrokenLawError(f"killed at point {point} and {again}, another end was reached: {state}")
        tally.recoveries += 1


def _spread(points: int, runs: int, seed: int) -> list[int]:
    """Choose so many points, spread evenly, from a first one that the seed chooses."""
    step = max(1, points // runs)
    return list(range(1 + seed % step, points + 1, step))[:runs]


def _live(folder: Path, deadly: int | None, *, life: int = 0) -> tuple[int, int, str]:
    """Live through the story in a process; return its deadly signal, the points it passed, its end."""
    ours, theirs, page = folder / "ours", folder / "theirs", folder / "end.json"
    for each in (ours, theirs):
        each.mkdir(exist_ok=True)
    page.unlink(missing_ok=True)

    def work() -> None:
        points = Points(kill)
        boundaries = Boundaries(points)
        boundaries.listen_to_files(ours)
        points.arm(deadly)
        state = live(ours, foreign=theirs, listen=boundaries, life=life)
        page.write_text(json.dumps([points.count, json.dumps(state, sort_keys=True)]))

    died = in_a_process(work)
    count, state = json.loads(page.read_text()) if page.exists() else (0, "")
    return died, count, state
