"""Where the program starts and where every error becomes a sentence and an exit code."""

import json
import os
import sys
import traceback
from pathlib import Path

import typer
from typer.exceptions import TyperException

from cohortd.cli.commands import app
from cohortd.core.errors import CohortdError

INTERRUPTED = 130
BROKEN_PIPE = 141


def main() -> None:
    """Run the command line; no traceback reaches the user."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one call and return its exit code: 0 done, 1 fell short, 2 wrong call, 3 guard."""
    as_json = "--json" in arguments
    try:
        code = typer.main.get_command(app).main(arguments, prog_name="cohortd", standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except TyperException as error:
        return _tell(_usage(error), 2, as_json=as_json)
    except typer.Abort:
        return INTERRUPTED
    except CohortdError as error:
        return _tell(str(error), error.exit_code, as_json=as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last boundary before the user
        return _tell(_internal(error), 1, as_json=as_json)
    return code if isinstance(code, int) else 0


def _tell(message: str, code: int, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"status": "failed", "error": message, "exit_code": code}))  # noqa: T201 - the answer
    print(f"cohortd: {message}", file=sys.stderr)  # noqa: T201 - where errors belong
    return code


def _usage(error: TyperException) -> str:
    """Say what was wrong with the call, and where help is."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "cohortd"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return f"{message} See: {command} --help"


def _internal(error: Exception) -> str:
    """Name a fault of ours by type and place; its text might hold data, so it is not shown."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
    return (
        f"internal error ({type(error).__name__} at {place}). Nothing is half-done: the next run goes on"
        " from what was recorded. Please report this line."
    )
