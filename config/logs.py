"""Settings of log lines."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from config.base import nearest

Level = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "json", "human"]
#: Whose lines may have a level of their own: our rooms, and all libraries together.
ROOMS: Final = (
    *("alerts", "cli", "clustering", "config", "connectors", "consent", "core", "daemon", "demo"),
    *("emulators", "engine", "identity", "ledger", "logs", "monitoring", "pipeline", "receiver", "report"),
    *("sources", "vendors"),
)


def _known(room: str) -> str:
    if room in ROOMS:
        return room
    meant = nearest(room, ROOMS)
    raise ValueError(f"there is no room {room}" + (f"; did you mean {meant}?" if meant else ""))


Room = Annotated[str, AfterValidator(_known)]
