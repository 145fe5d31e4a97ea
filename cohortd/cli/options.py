"""Options that every command shares."""

from datetime import datetime
from typing import Annotated

import typer

from cohortd.core.times import parse_time

#: No database counts further, and no reader.
MOST_SHOWN = 1_000_000_000

ConfigFile = Annotated[
    str | None,
    typer.Option(
        "-c",
        "--config",
        metavar="FILE",
        help="The settings file; otherwise COHORTD_CONFIG, otherwise cohortd.yaml.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]


def _time(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no ISO 8601 time such as 2026-03-02 or 2026-03-02T06:00Z"
        ) from None


AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        parser=_time,
        help="Take TIME (ISO 8601) for now: later events and grants are not seen; revocations are.",
        show_default=False,
    ),
]

Since = Annotated[
    datetime | None,
    typer.Option(
        "--since", metavar="TIME", parser=_time, help="From TIME (ISO 8601) on.", show_default=False
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(
        "--until", metavar="TIME", parser=_time, help="Before TIME (ISO 8601).", show_default=False
    ),
]
