"""Where the program starts and where every error becomes a sentence and an exit code."""

import errno
import gc
import io
import json
import os
import resource
import signal
import sys
from types import FrameType
from typing import TextIO

import typer
from typer.exceptions import TyperException

from cohortd.cli import INTERRUPTED
from cohortd.cli.commands import app
from cohortd.cli.deferred import HEAVY, defer
from cohortd.core.errors import CohortdError
from cohortd.core.printable import escaped, printable
from cohortd.logs import keep_quiet, place_of

BROKEN_PIPE = 141


#: How many objects more than before make Python look for garbage, and how many such looks older ones
#: wait for. A batch is some 40,000 objects that go by themselves; with Python's own 700, 10 and 10 more
#: than half of the processor time of sending went into looking through the vendors' libraries.
GARBAGE_AFTER = (100_000, 20, 20)
#: Whatever a command writes is for its user alone: settings may hold secrets, pages tell of customers.
PRIVATE = 0o077
#: As the system says it, and libraries that write say after it.
_NO_ROOM = os.strerror(errno.ENOSPC)
#: In a container that gives us no other.
FIRST_PROCESS = 1


def main() -> None:
    """Run the command line; no traceback reaches the user, in whatever thread."""
    gc.set_threshold(*GARBAGE_AFTER)
    os.umask(PRIVATE)
    # A memory dump would hold contact fields and tokens.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if os.getpid() == FIRST_PROCESS:
        # Which no signal ends that it leaves alone; the daemon takes its own once it runs.
        signal.signal(signal.SIGTERM, _end)
    # Arrow's allocator would else keep whole arenas in memory; it reads this when it is loaded.
    os.environ.setdefault("MIMALLOC_ARENA_EAGER_COMMIT", "0")
    keep_quiet()
    say_in_utf8(sys.stdout, sys.stderr)
    defer(*HEAVY)
    sys.exit(run(sys.argv[1:]))


def say_in_utf8(*streams: TextIO) -> None:
    """Let no locale keep a name from being said: files get UTF-8, terminals what they can show."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


def run(arguments: list[str]) -> int:
    """Run one call and return its exit code: 0 done, 1 fell short, 2 wrong call, 3 guard."""
    try:
        code = typer.main.get_command(app).main(arguments, prog_name="cohortd", standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _unheard()
    except SystemExit as stop:
        # The command line's library takes a broken pipe for itself, and would end with 1: fell short.
        if isinstance(stop.__context__, BrokenPipeError):
            return _unheard()
        raise
    except Exception as error:  # noqa: BLE001 - the last boundary before the user
        return _tell(error, as_json="--json" in arguments)
    return code if isinstance(code, int) else 0


def _unheard() -> int:
    """End where nobody reads the answer any more; what was to be done is done."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


def _tell(error: Exception, *, as_json: bool) -> int:
    match error:
        case CohortdError():
            message, code = str(error), error.exit_code
        case TyperException():
            message, code = _usage(error), 2
        case _ if _NO_ROOM in str(error):
            message, code = f"{_NO_ROOM}: make room ('cohortd doctor' says where); nothing is lost", 1
        case _:
            message, code = _internal(error), 1
    if as_json:
        told = {"status": "failed", "error": message, "exit_code": code}
        print(escaped(json.dumps(told)))  # noqa: T201 - the answer
    print(f"cohortd: {printable(message)}", file=sys.stderr)  # noqa: T201 - where errors belong
    return code


def _usage(error: TyperException) -> str:
    """Say what was wrong with the call, and where help is."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "cohortd"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return f"{(message or 'say what to do').rstrip('.')}. See: {command} --help"


def _internal(error: Exception) -> str:
    """Name a fault of ours by type and place; its text might hold data, so it is not shown."""
    return (
        f"internal error ({type(error).__name__} at {place_of(error)}). Nothing is half-done:"
        " the next run goes on from what was recorded. Please report this line."
    )
