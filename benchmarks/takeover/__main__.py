"""The command: ``python -m benchmarks.takeover [--postgresql] [--times 5] [--json]``.

Two daemons on one ledger, of which one leads. It is ended, by SIGTERM or by SIGKILL, while nothing is under
way and while a platform is slow to answer a batch of its sync; taken is the time until the other one leads,
and until it has begun its first job.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.fast_lane.shop import make
from benchmarks.ledger.places import fresh_database, wheel_server
from cohortd.bootstrap import load_settings, open_pipeline
from cohortd.core.times import now_utc
from cohortd.emulators.faults import Fault, FaultKind
from cohortd.emulators.meta import MetaEmulator
from cohortd.pipeline.turns import DAEMON
from cohortd.pipeline.wiring import Pipeline

_COMMAND: Final = "from cohortd.cli import main; main()"
_PATIENCE_S: Final = 300.0
_LOOK_S: Final = 0.02
_PEOPLE: Final = 2_000
_DATABASE: Final = "COHORTD_DATABASE"
#: Of an answer to a batch while the leader is ended.
SLOW_S: Final = 3.0
#: Without a sync; and with one, begun at once.
IDLE: Final[Mapping[str, object]] = {"sync": None, "recluster": None}
BUSY: Final[Mapping[str, object]] = {"sync": "1h", "recluster": None}


@dataclass(frozen=True, slots=True)
class Taken:
    """How one take-over went, in seconds after the signal."""

    what: str
    leads_s: float
    first_job_s: float


@dataclass(frozen=True, slots=True)
class Pair:
    """A shop whose ledger two daemons share."""

    settings: Path
    meta: MetaEmulator

    def take_over(self, number: signal.Signals, *, is_busy: bool) -> Taken:
        """Let one lead and the other stand by; end the one, and look at the other."""
        what = f"{number.name}, {'a batch is under way' if is_busy else 'nothing under way'}"
        _say(what)
        leading, standing = (self.settings.with_name(f"{name}.log") for name in ("leading", "standing"))
        with ExitStack() as stack:
            settings = load_settings(str(self.settings))
            pipeline = stack.enter_context(open_pipeline(settings))
            first = stack.enter_context(self._daemon(leading))
            _until(lambda: _says(leading, "leadership_taken"), leading)
            stack.enter_context(self._daemon(standing))
            _until(lambda: _says(standing, "leadership_awaited"), standing)
            if is_busy:
                _until(lambda: self.meta.calls["users.add"] > 0, leading)
            asked, began = now_utc(), time.monotonic()
            first.send_signal(number)
            _until(lambda: _says(standing, "leadership_taken"), standing)
            leads_s = time.monotonic() - began
            _until(lambda: _first_job(pipeline, asked) is not None, standing)
            job = _first_job(pipeline, asked)
            assert job is not None
            return Taken(what, leads_s, (job - asked).total_seconds())

    @contextmanager
    def _daemon(self, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
        call = [sys.executable, "-c", _COMMAND, "run", "-c", str(self.settings)]
        with log.open("w") as out, subprocess.Popen(call, stdout=out, stderr=out) as process:  # noqa: S603 - our own call
            try:
                yield process
            finally:
                process.kill()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure."""
    asked = _asked(arguments)
    with ExitStack() as stack:
        server = None
        if asked.postgresql:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="takeover-server-")))
            server = stack.enter_context(wheel_server(folder))
        cases = [(number, busy) for busy in (False, True) for number in (signal.SIGTERM, signal.SIGKILL)]
        found = [_measured(server, *case) for case in cases for _ in range(asked.times)]
    told = [_summary(what, found) for what in dict.fromkeys(each.what for each in found)]
    print(json.dumps(told) if asked.json else "\n".join(map(_line, told)))
    return 0


def _measured(server: str | None, number: signal.Signals, is_busy: bool) -> Taken:  # noqa: FBT001 - a case
    """Measure one take-over of a shop and a ledger of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="takeover-") as name,
        MetaEmulator() as meta,
        ExitStack() as stack,
    ):
        settings = make(Path(name), customers=_PEOPLE, memberships=0, endpoint=meta.endpoint, known=[])
        whole: dict[str, Any] = json.loads(settings.read_text())
        settings.write_text(json.dumps(whole | {"schedule": BUSY if is_busy else IDLE}))
        if server is not None:
            stack.enter_context(_database(server))
        if is_busy:
            meta.faults.add(Fault(call="users.add", kind=FaultKind.DELAY, delay_s=SLOW_S, times=None))
        return Pair(settings, meta).take_over(number, is_busy=is_busy)


@contextmanager
def _database(server: str) -> Iterator[None]:
    """Have every daemon and ourselves find the ledger in a new database."""
    with fresh_database(server) as url:
        os.environ[_DATABASE] = url
        try:
            yield
        finally:
            del os.environ[_DATABASE]


def _first_job(pipeline: Pipeline, after: datetime) -> datetime | None:
    rows = pipeline.ledger.jobs.all().values()
    return min(
        (row.started_at for row in rows if row.name != DAEMON and row.started_at > after), default=None
    )


def _says(log: Path, event: str) -> bool:
    return event in log.read_text()


def _until(is_so: Callable[[], bool], log: Path) -> None:
    ends = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > ends:
            raise SystemExit(f"it did not come to that:\n{log.read_text()[-2000:]}")
        time.sleep(_LOOK_S)


def _summary(what: str, found: Sequence[Taken]) -> dict[str, str | float]:
    these = [each for each in found if each.what == what]
    leads, jobs = [each.leads_s for each in these], [each.first_job_s for each in these]
    return {
        "what": what,
        "leads_s": round(statistics.median(leads), 2),
        "leads_at_most_s": round(max(leads), 2),
        "first_job_s": round(statistics.median(jobs), 2),
        "first_job_at_most_s": round(max(jobs), 2),
    }


def _line(told: Mapping[str, str | float]) -> str:
    return (
        f"leads after {told['leads_s']:5.2f} s (at most {told['leads_at_most_s']:5.2f}), first job after"
        f" {told['first_job_s']:5.2f} s (at most {told['first_job_at_most_s']:5.2f})  {told['what']}"
    )


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.takeover", description=__doc__)
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server from a wheel")
    parser.add_argument("--times", type=int, default=5, help="how often each is done")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
