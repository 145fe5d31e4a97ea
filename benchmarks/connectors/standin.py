"""The stand-ins in a process of their own, so that their work is not counted as the connector's."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from cohortd.emulators.serving import Ports, running


@contextmanager
def apart() -> Iterator[tuple[Mapping[str, str], Callable[[], float]]]:
    """Run all stand-ins; give their endpoints, and a way to ask for the processor time they have taken."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()

    def spent_s() -> float:
        here.send("spent")
        return float(here.recv())

    try:
        yield here.recv(), spent_s
    finally:
        here.send("end")
        process.join()


def _serve(pipe: Connection) -> None:
    with running(Ports(), state=None) as endpoints:
        pipe.send(dict(endpoints))
        while pipe.recv() == "spent":
            pipe.send(time.process_time())
