"""The command: every step in a process of its own, so that each one's memory is its own."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from benchmarks.ledger import cycles, rivals
from benchmarks.ledger.places import Place, places, wheel_server

Figures = dict[str, float]

#: Beyond this, the first sync is left out: the tables are filled directly.
_LOADED: Final = 2_000_000
_LARGE: Final = 20_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--members", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--large", action="store_true", help="allow more than 20 million members")
    parser.add_argument("--load", action="store_true", help="load by a first sync, however long it takes")
    parser.add_argument("--folder", type=Path, help="where the ledger lies while it is measured")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--database", metavar="URL", help="a PostgreSQL server to make two databases in")
    where.add_argument("--postgresql", action="store_true", help="a PostgreSQL server from a wheel")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.members > _LARGE and not asked.large:
        parser.error(
            f"{asked.members:,} members take some {asked.members * 450 / 1e9:.0f} GB of disk and"
            f" {asked.members / 2e6:.0f} minutes or more: say --large as well"
        )
    folder = Path(tempfile.mkdtemp(dir=asked.folder, prefix="ledger-benchmark-"))
    try:
        with ExitStack() as stack:
            server = stack.enter_context(wheel_server(folder)) if asked.postgresql else asked.database
            loading, measured = stack.enter_context(places(folder, server))
            figures = measure(asked.members, loading, measured, load=asked.load)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(figures, indent=2) if asked.json else table(figures))
    return 0


def measure(members: int, loading: Place, measured: Place, *, load: bool) -> dict[str, Figures]:
    """Run every step, each in a process of its own."""
    found: dict[str, Figures] = {"members": {"count": members}}
    if load or members <= _LOADED:
        found["load"] = _alone(cycles.load, loading, members)
        found["load"] |= _alone(cycles.size, loading, members)
    for step in (cycles.fill, cycles.size, cycles.no_change, cycles.change, cycles.revoke):
        found[step.__name__] = _alone(step, measured, members)
    for rival in (rivals.numpy_merge, rivals.duckdb_anti_join):
        found[rival.__name__] = _alone(rival, members)
    return found


def table(figures: dict[str, Figures]) -> str:
    """Say it for people: a line a step, in seconds, megabytes and times the floor."""
    floor = figures["numpy_merge"]["cpu_s"]
    count, size = int(figures["members"]["count"]), figures["size"]["bytes_a_member"]
    lines = [
        f"{count:,} members of two identifiers each; {size:.0f} bytes a member",
        "",
        f"{'step':18}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}{'x floor':>9}",
    ]
    for name, found in figures.items():
        if "cpu_s" in found:
            lines.append(
                f"{name:18}{found['cpu_s']:9.1f}{found['wall_s']:9.1f}{found['peak_mb']:9.0f}"
                f"{found['cpu_s'] / floor:9.1f}"
            )
            parts = ", ".join(f"{k[:-6]} {v:.1f}" for k, v in found.items() if k.endswith("_cpu_s"))
            lines += [f"  of it CPU s: {parts}"] if parts else []
    once = figures["revoke"]
    lines.append(
        f"one revocation: median {once['median_ms']:.1f} ms, p99 {once['p99_ms']:.1f} ms,"
        f" slowest {once['slowest_ms']:.1f} ms"
    )
    if "load" in figures:
        beside = figures["load"]
        lines.append(
            f"while all is loaded, {beside['beside_revocations']:.0f} revocations of another process:"
            f" median {beside['beside_median_ms']:.1f} ms, slowest {beside['beside_slowest_ms']:.0f} ms"
        )
    return "\n".join(lines)


def _alone(step: Callable[..., Figures], *arguments: object) -> Figures:
    print(f"{step.__name__} ...", file=sys.stderr, flush=True)
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(step, *arguments).result()


if __name__ == "__main__":
    sys.exit(main())
