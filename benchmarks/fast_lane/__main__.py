"""The command: ``python -m benchmarks.fast_lane [--memberships 1e7] [--revocations 40]``."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.fast_lane.shop import digest_of_known, make
from cohortd.emulators.meta import MetaEmulator
from cohortd.emulators.meta_nodes import Call, Reply

BAR_S: Final = 5.0
_PATIENCE_S: Final = 120.0
_LEADS_WITHIN_S: Final = 60.0
_COMMAND: Final = "from cohortd.cli import main; main()"


class ListeningMeta(MetaEmulator):
    """Notes when each removal request arrives, and how many rows adds have carried."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Condition()
        self.removals: list[tuple[float, str]] = []

    def respond(self, call: Call) -> Reply | None:
        """Note a removal before anything is done about it."""
        if self._graph.name_of(call) == "users.remove":
            with self.arrived:
                self.removals.append((time.monotonic(), str(call.params)))
                self.arrived.notify_all()
        return super().respond(call)

    def wait_for(self, digest: bytes) -> float | None:
        """Wait for the request that takes this identifier back; return when it arrived."""
        text = digest.hex()
        with self.arrived:
            self.arrived.wait_for(lambda: any(text in said for _, said in self.removals), _PATIENCE_S)
            return next((at for at, said in self.removals if text in said), None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 where the bar is missed."""
    asked = _asked(arguments)
    known = [f"gone{number:06d}" for number in range(asked.revocations)]
    with (
        tempfile.TemporaryDirectory(prefix="fast-lane-", dir=asked.folder) as name,
        ListeningMeta() as meta,
    ):
        folder = Path(name)
        _say(f"filling a ledger with {asked.memberships:,} memberships")
        settings = make(
            folder,
            customers=asked.customers,
            memberships=asked.memberships,
            endpoint=meta.endpoint,
            known=known,
        )
        with _daemon(settings, folder / "daemon.log"):
            waits, beside = _revoke_all(settings, meta, known, folder / "daemon.log")
    return _told(asked, sorted(waits), beside)


def _revoke_all(
    settings: Path, meta: ListeningMeta, known: Sequence[str], log: Path
) -> tuple[list[float], int]:
    """Revoke one after another; also return how many of them while the first sync was under way."""
    waits, beside = list[float](), 0
    for number, customer in enumerate(known):
        start = time.monotonic()
        call = [sys.executable, "-c", _COMMAND, "revoke", "-c", str(settings), "--customer", customer]
        done = subprocess.run([*call, "--json"], capture_output=True, text=True, check=False)  # noqa: S603 - our own call
        arrived = meta.wait_for(digest_of_known(number))
        if arrived is None:
            raise SystemExit(f"the removal of {customer} did not arrive: {done.stdout}{done.stderr}")
        waits.append(arrived - start)
        beside += "run_finished" not in log.read_text()
        _say(f"{number + 1}: {waits[-1]:.2f} s, {meta.calls['users.add']} requests of adds so far")
    return waits, beside


@contextmanager
def _daemon(settings: Path, log: Path) -> Iterator[None]:
    """Run the daemon for the length of the block; its first sync begins within a minute."""
    with log.open("w") as out:
        call = [sys.executable, "-c", _COMMAND, "run", "-c", str(settings)]
        process = subprocess.Popen(call, stdout=out, stderr=out)  # noqa: S603 - our own call
        try:
            _wait_for_the_sync(log)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE_S)


def _wait_for_the_sync(log: Path) -> None:
    until = time.monotonic() + 2 * _LEADS_WITHIN_S
    while "run_started" not in log.read_text():
        if time.monotonic() > until:
            raise SystemExit(f"the daemon began no sync:\n{log.read_text()[-2000:]}")
        time.sleep(0.2)


def _told(asked: argparse.Namespace, waits: Sequence[float], beside: int) -> int:
    p95 = waits[min(len(waits) - 1, int(0.95 * len(waits)))]
    figures = {
        "memberships": asked.memberships,
        "customers": asked.customers,
        "revocations": len(waits),
        "beside_the_first_sync": beside,
        "median_s": round(waits[len(waits) // 2], 2),
        "p95_s": round(p95, 2),
        "slowest_s": round(waits[-1], 2),
        "kept": p95 <= BAR_S,
    }
    if asked.json:
        print(json.dumps(figures, indent=2))
    else:
        print("from `cohortd revoke` to the removal request at the platform, beside a full sync:")
        print("\n".join(f"  {key.replace('_', ' ')}: {value}" for key, value in figures.items()))
    return 0 if p95 <= BAR_S else 1


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fast_lane", description=__doc__)
    number = lambda text: int(float(text))  # noqa: E731 - 1e7 is easier to write
    parser.add_argument("--memberships", type=number, default=10_000_000, help="in the ledger")
    parser.add_argument("--customers", type=number, default=300_000, help="whom the sync sends")
    parser.add_argument("--revocations", type=number, default=40)
    parser.add_argument("--folder", type=Path, help="where everything lies while it is measured")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
