"""The command: ``python -m benchmarks.stopping [--customers 50000] [--moments 8] [--first-process]``.

A daemon is ended by SIGTERM: when nothing is under way, at moments spread over a whole first sync, while
a platform takes long to answer a batch, and while it does not answer at all. Each must leave with 0 within
``schedule.grace``, however long a request may take.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.fast_lane.shop import make
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.meta import MetaEmulator

_COMMAND: Final = "from cohortd.cli import main; main()"
_PATIENCE_S: Final = 300.0
#: As the settings have it where they say nothing, and what the machine may take to see the end.
GRACE_S: Final = 25.0
SEEING_S: Final = 1.0
#: How long the slow platform takes, which is within the grace, and the silent one, which is not.
SLOW_S: Final = 8.0
SILENT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How one daemon ended."""

    what: str
    seconds: float
    code: int

    @property
    def is_kept(self) -> bool:
        """Whether it left as it must."""
        return self.code == 0 and self.seconds <= GRACE_S + SEEING_S


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop whose first sync was never done, copied for each daemon."""

    folder: Path
    meta: MetaEmulator
    is_first_process: bool

    def end(self, what: str, *, schedule: dict[str, object], when: Callable[[Path], bool]) -> Ended:
        """Start a daemon, end it when something is so, and take the time."""
        _say(what)
        with tempfile.TemporaryDirectory(prefix="stopping-") as name:
            copy = Path(name) / "shop"
            shutil.copytree(self.folder, copy)
            settings = _changed(copy / "cohortd.yaml", schedule)
            log = copy / "daemon.log"
            with self._daemon(settings, log) as process:
                _until(lambda: "leadership_taken" in log.read_text() and when(log), log)
                began = time.monotonic()
                _ours(process, is_first_process=self.is_first_process)
                code = process.wait(_PATIENCE_S)
                return Ended(what, time.monotonic() - began, code)

    @contextmanager
    def _daemon(self, settings: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        apart = ["unshare", "--pid", "--fork", "--kill-child"] if self.is_first_process else []
        call = [*apart, sys.executable, "-c", _COMMAND, "run", "-c", str(settings)]
        with log.open("w") as out, subprocess.Popen(call, stdout=out, stderr=out) as process:  # noqa: S603 - our own call
            try:
                yield process
            finally:
                process.kill()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 where a daemon took too long or did not leave with 0."""
    asked = _asked(arguments)
    with tempfile.TemporaryDirectory(prefix="stopping-") as name, MetaEmulator() as meta:
        make(Path(name), customers=asked.customers, memberships=0, endpoint=meta.endpoint, known=[])
        shop = Shop(Path(name), meta, asked.first_process)
        ended = list(_all(shop, asked.moments))
    if asked.json:
        print(json.dumps([{"what": e.what, "seconds": round(e.seconds, 2), "code": e.code} for e in ended]))
    else:
        for each in ended:
            print(f"{each.seconds:6.2f} s  code {each.code}  {each.what}")
    return 0 if all(each.is_kept for each in ended) else 1


def _all(shop: Shop, moments: int) -> Iterator[Ended]:
    quiet: dict[str, object] = {"sync": None, "recluster": None}
    sync: dict[str, object] = {"sync": "1h", "recluster": None}
    yield shop.end("nothing under way", schedule=quiet, when=lambda _: True)
    whole = _time_of_a_sync(shop, sync)
    for number in range(moments):
        after_s = whole * (number + 0.5) / moments
        what = f"{after_s:.1f} s into a sync of {whole:.1f} s"
        yield shop.end(what, schedule=sync, when=_after(after_s))
    for what, delay_s in (("slow", SLOW_S), ("silent", SILENT_S)):
        before = shop.meta.calls["users.add"]
        shop.meta.faults.add(Fault(call="users.add", kind=FaultKind.DELAY, delay_s=delay_s, times=None))
        told = f"a batch is under way at a {what} platform ({delay_s:.0f} s)"
        yield shop.end(told, schedule=sync, when=partial(_has_added, shop.meta, before))
        shop.meta.faults.clear()


def _has_added(meta: MetaEmulator, before: int, _log: Path) -> bool:
    return meta.calls["users.add"] > before


def _time_of_a_sync(shop: Shop, schedule: dict[str, object]) -> float:
    times: dict[str, float] = {}

    def is_done(log: Path) -> bool:
        text = log.read_text()
        for event in ("run_started", "run_finished"):
            if event in text:
                times.setdefault(event, time.monotonic())
        return "run_finished" in times

    shop.end("after a whole sync", schedule=schedule, when=is_done)
    return times["run_finished"] - times["run_started"]


def _after(seconds: float) -> Callable[[Path], bool]:
    began: list[float] = []

    def is_so(log: Path) -> bool:
        if "run_started" in log.read_text() and not began:
            began.append(time.monotonic())
        return bool(began) and time.monotonic() - began[0] >= seconds

    return is_so


def _changed(settings: Path, schedule: dict[str, object]) -> Path:
    whole: dict[str, Any] = json.loads(settings.read_text())
    whole["schedule"] = schedule
    settings.write_text(json.dumps(whole))
    return settings


def _ours(process: subprocess.Popen[bytes], *, is_first_process: bool) -> None:
    """Send SIGTERM to the daemon, which may be the child of what we started."""
    if not is_first_process:
        process.send_signal(signal.SIGTERM)
        return
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGTERM)


def _until(is_so: Callable[[], bool], log: Path) -> None:
    ends = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > ends:
            raise SystemExit(f"it did not come to that:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stopping", description=__doc__)
    parser.add_argument("--customers", type=int, default=50_000, help="whom the sync sends")
    parser.add_argument("--moments", type=int, default=8, help="of the sync at which a daemon is ended")
    parser.add_argument("--first-process", action="store_true", help="as PID 1 (needs root and unshare)")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
