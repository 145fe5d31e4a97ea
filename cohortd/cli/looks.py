"""``audiences``, ``runs`` and ``status``: what is, what was done, is all well."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer, table

if TYPE_CHECKING:
    from cohortd.core.health import Health


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(audiences)
    app.command()(runs)
    app.command()(status)


def audiences(
    config: ConfigFile = None,
    as_json: AsJson = False,
    renew: Annotated[
        str | None,
        typer.Option(
            "--renew",
            metavar="ID",
            help="Give up this one, which was deleted on the platform: the next sync makes another.",
        ),
    ] = None,
    destination: Annotated[
        str | None, typer.Option("--destination", metavar="NAME", help="Where, with --renew.")
    ] = None,
) -> None:
    """List the audiences: name, size here and on the platform, where it is served, what needs a look.

    With --json also how the platform saw each lately.
    """
    from cohortd.pipeline.listing import audience_rows

    if renew is not None:
        _renew(config, renew, destination, as_json=as_json)
        return
    if destination is not None:
        raise typer.BadParameter("it goes with --renew", param_hint="--destination")
    with opened(config, as_json=as_json) as pipeline:
        rows = audience_rows(pipeline)
    answer({"audiences": rows}, as_json=as_json, show=lambda console: _show_audiences(console, rows))


def _show_audiences(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = (
        "audience",
        "name",
        "destination",
        "remote_id",
        "size",
        "platform_size",
        "in a week",
        "matched",
        "served on",
        "platform_state",
        "state",
        "note",
    )
    cells = [
        [
            *(row[column] for column in columns[:6]),
            "" if row["change_in_a_week"] is None else f"{row['change_in_a_week']:+,}",
            _matched(row),
            ", ".join(network for network, is_eligible in row["eligible"].items() if is_eligible),
            *(row[column] for column in columns[9:]),
        ]
        for row in rows
    ]
    console.print(table("", columns, cells))
    for row in rows:
        for drift in row["drift"]:
            mark = "!" if drift["needs_person"] else "-"
            told = f"{mark} {row['audience']} on {row['destination']}: {drift['detail']}. {drift['cure']}"
            console.print(told.rstrip())


def _matched(row: Mapping[str, Any]) -> str:
    """The platform's own match rate, of all or of the last upload; else its size by our members."""
    share, told = row["matched_share"], row["match_rate"] or row["upload_match_rate"]
    if told or share is None:
        return told or ""
    lower, upper = (f"{share[bound]:.0%}" for bound in ("lower", "upper"))
    return f"~{lower}" if lower == upper else f"~{lower} to {upper}"


def _renew(config: str | None, audience: str, destination: str | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from cohortd.pipeline.renewing import renew

    with opened(config, as_json=as_json) as pipeline, pipeline.ledger.leadership():
        done = renew(pipeline, audience, destination)
    data = {"status": "done", "renewed": asdict(done)}
    answer(data, as_json=as_json, show=lambda console: console.print(done.sentence()))


def runs(
    config: ConfigFile = None,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option("--limit", help="The newest runs shown.", min=1)] = 20,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN_ID", help="Say of every batch of this run what became of it."),
    ] = None,
) -> None:
    """List the newest runs, with how each ended and where its report is."""
    from cohortd.pipeline.looking import run_rows

    if run is not None:
        _account(config, run, as_json=as_json)
        return
    with opened(config, as_json=as_json) as pipeline:
        rows = run_rows(pipeline, limit)
    columns = ("run_id", "kind", "status", "as_of", "started_at", "finished_at", "report")
    answer(
        {"runs": rows},
        as_json=as_json,
        show=lambda console: console.print(table("", columns, [[row[c] for c in columns] for row in rows])),
    )


def _account(config: str | None, run: str, *, as_json: bool) -> None:
    from cohortd.pipeline.accounts import account_of, reasons, sentence

    with opened(config, as_json=as_json) as pipeline:
        found = account_of(pipeline, run)
    columns = ("batch", "audience", "destination", "action", "members", "done", "settled_at")

    def tell(console: Console) -> None:
        rows = [[*(batch[c] for c in columns), sentence(batch)] for batch in found.batches]
        console.print(table(found.title, (*columns, "now"), rows))
        for line in reasons(found):
            console.print(line)

    answer(found.as_json(), as_json=as_json, show=tell)


def status(
    config: ConfigFile = None,
    as_json: AsJson = False,
    health: Annotated[
        bool,
        typer.Option(
            "--health",
            help="Only whether the settings load, the ledger can be used and the daemon's loops go round.",
        ),
    ] = False,
) -> None:
    """Tell whether all is well; exits with 1 where something needs a person."""
    if health:
        import config as settings
        from cohortd.monitoring.asking import health_of

        found = health_of(settings.load(settings.find_file(config, os.environ)))
    else:
        found = _status(config, as_json=as_json)

    def tell(console: Console) -> None:
        for line in found.lines:
            console.print(f"{'ok ' if line.ok else 'BAD'} {line.subject}: {line.detail}")
            if line.cure:
                console.print(f"    {line.cure}")

    answer(found.as_json(), as_json=as_json, show=tell)
    if not found.ok:
        raise typer.Exit(1)


def _status(config: str | None, *, as_json: bool) -> "Health":
    from cohortd.pipeline.looking import status_of

    with opened(config, as_json=as_json) as pipeline:
        return status_of(pipeline)
