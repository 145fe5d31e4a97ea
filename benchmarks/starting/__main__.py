"""The command: ``python -m benchmarks.starting [--times 7] [--json]``.

Every command is run in turn with ``python -c pass``, so that a busy machine slows both; the median of
each counts. What is measured is compiled before, as an installation is.
"""

import argparse
import compileall
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

#: Seconds, and megabytes of the daemon while it waits.
BARS: Final = {"cohortd --help": 0.3, "cohortd status": 1.0}
IDLE_BAR_MB: Final = 200.0
_PROGRAM: Final = (sys.executable, "-c", "from cohortd.cli import main; main()")
_PYTHON: Final = "python -c pass"
_DONE_WITHIN_S: Final = 180.0
#: How long the daemon waits for nothing before it is weighed.
_IDLE_S: Final = 5.0
_ROOMS: Final = ("cohortd", "connectors", "clustering", "consent", "config")
_PEOPLE: Final = 2_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting", description=__doc__)
    parser.add_argument("--times", type=int, default=7, help="how often each is run")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    for room in _ROOMS:
        compileall.compile_dir(Path(__file__).parents[2] / room, quiet=1)
    with tempfile.TemporaryDirectory(prefix="starting-") as name:
        settings = _make(Path(name))
        taken = _times(_calls(settings), asked.times)
        figures = {
            call: {
                "seconds": round(seconds, 3),
                "cpu_seconds": round(cpu, 3),
                "times_python": round(seconds / taken[_PYTHON][0], 1),
                "bar_s": BARS.get(call),
            }
            for call, (seconds, cpu) in taken.items()
        }
        weights = {
            "idle_mb": _idle_mb(settings, {"recluster": None, "sync": None}, after="leadership_taken"),
            "after_a_first_sync_mb": _idle_mb(settings, {}, after="run_finished"),
        }
    is_fast = all(taken[call][0] <= bar for call, bar in BARS.items())
    is_kept = is_fast and max(weights.values()) <= IDLE_BAR_MB
    told = {"commands": figures, **weights, "kept": is_kept}
    print(json.dumps(told, indent=2) if asked.json else _sentences(told))
    return 0 if is_kept else 1


def _calls(settings: Path) -> Mapping[str, Sequence[str]]:
    config = ["-c", str(settings)]
    return {
        _PYTHON: [sys.executable, "-c", "pass"],
        "cohortd --help": [*_PROGRAM, "--help"],
        "cohortd --version": [*_PROGRAM, "--version"],
        "cohortd status --health": [*_PROGRAM, "status", "--health", *config],
        "cohortd status": [*_PROGRAM, "status", *config],
        "cohortd runs": [*_PROGRAM, "runs", *config],
        "cohortd log show": [*_PROGRAM, "log", "show", *config],
        "cohortd revoke": [*_PROGRAM, "revoke", "--customer", "c1", *config],
    }


def _times(calls: Mapping[str, Sequence[str]], times: int) -> dict[str, tuple[float, float]]:
    """Medians of seconds and CPU seconds, all calls in turn."""
    taken: dict[str, list[tuple[float, float]]] = {call: [] for call in calls}
    for _ in range(times):
        for call, words in calls.items():
            taken[call].append(_time(words))
    return {
        call: (statistics.median(s for s, _ in all_), statistics.median(c for _, c in all_))
        for call, all_ in taken.items()
    }


def _time(words: Sequence[str]) -> tuple[float, float]:
    start = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own call
    _, _, used = os.wait4(process.pid, 0)
    return time.monotonic() - start, used.ru_utime + used.ru_stime


def _make(folder: Path) -> Path:
    """Write small tables, and settings that send nothing anywhere."""
    people = "".join(f"c{n},person{n}@example.com\n" for n in range(_PEOPLE))
    (folder / "customers.csv").write_text(f"customer_id,email\n{people}")
    events = "".join(
        f"c{n % _PEOPLE},2026-0{1 + n % 6}-0{1 + n % 9}T10:00:00Z,{10 + n % 97}\n"
        for n in range(4 * _PEOPLE)
    )
    (folder / "events.csv").write_text(f"customer_id,occurred_at,value\n{events}")
    settings = folder / "cohortd.yaml"
    _write(settings, {})
    _run("sync", settings)
    return settings


def _run(command: str, settings: Path) -> None:
    words = [*_PROGRAM, command, "-c", str(settings)]
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # noqa: S603 - our own call


def _write(settings: Path, schedule: Mapping[str, None]) -> None:
    told = {
        "sources": {"customers": {"path": "customers.csv"}, "events": {"path": "events.csv"}},
        "segmentation": {"k": 4, "algorithm": "kmeans"},
        "consent": {"default": "granted"},
        "schedule": {**schedule},
    }
    settings.write_text(json.dumps(told))  # JSON is YAML


def _idle_mb(settings: Path, schedule: Mapping[str, None], *, after: str) -> float:
    """What the daemon holds some seconds after an event; a first sync fits a model, too."""
    _write(settings, schedule)
    log = settings.with_name("daemon.log")
    for run in (settings.parent / "var").glob("cohortd.db*"):
        run.unlink()  # so that everything is due
    _run("runs", settings)  # the tables are made by another process: that is once, not at every start
    with log.open("w") as out:
        process = subprocess.Popen(  # noqa: S603 - our own call
            [*_PROGRAM, "run", "-c", str(settings)], stdout=out, stderr=out
        )
        try:
            _wait_for(log, after, process)
            time.sleep(_IDLE_S)
            return _resident_mb(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_DONE_WITHIN_S)


def _wait_for(log: Path, event: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _DONE_WITHIN_S
    while event not in log.read_text():
        if time.monotonic() > until or process.poll() is not None:
            raise SystemExit(f"the daemon did not say {event}:\n{log.read_text()[-2000:]}")
        time.sleep(0.2)


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return round(int(kilobytes) / 1024, 1)


def _sentences(told: Mapping[str, object]) -> str:
    commands = told["commands"]
    assert isinstance(commands, dict)
    lines = [
        f"  {call}: {one['seconds']} s, {one['cpu_seconds']} CPU s, {one['times_python']} times Python"
        + (f" (bar {one['bar_s']} s)" if one["bar_s"] else "")
        for call, one in commands.items()
    ]
    return "\n".join(
        [
            "medians of starting, working and ending:",
            *lines,
            (
                f"the daemon while nothing was due yet: {told['idle_mb']} MB (bar {IDLE_BAR_MB:.0f}); idle"
                f" after a first sync and fit of {_PEOPLE:,} customers {told['after_a_first_sync_mb']} MB"
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
