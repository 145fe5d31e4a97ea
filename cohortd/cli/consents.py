"""``revoke`` and what begins with ``consent``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer
from cohortd.core.consenting import SubjectKind

if TYPE_CHECKING:
    from cohortd.pipeline.revoking import Revoked

consent_app = typer.Typer(help="Consent records.", no_args_is_help=True)

Customer = Annotated[str | None, typer.Option("--customer", metavar="ID", help="Whom, by customer id.")]
Email = Annotated[str | None, typer.Option("--email", metavar="E", help="Whom, by e-mail address.")]
Phone = Annotated[str | None, typer.Option("--phone", metavar="P", help="Whom, by phone number.")]
Reason = Annotated[str, typer.Option("--reason", metavar="R", help="Why, for the removal log.")]
Operator = Annotated[
    str, typer.Option("--operator", metavar="NAME", help="Who does it, for the removal log; no e-mail.")
]

_NOTHING_TO_QUEUE = (
    "They are in no remote audience that the ledger knows, or their removal is under way already;"
    " they are kept out from now on."
)


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
    reason: Reason = "",
    operator: Operator = "",
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
    sentence = f"Recorded as {done.subject}. {_progress(done)}"
    answer(data, as_json=as_json, show=lambda console: console.print("\n".join([sentence, *done.notes])))
    if done.fell_short:
        raise typer.Exit(1)


def _progress(done: "Revoked") -> str:
    destinations = "1 destination has" if done.open == 1 else f"{done.open:,} destinations have"
    waiting = f" {destinations} not confirmed yet; 'cohortd log show' tells when." if done.open else ""
    if not done.queued:
        # Under another name of theirs a removal may be under way of which this one knows nothing.
        return f"{'Their removal was queued before.' if waiting else _NOTHING_TO_QUEUE}{waiting}"
    audiences = "1 remote audience" if done.queued == 1 else f"{done.queued:,} remote audiences"
    return f"To be taken off {audiences}: {done.status}.{waiting}"


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


@consent_app.command("parked")
def parked(
    config: ConfigFile = None,
    as_json: AsJson = False,
    seen: Annotated[bool, typer.Option("--seen", help="Note that you have looked at them.")] = False,
) -> None:
    """List consent events and files that came and could not be read, or not wholly."""
    with opened(config, as_json=as_json) as pipeline:
        events = pipeline.ledger.received.parked()
        if seen and events:
            pipeline.ledger.received.mark_seen(until=events[-1].id)
    rows = [
        {
            "id": each.id,
            "source": each.event.source,
            "received_at": each.received_at.isoformat(),
            "size_bytes": each.size,
            "body": each.event.body.hex()[:8],
            "fault": each.fault,
            "subjects": list(each.subjects),
        }
        for each in events
    ]
    lines = [
        f"{each.received_at:%Y-%m-%d %H:%M:%S} {each.event.source}: {each.fault}"
        f" ({each.size:,} bytes, {each.event.body.hex()[:8]});"
        f" {', '.join(each.subjects) or 'nobody'} revoked"
        for each in events
    ]
    answer(
        {"parked": rows},
        as_json=as_json,
        show=lambda console: console.print("\n".join(lines or ["Nothing is parked."])),
    )


@consent_app.command("decode")
def decode(
    text: Annotated[str, typer.Argument(metavar="STRING", help="A TC string, or a GPP string.")],
    as_json: AsJson = False,
) -> None:
    """Say what an IAB string says, and the digest by which records name it as evidence."""
    from hashlib import sha256

    from consent.tcf import GOOGLE, decode_tc, gpp_sections

    text = text.strip()
    data: dict[str, object] = {"evidence": sha256(text.encode()).hexdigest()}
    try:
        if "~" in text:
            data["gpp_sections"] = list(gpp_sections(text))
        else:
            core = decode_tc(text)
            disclosed = core.disclosed_vendors
            data |= {
                "tcf_policy_version": core.policy_version,
                "created_at": core.created_at.isoformat(),
                "updated_at": core.updated_at.isoformat(),
                "cmp_id": core.cmp_id,
                "vendor_list_version": core.vendor_list_version,
                "purposes": sorted(core.purposes),
                "legitimate_interests": sorted(core.legitimate_interests),
                "google_agreed_to": GOOGLE in core.vendors,
                "google_disclosed": None if disclosed is None else GOOGLE in disclosed,
            }
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    lines = [f"{name}: {value}" for name, value in data.items()]
    answer(data, as_json=as_json, show=lambda console: console.print("\n".join(lines)))


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
