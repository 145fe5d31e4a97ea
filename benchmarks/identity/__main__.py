"""How many customers a second, beside hashing alone and beside other ways.

``python -m benchmarks.identity [--rows 1000000] [--json] [--memory]``
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial

import pandas as pd
import pyarrow as pa

from benchmarks.identity import memory, others, reference
from benchmarks.identity.customers import batches
from benchmarks.identity.timing import cpu_seconds
from cohortd.core.identifiers import Family
from cohortd.identity import how_it_hashes, identify

EMAIL = ["email"]
ADDRESS = ["email", "first_name", "last_name", "city", "postal_code", "country"]
RECORD = [*ADDRESS, "phone"]
_FEW_RUNS = 2
#: Slow ways get a part of the rows; they take as long for each.
_SHARE, _LEAST = 20, 20_000


@dataclass(frozen=True, slots=True)
class Line:
    """One way, measured."""

    work: str
    way: str
    #: Per second of processor time on one core; of wall time where the way says all cores.
    rows_per_s: float
    #: How often the reference, hashing e-mails alone, and the pandas way of the same work fit in.
    to_openssl: float
    to_pandas: float


def main() -> None:
    """Measure and print."""
    asked = _asked()
    if asked.memory:
        _show_memory(memory.peaks(asked.memory_rows), as_json=asked.json)
        return
    customers = list(batches(asked.rows))
    emails = [one.column("email").drop_null().cast(pa.large_string()) for one in customers]
    how, openssl = reference.rows_per_second(emails)
    lines = [Line("e-mail", f"OpenSSL alone ({how})", openssl, 1.0, 0.0)]
    for work, columns, ways in (
        ("e-mail", EMAIL, others.email_ways()),
        ("e-mail, names, address", ADDRESS, []),
        ("whole customer", RECORD, others.record_ways()),
    ):
        lines += _measured(work, [one.select(columns) for one in customers], ways, openssl)
    if asked.json:
        print(json.dumps({"hashing": how_it_hashes(), "lines": [asdict(line) for line in lines]}))
        return
    print(f"{asked.rows:,} customers; cohortd {how_it_hashes()}; {os.cpu_count()} cores\n")
    _show(lines)


def _measured(
    work: str, contacts: Sequence[pa.RecordBatch], ways: Sequence[others.Way], openssl: float
) -> list[Line]:
    rows = _values(contacts)
    speeds: dict[str, float] = {}
    few = contacts[: max(1, len(contacts) // _SHARE)]
    frame = pa.Table.from_batches(few).to_pandas()
    frame = frame.head(max(_LEAST, len(frame) // _SHARE))
    for name, way in ways:
        speeds[name] = _rows_of(frame) / cpu_seconds([partial(way, frame)], runs=_FEW_RUNS)
    for family in Family:
        for remember, again in ((False, ""), (True, ", unchanged customers")):
            pure = [partial(_identify, [batch], family, native=False, remember=remember) for batch in few]
            speeds[f"cohortd for {family}, without the kernel{again}"] = _values(few) / cpu_seconds(
                pure, runs=_FEW_RUNS
            )
        native = [partial(_identify, [batch], family) for batch in contacts]
        speeds[f"cohortd for {family}, one core"] = rows / cpu_seconds(native)
        speeds[f"cohortd for {family}, all cores, threads"] = rows / _by_threads(contacts, family)
        speeds[f"cohortd for {family}, all cores, processes"] = rows / _by_processes(contacts, family)
    pandas = next(iter(speeds.values())) if ways else 0.0
    return [
        Line(work, way, speed, speed / openssl, speed / pandas if pandas else 0.0)
        for way, speed in speeds.items()
    ]


def _identify(
    contacts: Sequence[pa.RecordBatch], family: Family, *, native: bool = True, remember: bool = False
) -> int:
    """Identify as a sync does, batch by batch; nothing of a batch is kept, unless it may be remembered.

    The same batches run several times: to remember them would measure the second sync, not the first.
    """
    found = 0
    for batch in contacts:
        result = identify(
            batch, family, default_region="US", hashed=frozenset(), native=native, remember=remember
        )
        found += result.identifiers.num_rows
    return found


def _by_threads(contacts: Sequence[pa.RecordBatch], family: Family) -> float:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        start = time.perf_counter()
        list(pool.map(lambda batch: _identify([batch], family), contacts))
        return time.perf_counter() - start


def _by_processes(contacts: Sequence[pa.RecordBatch], family: Family) -> float:
    """Wall seconds until the last of as many processes as there are cores is done with its share."""
    cores = os.cpu_count() or 1
    context = multiprocessing.get_context("fork")
    ready, done = context.Barrier(cores + 1), context.Barrier(cores + 1)
    shares = [contacts[number::cores] for number in range(cores)]

    def work(share: Sequence[pa.RecordBatch]) -> None:
        _identify(share[:1], family)
        ready.wait()
        _identify(share, family)
        done.wait()

    processes = [context.Process(target=work, args=(share,)) for share in shares]
    for process in processes:
        process.start()
    ready.wait()
    start = time.perf_counter()
    done.wait()
    seconds = time.perf_counter() - start
    for process in processes:
        process.join()
    return seconds


def _values(contacts: Sequence[pa.RecordBatch]) -> int:
    """Customers, or e-mails where there is nothing else."""
    if contacts[0].num_columns == 1:
        return sum(len(one.column(0)) - one.column(0).null_count for one in contacts)
    return sum(one.num_rows for one in contacts)


def _rows_of(frame: pd.DataFrame) -> int:
    return int(frame["email"].count()) if frame.shape[1] == 1 else len(frame)


def _show(lines: Sequence[Line]) -> None:
    print(f"{'':24}{'':52}{'rows/s':>12}{'x OpenSSL':>11}{'x pandas':>10}")
    for line in lines:
        pandas = f"{line.to_pandas:10.1f}" if line.to_pandas else ""
        print(f"{line.work:24}{line.way:52}{line.rows_per_s:12,.0f}{line.to_openssl:11.2f}{pandas}")


def _show_memory(peaks: Sequence[memory.Peak], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(peak) for peak in peaks]))
        return
    for peak in peaks:
        print(f"{peak.rows:12,} customers: at most {peak.mebibytes:,.0f} MiB, {peak.seconds:,.1f} s")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--memory", action="store_true", help="peak memory of streams of several lengths")
    parser.add_argument("--memory-rows", type=int, nargs="*", default=[1_000_000, 5_000_000, 20_000_000])
    return parser.parse_args()


if __name__ == "__main__":
    main()
