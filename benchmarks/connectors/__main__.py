"""The command: each platform, two kinds of people, our way and the vendor's in turns.

``python -m benchmarks.connectors [--runs 5] [--json]``
"""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import structlog

from benchmarks.connectors import naive, ours, standin
from benchmarks.connectors.people import REQUEST, crowd, raw_rows
from cohortd.core.identifiers import Member

PLATFORMS: Final = ("google_data_manager", "google_ads", "meta")
#: Google's quota of a Cloud project, 300 requests a minute of 10,000 members each.
QUOTA: Final = 3_000_000
TWICE: Final = 2.0
_WIDTHS: Final = (8, 8, 6, 8, 8, 6, 10, 13, 13)

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Line:
    """10,000 members to one platform: processor time of our process, whatever the other one does."""

    platform: str
    people: str
    build_ms: float
    naive_build_ms: float
    #: Built, sent, answered and asked for until it is done.
    send_ms: float
    naive_send_ms: float
    #: Members a minute of wall time, one request after the other, with the stand-in in its own process.
    sustained: float
    naive_sustained: float
    #: Processor time of the stand-in for one of our requests: where it is more than ours, it is the brake.
    stand_in_ms: float

    @property
    def built_a_minute(self) -> float:
        """Members that one core builds requests for."""
        return REQUEST / self.build_ms * 60_000

    @property
    def gain(self) -> float:
        """How often the vendor's way of sending fits into ours."""
        return self.naive_send_ms / self.send_ms


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.connectors", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each way, in turns; the best one counts")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    lines: list[Line] = []
    with standin.apart() as (endpoints, stand_in_s):
        for platform in PLATFORMS:
            for people in ("e-mail, phone", "e-mail, phone, names, place"):
                print(f"{platform}: {people} ...", file=sys.stderr, flush=True)
                lines.append(_line(platform, people, endpoints[platform], stand_in_s, asked.runs))
        raw = _raw(endpoints["meta"], asked.runs)
    if asked.json:
        print(json.dumps({"lines": [asdict(each) for each in lines], "meta_from_text_ms": raw}, indent=2))
    else:
        print(table(lines, raw))
    return 0


def table(lines: Sequence[Line], raw: Mapping[str, float]) -> str:
    """Say it for people."""
    numbers = ("build", "naive", "x", "send", "naive", "x", "stand-in", "members/min", "naive")
    head = "".join(f"{name:>{width}}" for name, width in zip(numbers, _WIDTHS, strict=True))
    about = f"10,000 members a request; milliseconds of processor time; {os.cpu_count()} cores"
    return "\n".join([about, "", f"{'':50}{head}", *map(_row, lines), "", *_verdicts(lines, raw)])


def _row(line: Line) -> str:
    numbers = (
        f"{line.build_ms:.0f}",
        f"{line.naive_build_ms:.0f}",
        f"{line.naive_build_ms / line.build_ms:.1f}",
        f"{line.send_ms:.0f}",
        f"{line.naive_send_ms:.0f}",
        f"{line.gain:.1f}",
        f"{line.stand_in_ms:.0f}",
        f"{line.sustained:,.0f}",
        f"{line.naive_sustained:,.0f}",
    )
    cells = "".join(f"{number:>{width}}" for number, width in zip(numbers, _WIDTHS, strict=True))
    return f"{line.platform:21}{line.people:29}{cells}"


def _verdicts(lines: Sequence[Line], raw: Mapping[str, float]) -> Iterator[str]:
    slowest = min(each.built_a_minute for each in lines if each.platform == "google_data_manager")
    yield f"one core builds {slowest:,.0f} Data Manager members a minute, the quota is {QUOTA:,}: " + (
        _verdict(met=slowest >= QUOTA)
    )
    for each in lines:
        yield (
            f"{each.platform}, {each.people}: {each.gain:.1f} times the vendor's way, {TWICE:.0f} wanted: "
            + (_verdict(met=each.gain >= TWICE))
        )
    gain = raw["naive"] / raw["ours"]
    yield (
        f"meta, from text: {raw['ours']:.0f} ms, of it {raw['identify']:.0f} to normalize and hash;"
        f" add_users {raw['naive']:.0f} ms, {gain:.1f} times, {TWICE:.0f} wanted:"
        f" {_verdict(met=gain >= TWICE)}"
    )


def _line(platform: str, people: str, endpoint: str, stand_in_s: Callable[[], float], runs: int) -> Line:
    members = crowd(naive.family_of(platform), whole="place" in people)
    connector = ours.connector_to(platform, endpoint)
    remote_id = ours.audience(connector)
    theirs = naive.client_of(platform)(endpoint, remote_id, members)
    build = _cpu_ms([ours.building(platform, endpoint, members), theirs.build], runs)
    send_ours = ours.sending(connector, remote_id, members)
    send = _cpu_ms([send_ours, theirs.send], runs)
    before = stand_in_s()
    sustained = _a_minute(send_ours, runs)
    stand_in_ms = (stand_in_s() - before) / runs * 1000
    line = Line(
        platform,
        people,
        build_ms=build[0],
        naive_build_ms=build[1],
        send_ms=send[0],
        naive_send_ms=send[1],
        sustained=sustained,
        naive_sustained=_a_minute(theirs.send, runs),
        stand_in_ms=stand_in_ms,
    )
    connector.close()
    return line


def _raw(endpoint: str, runs: int) -> dict[str, float]:
    """The helper's own purpose: from text. Ours without the ledger, which stands between the two steps."""
    members: tuple[Member, ...] = crowd(naive.family_of("meta"), whole=False)
    connector = ours.connector_to("meta", endpoint)
    remote_id = ours.audience(connector)
    helper = naive.Meta(endpoint, remote_id, members, raw=raw_rows())
    identify, send, theirs = _cpu_ms(
        [ours.identifying(), ours.sending(connector, remote_id, members), helper.send], runs
    )
    connector.close()
    return {"ours": identify + send, "identify": identify, "naive": theirs}


def _cpu_ms(ways: Sequence[Work], runs: int) -> list[float]:
    """Processor time of each way, the best of several runs, in turns so that all meet the same machine."""
    best = [float("inf")] * len(ways)
    for _ in range(runs):
        for number, way in enumerate(ways):
            start = time.process_time()
            way()
            best[number] = min(best[number], 1000 * (time.process_time() - start))
    return best


def _a_minute(way: Work, runs: int) -> float:
    start = time.perf_counter()
    for _ in range(runs):
        way()
    return 60 * REQUEST * runs / (time.perf_counter() - start)


def _verdict(*, met: bool) -> str:
    return "met" if met else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
