"""How log lines look, which are shown, and what is taken out of them."""

import logging
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from cohortd.core.printable import printable
from cohortd.core.redaction import Redactor
from cohortd.logs.rooms import RoomLevels

Format = Literal["auto", "json", "human"]

#: Vendors' loggers that print requests, hashes or tokens at their chattier levels.
TAMED: Final = (
    "google",
    "google.ads.googleads.client",
    "google.auth",
    "urllib3",
    "facebook_business",
    "grpc",
    "alembic",
    "apprise",
)
#: Keys that only processors of ours write.
_OURS: Final = frozenset({"level", "timestamp", "room"})


def set_up_logs(
    level: str,
    *,
    levels: Mapping[str, str] | None = None,
    form: Format = "auto",
    spared: Collection[str] = (),
) -> None:
    """Write log lines to standard error.

    Args:
        level: From which on lines are shown.
        levels: The same by room, where a room differs.
        form: ``auto`` is for people on a terminal, JSON otherwise.
        spared: Account ids, whose digits are nobody's phone.
    """
    rooms = RoomLevels(_number(level), {room: _number(each) for room, each in (levels or {}).items()})
    is_terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=is_terminal)
        if form == "human" or (form == "auto" and is_terminal)
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            rooms,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            Redacting(Redactor(frozenset(spared))),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(rooms.lowest),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    _tame()


def _tame() -> None:
    """Quieten vendors' loggers, and those below them that were given a chattier level of their own."""
    for name in TAMED:
        logging.getLogger(name).setLevel(logging.WARNING)
    below = tuple(f"{name}." for name in TAMED)
    for name, logger in logging.root.manager.loggerDict.items():
        if (
            isinstance(logger, logging.Logger)
            and name.startswith(below)
            and 0 < logger.level < logging.WARNING
        ):
            logger.setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Redacting:
    """The last processor before a line is rendered.

    It leaves nothing that identifies anybody or opens anything, and nothing that a terminal would obey;
    a name may come from anybody.
    """

    redactor: Redactor

    def __call__(
        self, _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        """Be a processor of structlog."""
        return {
            (key if key.isidentifier() else self._sayable(key)): (
                value if key in _OURS else self._value(key, value)
            )
            for key, value in event.items()
        }

    def _value(self, key: str, value: object) -> object:
        shown = self.redactor.value(key, value)
        return printable(shown) if isinstance(shown, str) else shown

    def _sayable(self, text: str) -> str:
        return printable(self.redactor.text(text))


def _number(level: str) -> int:
    return logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
