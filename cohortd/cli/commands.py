"""All commands, gathered."""

import typer

from cohortd import __version__
from cohortd.cli import (
    consent_files,
    consents,
    demos,
    erasures,
    evidence,
    looks,
    models,
    runs,
    settings,
    upkeep,
    words,
)

app = typer.Typer(
    name="cohortd",
    help="Keeps ad audiences true: re-clusters your customers, applies consent, syncs Google Ads and Meta.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Show the version and leave.")) -> None:
    if version:
        typer.echo(f"cohortd {__version__}")
        raise typer.Exit


for room in (
    demos,
    settings,
    models,
    runs,
    consents,
    consent_files,
    erasures,
    evidence,
    looks,
    upkeep,
    words,
):
    room.register(app)
