"""How log lines look and which are shown."""

import logging
import sys
import threading
import traceback
from pathlib import Path

import structlog

from cohortd.core.printable import printable

#: Vendors' loggers that print requests, hashes or tokens at their chattier levels.
TAMED = (
    "google",
    "google.ads.googleads.client",
    "google.auth",
    "urllib3",
    "facebook_business",
    "grpc",
    "alembic",
)


def set_up_logs(level: str) -> None:
    """Write log lines to standard error: for people on a terminal, JSON otherwise."""
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _spell_out,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in TAMED:
        logging.getLogger(name).setLevel(logging.WARNING)


def _spell_out(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Leave nothing in a line that a terminal would obey; a name may come from anybody."""
    return {key: printable(value) if isinstance(value, str) else value for key, value in event.items()}


class _ByPlace(logging.StreamHandler):  # type: ignore[type-arg]
    """Says that a library warned, and where; its own words may hold a path with a token in it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of it in our own form."""
        at = f"{record.filename}:{record.lineno}"
        structlog.get_logger().warning("library_warned", library=record.name, at=at)


def keep_quiet() -> None:
    """Let no thread, object or logger show an error's text in dying: it might hold data or a token."""
    threading.excepthook = _thread_died
    sys.unraisablehook = _object_died
    logging.raiseExceptions = False
    logging.lastResort = _ByPlace(logging.WARNING)


def _thread_died(told: threading.ExceptHookArgs) -> None:
    _tell("thread_died", told.exc_value)


def _object_died(told: "sys.UnraisableHookArgs") -> None:
    _tell("object_died", told.exc_value)


def _tell(event: str, error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        structlog.get_logger().error(event, error=type(error).__name__, at=place_of(error))


def place_of(error: BaseException) -> str:
    """Name where an error came from, by file and line: its text might hold data, a place cannot."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
