"""``demo`` and ``emulate``: the main job and the platforms, without any account."""

from pathlib import Path
from typing import Annotated

import typer

from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer

_LAST_PORT = 65_535
_HOW_TO_USE = (
    "In the settings, put each under 'endpoint' of the destination of that platform; no credentials are",
    "needed then. Google's also take 'poll: {first_s: 1}', or they are first asked after half an hour, as",
    "Google is. All end with Ctrl-C; what they hold is gone then, unless --state DIR keeps it.",
)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(demo)
    app.command()(emulate)


def demo(
    directory: Annotated[
        Path,
        typer.Option(
            "--dir", metavar="DIR", help="Where data, settings and reports are left; emptied first."
        ),
    ] = Path("demo"),
    as_json: AsJson = False,
    weeks: Annotated[
        int, typer.Option("--weeks", help="How many weeks of the year are run.", min=2, max=39)
    ] = 8,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="End with the summary.")] = False,
) -> None:
    """Run the whole job on real data against local stand-ins of the platforms.

    A year of a grocer's real shopping data; contact fields and consent are generated. Week after week it
    re-clusters, syncs Google (both APIs) and Meta, takes revocations back, and ends with a summary.
    """
    from cohortd.demo.run import run_demo
    from cohortd.demo.summary import render_summary
    from cohortd.logs import set_up_logs

    del no_serve  # there are no pages to serve yet: it ends with the summary in any case
    set_up_logs("warning")
    result = run_demo(directory, weeks=weeks, quiet=as_json)
    answer(result.as_json(), as_json=as_json, show=lambda console: render_summary(result, console))
    if result.status != "done":
        raise typer.Exit(1)


def emulate(
    config: ConfigFile = None,
    as_json: AsJson = False,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="DIR", help="Keep what the platforms hold here across runs."),
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option("--faults", metavar="FILE", help="A schedule of faults; docs/emulators.md."),
    ] = None,
    grpc_port: Annotated[
        int,
        typer.Option("--grpc-port", help="Both Google APIs; 0 for any free one.", min=0, max=_LAST_PORT),
    ] = 0,
    http_port: Annotated[
        int,
        typer.Option(
            "--http-port", help="The Data Manager's REST; 0 for any free one.", min=0, max=_LAST_PORT
        ),
    ] = 0,
    meta_port: Annotated[
        int,
        typer.Option("--meta-port", help="Meta's Graph API; 0 for any free one.", min=0, max=_LAST_PORT),
    ] = 0,
    host: Annotated[
        str, typer.Option("--host", help="Where to listen; keep it on loopback.")
    ] = "127.0.0.1",
    delay: Annotated[
        float, typer.Option("--delay", help="Seconds Google takes to process a request.", min=0)
    ] = 0.0,
    quotas: Annotated[
        bool, typer.Option("--quotas", help="Count calls to the Data Manager: 300 a minute, as at Google.")
    ] = False,
) -> None:
    """Stand in for Google's and Meta's APIs on local ports, until interrupted.

    With -c, or beside a cohortd.yaml, the ports are those of the settings' endpoints.
    """
    from cohortd.emulators.serving import Ports, serve

    ports = _ports_of_settings(config)
    serve(
        Ports(
            host=host,
            google_grpc=grpc_port or ports.get("grpc", 0),
            google_http=http_port or ports.get("google_data_manager", 0),
            meta_http=meta_port or ports.get("meta", 0),
        ),
        state=state,
        faults=faults,
        delay_s=delay,
        quotas=quotas,
        announce=lambda endpoints: answer(
            endpoints,
            as_json=as_json,
            show=lambda console: console.print(
                "\n".join([*(f"{name}: {url}" for name, url in endpoints.items()), "", *_HOW_TO_USE])
            ),
        ),
    )


def _ports_of_settings(config: str | None) -> dict[str, int]:
    """Find where the settings look for the platforms; settings that nobody named may be unfinished."""
    from cohortd.bootstrap import endpoint_ports, load_settings
    from cohortd.core.errors import SettingsError

    try:
        return endpoint_ports(load_settings(config))
    except SettingsError:
        if config is not None:
            raise
        return {}
