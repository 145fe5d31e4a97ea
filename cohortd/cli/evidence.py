"""``log`` and ``trace``: what was done about people, and the proof of it."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cohortd.cli import proofs
from cohortd.cli.consents import Customer, Email, Phone, one_subject
from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer, table
from cohortd.core.errors import SettingsError

log_app = typer.Typer(help="The removal log: who was taken back, from where, when.", no_args_is_help=True)


class ExportFormat(StrEnum):
    """What ``log export`` writes."""

    CSV = "csv"
    JSONL = "jsonl"
    HTML = "html"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    proofs.register(log_app)
    app.add_typer(log_app, name="log")
    app.command()(trace)


@log_app.command()
def show(
    config: ConfigFile = None,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option("--limit", help="The newest entries shown.", min=1)] = 50,
) -> None:
    """Show the newest entries of the removal log."""
    from dataclasses import asdict

    from cohortd.pipeline.due import due_words

    with opened(config, as_json=as_json) as pipeline:
        log = pipeline.ledger.removals
        told = list(log.told())
        due = due_words(told, log.deadlines, pipeline.clock())
    entries = told[-limit:]
    rows = [
        (
            e.seq,
            e.at,
            e.event,
            e.subject[:8],
            e.audience,
            e.destination,
            e.trigger,
            due.get(e.seq, ""),
            e.detail,
        )
        for e in entries
    ]
    columns = ("seq", "at", "event", "subject", "audience", "destination", "trigger", "due", "detail")
    answer(
        {"entries": [{**asdict(entry), "due": due.get(entry.seq, "")} for entry in entries]},
        as_json=as_json,
        show=lambda console: console.print(table("", columns, rows)),
    )


@log_app.command()
def export(
    config: ConfigFile = None,
    as_json: AsJson = False,
    form: Annotated[ExportFormat, typer.Option("--format", help="How to write it.")] = ExportFormat.CSV,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Where to; otherwise standard output."),
    ] = None,
) -> None:
    """Write the whole removal log for reviewers."""
    from cohortd.report import removal_log_csv, removal_log_html, removal_log_jsonl

    write = {
        ExportFormat.CSV: removal_log_csv,
        ExportFormat.JSONL: removal_log_jsonl,
        ExportFormat.HTML: removal_log_html,
    }[form]
    with opened(config, as_json=as_json) as pipeline:
        log = pipeline.ledger.removals
        entries = log.entries() if form is ExportFormat.JSONL else log.told()
        if out is None:
            write(entries, sys.stdout)
            return
        try:
            with out.open("w", encoding="utf-8", newline="") as file:
                write(entries, file)
        except OSError as error:
            raise SettingsError(f"cannot write {out}: {error.strerror}") from None
    answer({"file": str(out)}, as_json=as_json, show=lambda console: console.print(f"Written: {out}"))


def trace(
    config: ConfigFile = None,
    as_json: AsJson = False,
    customer: Customer = None,
    email: Email = None,
    phone: Phone = None,
    no_why: Annotated[
        bool,
        typer.Option("--no-why", help="Not why they are in their segment: that reads the events anew."),
    ] = False,
) -> None:
    """Tell everything decided and sent about one person, and when it was taken back.

    Also why they are in their segment: their values beside typical ones, computed for this one person.
    """
    from cohortd.pipeline.tracing import trace_person

    kind, value = one_subject(customer, email, phone)
    with opened(config, as_json=as_json) as pipeline:
        found = trace_person(pipeline, kind, value, why=not no_why)
    answer(
        found.as_json(), as_json=as_json, show=lambda console: console.print("\n".join(found.sentences()))
    )
