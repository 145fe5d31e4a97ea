"""Which room says a line, and from which level on it is shown."""

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from cohortd.logs.dying import VENDORS

#: Rooms that stand at the root; the others stand below ``cohortd``.
_AT_ROOT = frozenset({"connectors", "clustering", "consent", "config"})
_PRODUCT = "cohortd"
_BETWEEN = ("structlog", "cohortd.logs")


@dataclass(frozen=True, slots=True)
class RoomLevels:
    """Names the room of each line, and drops what is below its room's level."""

    default: int
    by_room: Mapping[str, int] = field(default_factory=dict)

    @property
    def lowest(self) -> int:
        """What no room shows need not even be made."""
        return min((self.default, *self.by_room.values()))

    def __call__(
        self, _logger: object, method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        """Be a processor of structlog.

        Raises:
            DropEvent: Its room is not that talkative.
        """
        room = event.setdefault("room", calling_room())
        if self.by_room and _level(method) < self.by_room.get(room, self.default):
            raise structlog.DropEvent
        return event


def calling_room() -> str:
    """Find the room whose code is saying something: a walk over a handful of frames."""
    frame = sys._getframe(1)  # noqa: SLF001 - the way structlog and logging find their callers
    while frame.f_back is not None and _module(frame.f_globals).startswith(_BETWEEN):
        frame = frame.f_back
    return room_of(_module(frame.f_globals))


def room_of(module: str) -> str:
    """Name the room of a module: ``cohortd.ledger.outbox`` is in ``ledger``."""
    top, _, below = module.partition(".")
    if top == _PRODUCT:
        return below.partition(".")[0] or _PRODUCT
    return top if top in _AT_ROOT else VENDORS


def _module(names: Mapping[str, object]) -> str:
    return str(names.get("__name__", ""))


def _level(method: str) -> int:
    return logging.getLevelNamesMapping().get(method.upper(), logging.ERROR)
