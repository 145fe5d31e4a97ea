"""The other end of ``apart``: a process that does what it is asked until nobody asks any more."""

import gc
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from cohortd.core.errors import CohortdError

#: As the command line has it: libraries' many small objects are not looked through again and again.
_GARBAGE_AFTER: Final = (100_000, 20, 20)


def main() -> None:
    """Answer until the pipe is closed: by whoever asked, or because that process ended, however."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        # A terminal, and systemd, send them to both processes; the other one says when this one ends.
        signal.signal(number, signal.SIG_IGN)
    gc.set_threshold(*_GARBAGE_AFTER)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints is no answer
    asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    kept: list[Any] = []
    try:
        while True:
            pickle.dump(_answer(kept, asked.get()), answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()
    finally:
        os._exit(1)  # as other programs end in dying would fail: the other thread holds the pipe


def _listen(calls: IO[bytes], asked: "queue.SimpleQueue[Any]") -> NoReturn:
    """Hear also while something is computed that nobody waits for."""
    while True:
        try:
            asked.put(pickle.load(calls))  # noqa: S301 - of the process that started this one
        except (EOFError, pickle.UnpicklingError):
            os._exit(0)
        except Exception as error:  # noqa: BLE001 - as of code that was replaced since the other one began
            asked.put(("fail", error, (), {}))


def _answer(kept: list[Any], call: Sequence[Any]) -> tuple[str, object]:
    try:
        return "done", _do(kept, *call)
    except CohortdError as error:
        return "refused", error
    except Exception as error:  # noqa: BLE001 - the other process tells of it, and goes on
        last = traceback.extract_tb(error.__traceback__)[-1]
        return "broke", f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def _do(kept: list[Any], what: str, whom: Any, given: Sequence[Any], options: dict[str, Any]) -> object:
    """``run`` a function, or ``call`` a method by number and name; ``make`` and ``keep`` do the same and
    give the number by which what came of it can be called. ``fail`` tells of what was not understood.
    """
    if what == "fail":
        raise whom
    doing = whom if what in {"run", "make"} else getattr(kept[whom[0]], whom[1])
    found = doing(*given, **options)
    if what in {"run", "call"}:
        return found
    kept.append(found)
    return len(kept) - 1


if __name__ == "__main__":
    main()
