"""What dies, or warns, tells of itself by kind and place alone."""

import logging
import os
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any, Final, TextIO

from cohortd.core.errors import FaultApartError

#: The room of what no room of ours says.
VENDORS: Final = "vendors"
_PROCESS: Final = "process"


class _ByPlace(logging.Handler):
    """Says that a library warned, and where; its own words may hold a path with a token in it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of it in our own form."""
        at = f"{record.filename}:{record.lineno}"
        _log().warning("library_warned", library=record.name, at=at, room=VENDORS)


def keep_quiet() -> None:
    """Let no thread, object or logger show an error's text in dying: it might hold data or a token."""
    threading.excepthook = _thread_died
    sys.unraisablehook = _object_died
    logging.raiseExceptions = False
    logging.lastResort = _ByPlace(logging.WARNING)
    if not logging.root.handlers:
        # Else the first library that says something by logging.warning() itself, as Meta's does, would
        # have all of them write to standard error in their own words from then on.
        logging.root.addHandler(_ByPlace(logging.WARNING))
    warnings.showwarning = _warned  # type: ignore[assignment]  # ours by place, not by name
    # gRPC's own lines go past every logger of Python.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def _warned(
    _message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    _file: TextIO | None = None,
    _line: str | None = None,
) -> None:
    """Tell of a Python warning without its words or its line of code."""
    at = f"{Path(filename).name}:{lineno}"
    _log().warning("library_warned", library=category.__name__, at=at, room=VENDORS)


def _thread_died(told: threading.ExceptHookArgs) -> None:
    _tell("thread_died", told.exc_value)


def _object_died(told: "sys.UnraisableHookArgs") -> None:
    _tell("object_died", told.exc_value)


def _tell(event: str, error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        _log().error(event, error=type(error).__name__, at=place_of(error), room=_PROCESS)


def _log() -> Any:
    import structlog  # noqa: PLC0415 - most commands that tell of nothing here do without

    return structlog.get_logger()


def place_of(error: BaseException) -> str:
    """Name where an error came from, by file and line: its text might hold data, a place cannot."""
    if isinstance(error, FaultApartError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
