"""How log lines look and which are shown."""

import logging
import sys
import traceback
from pathlib import Path

import structlog

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
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in TAMED:
        logging.getLogger(name).setLevel(logging.WARNING)


def place_of(error: BaseException) -> str:
    """Name where an error came from, by file and line: its text might hold data, a place cannot."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
