"""The command: one sync's sending to the Data Manager, one batch after the other and several at once.

``python -m benchmarks.connectors.at_once [--members 300000] [--audiences 10] [--latency-ms 50 200 1000]``
"""

import argparse
import gc
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import pyarrow as pa
import structlog

from benchmarks.connectors import ours, standin
from benchmarks.connectors.people import REQUEST
from benchmarks.ledger.opening import NOW, opened
from benchmarks.ledger.people import tables
from benchmarks.ledger.places import Place
from cohortd.cli.entry import GARBAGE_AFTER
from cohortd.core.delivery import RemoteSpec
from cohortd.core.identifiers import Family
from cohortd.core.planning import Target
from cohortd.ledger import Ledger
from cohortd.pipeline.delivery import Delivery
from cohortd.pipeline.wiring import AudiencePolicy, Destination, IdentityPolicy, Pipeline, PollPolicy
from connectors.protocol import Connector

AT_ONCE: Final = (1, 4)
_NAME: Final = "google"
_POLL: Final = PollPolicy(first_s=1800, factor=1.3, max_s=3600, give_up_s=86_400)


@dataclass(frozen=True, slots=True)
class Line:
    """Everybody sent once, from the outbox until the platform took the last batch."""

    latency_ms: float
    at_once: int
    wall_s: float
    #: Processor time of this process, and of the stand-in beside it.
    cpu_s: float
    stand_in_s: float
    batches: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.connectors.at_once", description=__doc__)
    parser.add_argument("--members", type=int, default=300_000)
    parser.add_argument("--audiences", type=int, default=10)
    parser.add_argument("--latency-ms", type=float, nargs="+", default=[50.0, 200.0, 1000.0])
    parser.add_argument("--at-once", type=int, nargs="+", default=list(AT_ONCE))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    gc.set_threshold(*GARBAGE_AFTER)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lines = [
        _line(asked.members, asked.audiences, latency_ms, at_once)
        for latency_ms in asked.latency_ms
        for at_once in asked.at_once
    ]
    print(json.dumps([asdict(line) for line in lines], indent=2) if asked.json else table(lines))
    return 0


def table(lines: Sequence[Line]) -> str:
    """Say it for people."""
    first: Mapping[float, Line] = {line.latency_ms: line for line in reversed(lines)}
    rows = [
        f"{line.latency_ms:>10.0f}{line.at_once:>9}{line.wall_s:>9.1f}{line.cpu_s:>9.1f}"
        f"{line.stand_in_s:>9.1f}{first[line.latency_ms].wall_s / line.wall_s:>9.1f}"
        for line in lines
    ]
    head = "".join(f"{name:>{9 + (name == 'latency')}}" for name in _HEADS)
    return "\n".join([f"{lines[0].batches} batches; {os.cpu_count()} cores; seconds", head, *rows])


_HEADS: Final = ("latency", "at once", "wall", "cpu", "stand-in", "times")


def _line(members: int, audiences: int, latency_ms: float, at_once: int) -> Line:
    print(f"{latency_ms:.0f} ms, {at_once} at once ...", file=sys.stderr, flush=True)
    with (
        tempfile.TemporaryDirectory() as name,
        standin.apart(latency_s=latency_ms / 1000) as (endpoints, spent_s),
        opened(Place(Path(name), f"sqlite:///{name}/ledger.db")) as ledger,
    ):
        connector = ours.connector_to("google_data_manager", endpoints["google_data_manager"])
        with ledger.leadership() as epoch:
            _queue(ledger, connector, members, audiences, epoch=epoch)
            delivery = Delivery(_pipeline(ledger, connector, at_once, Path(name)), epoch)
            wall, cpu, theirs = time.perf_counter(), time.process_time(), spent_s()
            batches = delivery.drain()
            line = Line(
                latency_ms,
                at_once,
                time.perf_counter() - wall,
                time.process_time() - cpu,
                spent_s() - theirs,
                batches,
            )
        connector.close()
    if delivery.notes:
        raise AssertionError(delivery.notes)
    return line


def _queue(ledger: Ledger, connector: Connector, members: int, audiences: int, *, epoch: int) -> None:
    """Queue different people for every audience."""
    targets = [Target(f"s{number}", _NAME) for number in range(audiences)]
    each = members // audiences
    people = pa.concat_tables(tables(members)).combine_chunks()
    with ledger.compare() as comparison:
        for number, target in enumerate(targets):
            remote = ledger.remotes.intend(
                target, platform=connector.platform, account=ours.ACCOUNT, name=target.audience, at=NOW
            )
            spec = RemoteSpec(target.audience, f"Audience {number}", "")
            ledger.remotes.attach(remote.id, connector.ensure(spec), at=NOW)
            # Two identifiers a person.
            comparison.stage(target, Family.GOOGLE, people.slice(2 * each * number, 2 * each))
        comparison.deltas(now=NOW, refresh_after=lambda _: None)
        comparison.enqueue(
            targets, hold_adds=(), rows_per_batch=lambda _: REQUEST, version=1, at=NOW, epoch=epoch
        )


def _pipeline(ledger: Ledger, connector: Connector, at_once: int, folder: Path) -> Pipeline:
    unused = cast("Any", None)
    destination = Destination(
        _NAME, connector.platform, ours.ACCOUNT, connector, _POLL, None, concurrency=at_once
    )
    return Pipeline(
        data_dir=folder,
        ledger=ledger,
        engine=unused,
        sources=unused,
        destinations={_NAME: destination},
        segmentation=unused,
        audiences=AudiencePolicy(0, ""),
        identity=IdentityPolicy(None, frozenset()),
        consent=unused,
        guards=unused,
        log_key="",
        clock=lambda: NOW,
    )


if __name__ == "__main__":
    sys.exit(main())
