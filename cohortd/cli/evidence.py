"""``log`` and ``trace``: what was done about people, and the proof of it."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cohortd.cli.consents import Customer, Email, Phone, one_subject
from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile, Since, Until
from cohortd.cli.output import answer, table
from cohortd.core.errors import SettingsError

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
        told = list(log.entries())
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
            export_log(pipeline, form.value, sys.stdout, period=period)
            return
        try:
            with out.open("w", encoding="utf-8", newline="") as file:
                export_log(pipeline, form.value, file, period=period)
        except OSError as error:
            raise SettingsError(f"cannot write {out}: {error.strerror}") from None
    answer({"file": str(out)}, as_json=as_json, show=lambda console: console.print(f"Written: {out}"))


@log_app.command()
def verify(
    config: ConfigFile = None,
    as_json: AsJson = False,
    public_key: Annotated[
        list[str] | None,
        typer.Option(
            "--public-key",
            metavar="HEX",
            help="The key it must be signed by, as this command once showed it; may be repeated where a"
            " key was replaced. Otherwise the key that lies here.",
        ),
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option(
            "--heads",
            metavar="FILE",
            help="A copy of removal-log-heads.jsonl that was kept elsewhere: the log must hold them all.",
        ),
    ] = None,
    proof_file: Annotated[
        Path | None,
        typer.Option(
            "--proof",
            metavar="FILE",
            help="Check a proof that log prove wrote, by --public-key alone: no settings, no database.",
        ),
    ] = None,
) -> None:
    """Check the removal log's chain and signature, and that it holds every head that was kept of it.

    Exits with 1 when anything was altered. Who holds the key could write the whole log anew: only a
    public key and heads that were kept elsewhere prove that nobody did.
    """
    from cohortd.pipeline.proving import verify_log

    if proof_file is not None:
        _verify_proof(proof_file, public_key or [], as_json=as_json)
        return
    with opened(config, as_json=as_json) as pipeline:
        proof = verify_log(pipeline, public_keys=public_key or (), heads_file=heads)

    def tell(console: Console) -> None:
        if proof.ok:
            console.print(f"{proof.entries:,} entries, unaltered. Head {proof.head[:16]}.")
            console.print(f"Signed, and true to {proof.witnesses:,} heads kept outside the database.")
            console.print(f"Public key {proof.public_key}.")
        else:
            console.print(f"ALTERED: {proof.finding}")

    answer(proof.as_json(), as_json=as_json, show=tell)
    if not proof.ok:
        raise typer.Exit(1)


def _verify_proof(file: Path, public_keys: Sequence[str], *, as_json: bool) -> None:
    from cohortd.pipeline.personal_proofs import check_proof

    if not public_keys:
        raise typer.BadParameter(
            "it is checked by --public-key, as cohortd log verify shows it", param_hint="--proof"
        )
    proven = check_proof(file, public_keys=public_keys)
    sentence = (
        f"ALTERED: {proven.finding}"
        if proven.finding
        else f"{proven.entries:,} entries, unaltered, of the log signed up to entry {proven.seq:,}."
    )
    answer(proven.as_json(), as_json=as_json, show=lambda console: console.print(sentence))
    if proven.finding:
        raise typer.Exit(1)


@log_app.command()
def prove(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write the proof.")
    ],
    config: ConfigFile = None,
    as_json: AsJson = False,
    customer: Customer = None,
    email: Email = None,
    phone: Phone = None,
) -> None:
    """Write a proof of every entry about one person, for whoever has the public key.

    It holds nobody else's entries. Check it with log verify --proof.
    """
    from cohortd.pipeline.personal_proofs import write_proof

    kind, value = one_subject(customer, email, phone)
    with opened(config, as_json=as_json) as pipeline:
        proven = write_proof(pipeline, kind, value, output)
    sentence = f"Written: {output}, {proven.entries:,} entries of the log signed up to {proven.seq:,}."
    answer(
        {"file": str(output), **proven.as_json()},
        as_json=as_json,
        show=lambda console: console.print(sentence),
    )


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
