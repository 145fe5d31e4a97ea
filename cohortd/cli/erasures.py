"""``erase``: a person taken back and erased, and how far that is."""

from pathlib import Path
from typing import Annotated

import typer

from cohortd.cli.consents import Customer, Email, Operator, Phone, Reason, one_subject
from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(erase)


def erase(
    erasure: Annotated[
        str, typer.Argument(metavar="[ID]", help="Which erasure, with --status; otherwise all.")
    ] = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
    customer: Customer = None,
    email: Email = None,
    phone: Phone = None,
    reason: Reason = "",
    operator: Operator = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write the person's report before it is too late: FILE.html or FILE.json.",
        ),
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Tell how far erasures are that were asked for before.")
    ] = False,
) -> None:
    """Erase a person: take them back everywhere at once, and delete what is kept of them when confirmed.

    Name the person by one of --customer, --email or --phone. What keeps them from being added again
    stays, as does the removal log. The answer lists who had received anything of them.
    """
    if status:
        _show(config, erasure, as_json=as_json)
        return
    if erasure:
        raise typer.BadParameter("an id goes with --status", param_hint="ID")
    from cohortd.pipeline.erasing import erase as run_erase
    from cohortd.pipeline.revoking import Revocation

    kind, value = one_subject(customer, email, phone)
    with opened(config, as_json=as_json) as pipeline:
        done = run_erase(pipeline, Revocation(kind, value, reason, operator), report=output)
    lines = [
        f"Recorded as {done.revoked.subject}.",
        *done.state.sentences(),
        *done.revoked.notes,
        *done.to_do,
    ]
    answer(done.as_json(), as_json=as_json, show=lambda console: console.print("\n".join(lines)))
    if done.revoked.fell_short:
        raise typer.Exit(1)


def _show(config: str | None, erasure: str, *, as_json: bool) -> None:
    from cohortd.pipeline.erasing import erasures

    with opened(config, as_json=as_json) as pipeline:
        found = erasures(pipeline, erasure)
    lines = [line for each in found for line in each.sentences()] or ["No erasure was asked for."]
    answer(
        {"erasures": [each.as_json() for each in found]},
        as_json=as_json,
        show=lambda console: console.print("\n".join(lines)),
    )
