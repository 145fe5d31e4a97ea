"""``revoke`` and ``consent import``."""

from pathlib import Path
from typing import Annotated

import typer

from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer
from cohortd.core.consenting import SubjectKind

consent_app = typer.Typer(help="Consent records.", no_args_is_help=True)

Customer = Annotated[str | None, typer.Option("--customer", metavar="ID", help="Whom, by customer id.")]
Email = Annotated[str | None, typer.Option("--email", metavar="E", help="Whom, by e-mail address.")]
Phone = Annotated[str | None, typer.Option("--phone", metavar="P", help="Whom, by phone number.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(revoke)
    app.add_typer(consent_app, name="consent")


def revoke(
    config: ConfigFile = None,
    as_json: AsJson = False,
    customer: Customer = None,
    email: Email = None,
    phone: Phone = None,
    reason: Annotated[str, typer.Option("--reason", metavar="R", help="Why, for the removal log.")] = "",
    operator: Annotated[
        str,
        typer.Option("--operator", metavar="NAME", help="Who does it, for the removal log; no e-mail."),
    ] = "",
) -> None:
    """Record that a person takes consent back, and send the removals at once.

    Name the person by one of --customer, --email or --phone. Nothing holds a revocation back.
    """
    from cohortd.pipeline.revoking import Revocation
    from cohortd.pipeline.revoking import revoke as run_revoke

    kind, value = one_subject(customer, email, phone)
    with opened(config, as_json=as_json) as pipeline:
        done = run_revoke(pipeline, Revocation(kind, value, reason, operator))
    data = {
        "status": done.status,
        "subject": done.subject,
        "recorded_at": done.recorded_at.isoformat(),
        "audiences": done.queued,
        "open": done.open,
        "notes": list(done.notes),
    }
    sentence = (
        f"Recorded as {done.subject}. To be taken off {done.queued} remote audiences: {done.status};"
        f" {done.open} destinations have not confirmed yet."
    )
    answer(data, as_json=as_json, show=lambda console: console.print("\n".join([sentence, *done.notes])))
    if done.fell_short:
        raise typer.Exit(1)


@consent_app.callback()
def _consent() -> None:
    """Consent records."""


@consent_app.command("import")
def import_records(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help=(
                "CSV, Parquet or JSON: customer_id or email or phone, status, recorded_at, and optionally"
                " purpose, platform, regulation, source, evidence."
            ),
        ),
    ],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take in consent records from a file; revocations among them are sent at once."""
    from cohortd.pipeline.importing import import_consent

    with opened(config, as_json=as_json) as pipeline:
        done = import_consent(pipeline, file)
    data = {
        "read": done.read,
        "new": done.new,
        "known": done.known,
        "withdrawn": done.withdrawn,
        "dropped": done.dropped,
        "taken_for_denied": done.taken_for_denied,
        "notes": list(done.notes),
    }
    sentence = (
        f"{done.read:,} rows read: {done.new:,} new records, {done.known:,} known before,"
        f" {sum(done.dropped.values()):,} unusable; {done.withdrawn:,} withdrawals taken in."
    )
    sentences = [sentence]
    if done.taken_for_denied:
        sentences.append(
            f"{done.taken_for_denied:,} rows have a status that is none of ours: taken for denied"
        )
    sentences += [f"unusable: {reason} {count:,}" for reason, count in sorted(done.dropped.items())]
    answer(data, as_json=as_json, show=lambda console: console.print("\n".join([*sentences, *done.notes])))
    if done.fell_short:
        raise typer.Exit(1)


def one_subject(customer: str | None, email: str | None, phone: str | None) -> tuple[SubjectKind, str]:
    """Take the one way in which a person was named."""
    named = [
        (kind, value)
        for kind, value in (
            (SubjectKind.CUSTOMER, customer),
            (SubjectKind.EMAIL, email),
            (SubjectKind.PHONE, phone),
        )
        if value is not None
    ]
    if len(named) != 1 or not named[0][1].strip():
        raise typer.BadParameter("name the person by exactly one of --customer, --email and --phone")
    return named[0]
