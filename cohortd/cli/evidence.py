"""``log`` and ``trace``: what was done about people, and the proof of it."""

import io
import json
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cohortd.cli import proofs
from cohortd.cli.consents import Customer, Email, Phone, one_subject
from cohortd.cli.opening import opened
from cohortd.cli.options import MOST_SHOWN, AsJson, ConfigFile, Since, Until
from cohortd.cli.output import answer, table
from cohortd.core.errors import SettingsError

if TYPE_CHECKING:
    from cohortd.pipeline.wiring import Pipeline

log_app = typer.Typer(help="The removal log: who was taken back, from where, when.", no_args_is_help=True)


ReportFile = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write it as a report that prints well (FILE.html), or as JSON (FILE.json).",
    ),
]


class ExportFormat(StrEnum):
    """What ``log export`` writes."""

    CSV = "csv"
    JSONL = "jsonl"
    JSONLD = "jsonld"
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
    limit: Annotated[
        int, typer.Option("--limit", help="The newest entries shown.", min=1, max=MOST_SHOWN)
    ] = 50,
) -> None:
    """Show the newest entries of the removal log."""
    from dataclasses import asdict

    from cohortd.pipeline.newest_removals import newest_removals

    with opened(config, as_json=as_json) as pipeline:
        entries, due = newest_removals(pipeline, limit)
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
        typer.Option(
            "-o", "--output", "--out", metavar="FILE", help="Where to; otherwise standard output."
        ),
    ] = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write the removal log for reviewers, or what of it falls into a period.

    Of a period html and jsonld tell each revocation that was recorded in it with all that became of it
    up to now; csv and jsonl have the entries of that time.
    """
    from cohortd.pipeline.exporting import export_log

    with opened(config, as_json=as_json) as pipeline:
        period = (since, until)
        if out is None:
            _export_to_stdout(pipeline, form, period, as_json=as_json)
            return
        try:
            with out.open("w", encoding="utf-8", newline="") as file:
                export_log(pipeline, form.value, file, period=period)
        except OSError as error:
            raise SettingsError(f"cannot write {out}: {error.strerror}") from None
    answer({"file": str(out)}, as_json=as_json, show=lambda console: console.print(f"Written: {out}"))


def _export_to_stdout(
    pipeline: "Pipeline",
    form: ExportFormat,
    period: tuple[datetime | None, datetime | None],
    *,
    as_json: bool,
) -> None:
    """Write the export itself; for machines that asked for JSON as text in the one object they expect."""
    from cohortd.pipeline.exporting import export_log

    if not as_json:
        export_log(pipeline, form.value, sys.stdout, period=period)
        return
    written = io.StringIO()
    export_log(pipeline, form.value, written, period=period)
    sys.stdout.write(json.dumps({"format": form.value, "export": written.getvalue()}) + "\n")


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
    output: ReportFile = None,
) -> None:
    """Tell everything decided and sent about one person, and when it was taken back.

    Also why they are in their segment: their values beside typical ones, computed for this one person.
    With --output as a report for somebody who knows nothing of cohortd, such as the person themselves.
    """
    from cohortd.pipeline.personal_reports import check_name, report_of, write_report
    from cohortd.pipeline.tracing import trace_person

    kind, value = one_subject(customer, email, phone)
    if output is not None:
        check_name(output)
    with opened(config, as_json=as_json) as pipeline:
        found = trace_person(pipeline, kind, value, why=not no_why)
        if output is not None:
            write_report(report_of(pipeline, kind, value, trace=found), output)
    if output is not None:
        data = {"file": str(output), "found": found.found}
        answer(data, as_json=as_json, show=lambda console: console.print(f"Written: {output}"))
        return
    answer(
        found.as_json(), as_json=as_json, show=lambda console: console.print("\n".join(found.sentences()))
    )
