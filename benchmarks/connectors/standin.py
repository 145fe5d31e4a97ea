"""The stand-ins in a process of their own, so that their work is not counted as the connector's."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from cohortd.emulators.faults import Fault, FaultKind, FaultSchedule
from cohortd.emulators.serving import Ports, running


@contextmanager
def apart(*, latency_s: float = 0.0) -> Iterator[tuple[Mapping[str, str], Callable[[], float]]]:
    """Run all stand-ins; give their endpoints, and a way to ask for the processor time they have taken.

    Args:
        latency_s: How much later every answer comes than it could.
    """
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, latency_s), daemon=True)
    process.start()

    def spent_s() -> float:
        here.send("spent")
        return float(here.recv())

    try:
        yield here.recv(), spent_s
    finally:
        here.send("end")
        process.join()


def _serve(pipe: Connection, latency_s: float) -> None:
    slow = Fault(call="*[!g]", kind=FaultKind.DELAY, delay_s=latency_s, times=None)
    faults = FaultSchedule([slow] if latency_s else [])
    with running(Ports(), state=None, faults=faults) as endpoints:
        pipe.send(dict(endpoints))
        while pipe.recv() == "spent":
            pipe.send(time.process_time())
