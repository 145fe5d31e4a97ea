"""Where threads are in the program, by file and line alone: values might hold data."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

#: How many places are told of a thread, innermost first.
DEPTH: Final = 6


def places_of(thread: int) -> list[str]:
    """Where a thread is, innermost first; empty where it has ended."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - the only way to ask for another thread's
    frames = list(_outward(frame))[:DEPTH]
    return [f"{Path(each.f_code.co_filename).name}:{each.f_lineno}" for each in frames]


def asks_platform() -> bool:
    """Tell whether any thread waits for a platform's answer."""
    return any(
        str(each.f_globals.get("__name__", "")).startswith("connectors.")
        for frame in sys._current_frames().values()  # noqa: SLF001 - see above
        for each in _outward(frame)
    )


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
